#if os(Linux)
    package import CLinux
#endif

/// TCP sockets, where systems differ in how they are made.
package enum StreamSocket {
    #if os(Linux)
        /// The socket type of TCP, for `socket` and for `addrinfo`.
        package static let type = Int32(SOCK_STREAM.rawValue)
        /// For `send`: a connection that is gone is an error to return, not a signal.
        package static let sendFlags = Int32(MSG_NOSIGNAL)
    #else
        package static let type = SOCK_STREAM
        package static let sendFlags: Int32 = 0
    #endif

    /// A non-blocking socket that programs started by this one do not inherit.
    /// - Returns: -1 on failure, with `errno`.
    package static func open(family: Int32) -> Int32 {
        #if os(Linux)
            socket(family, type | Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        #else
            prepared(socket(family, type, 0))
        #endif
    }

    /// Takes a connection from a listening socket; it is as those of `open`.
    /// - Returns: -1 on failure, with `errno`.
    package static func accept(from listener: Int32, _ address: inout sockaddr_storage) -> Int32 {
        #if os(Linux)
            clinux_accept(listener, &address)
        #else
            withUnsafeMutablePointer(to: &address) { storage in
                var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
                return storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    prepared(Darwin.accept(listener, $0, &length))
                }
            }
        #endif
    }

    /// How soon the kernel asks a silent peer whether it is still there; it gives up after four questions.
    package static func keepAlive(_ descriptor: Int32, afterSeconds idle: Int32, everySeconds interval: Int32) {
        #if os(Linux)
            let idleOption = TCP_KEEPIDLE
        #else
            let idleOption = TCP_KEEPALIVE
        #endif
        for (option, value) in [(idleOption, idle), (TCP_KEEPINTVL, interval), (TCP_KEEPCNT, 4)] {
            var value = value
            setsockopt(descriptor, Int32(IPPROTO_TCP), option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    #if !os(Linux)
        private static func prepared(_ descriptor: Int32) -> Int32 {
            guard descriptor >= 0 else { return descriptor }
            var on: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            return descriptor
        }
    #endif
}
