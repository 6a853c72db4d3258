import CLinux
import Glibc

extension HTTPServerError {
    /// A failed system call, with the kernel's reason.
    static func system(_ what: String, _ code: Int32 = errno) -> HTTPServerError {
        HTTPServerError("\(what): \(String(cString: strerror(code)))")
    }
}

/// A listening socket.
struct Listener {
    enum Accepted {
        case connection(Socket, peer: Address)
        case wouldBlock
        /// No descriptor or memory is left for now.
        case exhausted
    }

    let socket: Socket
    let port: UInt16

    /// Binds to the first of the host's addresses that can be bound.
    static func bind(host: String, port: UInt16, poller: Poller) async throws(HTTPServerError) -> Listener {
        var failure = HTTPServerError("the host \"\(host)\" has no address to listen on")
        for address in try await Address.resolve(host: host, port: port) {
            do throws(HTTPServerError) {
                return try Listener(address, host: host, port: port, poller: poller)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private init(_ address: Address, host: String, port: UInt16, poller: Poller) throws(HTTPServerError) {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = Glibc.socket(address.family, kind, 0)
        guard descriptor >= 0 else { throw .system("cannot make a socket") }
        socket = Socket(adopting: descriptor, poller: poller)
        socket.setOption(Int(SOL_SOCKET), SO_REUSEADDR, 1)
        if address.family == AF_INET6 { socket.setOption(IPPROTO_IPV6, IPV6_V6ONLY, 0) }
        guard address.withPointer({ Glibc.bind(descriptor, $0, $1) }) == 0 else {
            throw Listener.explain(errno, host: host, port: port)
        }
        guard listen(descriptor, 1024) == 0 else { throw Listener.explain(errno, host: host, port: port) }
        self.port = Address(localOf: descriptor).port
    }

    private static func explain(_ code: Int32, host: String, port: UInt16) -> HTTPServerError {
        switch code {
        case EADDRINUSE:
            HTTPServerError(
                "port \(port) on \(host) is in use by another program; stop that one, or choose another port"
            )
        case EADDRNOTAVAIL:
            HTTPServerError("\(host) is not an address of this machine; use 127.0.0.1, or 0.0.0.0 for all addresses")
        case EACCES:
            HTTPServerError("no permission to listen on port \(port); choose a port above 1023")
        default: .system("cannot listen on \(host) port \(port)", code)
        }
    }

    func accept() -> Accepted {
        while true {
            var address = sockaddr_storage()
            let descriptor = clinux_accept(socket.descriptor, &address)
            if descriptor >= 0 {
                let connection = Socket(adopting: descriptor, poller: socket.poller)
                connection.configureConnection()
                return .connection(connection, peer: Address(address))
            }
            switch errno {
            case EAGAIN: return .wouldBlock
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
            // Everything else is a connection that broke before it was accepted (accept(2)).
            case EBADF, EINVAL, ENOTSOCK: return .wouldBlock
            default: continue
            }
        }
    }
}

/// An IPv4 or IPv6 socket address.
struct Address: Sendable {
    private var storage: sockaddr_storage

    init(_ storage: sockaddr_storage) {
        self.storage = storage
    }

    /// The address a socket is bound to.
    init(localOf descriptor: Int32) {
        storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
    }

    var family: Int32 { Int32(storage.ss_family) }

    /// Both kinds of addresses have the port in bytes 2 and 3, in network order.
    var port: UInt16 {
        withUnsafeBytes(of: storage) { UInt16($0[2]) << 8 | UInt16($0[3]) }
    }

    var isLoopback: Bool {
        withUnsafeBytes(of: storage) { bytes in
            if family == AF_INET { return bytes[4] == 127 }
            guard family == AF_INET6 else { return false }
            let address = bytes[8..<24]
            return Address.isMapped(address)
                ? bytes[20] == 127 : address.dropLast().allSatisfy { $0 == 0 } && bytes[23] == 1
        }
    }

    /// Whether the 16 bytes of an IPv6 address hold an IPv4 address: `::ffff:192.0.2.1`.
    private static func isMapped(_ address: Slice<UnsafeRawBufferPointer>) -> Bool {
        address.prefix(10).allSatisfy { $0 == 0 } && address.dropFirst(10).prefix(2).allSatisfy { $0 == 0xFF }
    }

    /// The address as people write it, without the port; an IPv4 address in IPv6's clothes is shown as IPv4.
    var text: String {
        withUnsafeBytes(of: storage) { bytes in
            var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            let isMapped = family == AF_INET6 && Address.isMapped(bytes[8..<24])
            let start = family == AF_INET ? 4 : isMapped ? 20 : 8
            guard family == AF_INET || family == AF_INET6, let base = bytes.baseAddress,
                let written = inet_ntop(
                    isMapped ? AF_INET : family,
                    base + start,
                    &buffer,
                    socklen_t(buffer.count)
                )
            else { return "unknown" }
            return String(cString: written)
        }
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        let size = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
        return withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(size)) }
        }
    }

    /// The addresses of a host, IPv4 first: that is where clients of `localhost` look.
    static func resolve(host: String, port: UInt16) async throws(HTTPServerError) -> [Address] {
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        if let numeric = try? lookUp(bare, port, flags: AI_NUMERICHOST).get() { return numeric }
        // Names may take seconds; that is no work for the cooperative pool.
        let result = await withCheckedContinuation { continuation in
            let started = startThread(named: "http-resolver") {
                continuation.resume(returning: lookUp(bare, port, flags: 0))
            }
            if !started {
                continuation.resume(returning: .failure(.system("cannot start a thread to resolve \"\(bare)\"")))
            }
        }
        return try result.get().sorted { $0.family == AF_INET && $1.family != AF_INET }
    }

    private static func lookUp(_ host: String, _ port: UInt16, flags: Int32) -> Result<[Address], HTTPServerError> {
        var hints = addrinfo()
        hints.ai_flags = flags | AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            let reason = String(cString: gai_strerror(status))
            return .failure(HTTPServerError("cannot resolve the host \"\(host)\": \(reason)"))
        }
        defer { freeaddrinfo(list) }
        var addresses: [Address] = []
        var entry = list
        while let info = entry?.pointee {
            let length = min(Int(info.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
            if info.ai_family == AF_INET || info.ai_family == AF_INET6, let address = info.ai_addr {
                var storage = sockaddr_storage()
                withUnsafeMutableBytes(of: &storage) {
                    $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: length))
                }
                addresses.append(Address(storage))
            }
            entry = info.ai_next
        }
        return .success(addresses)
    }
}
