import Foundation

/// A failure of the network, named the same way each time.
struct SocketFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A TCP connection of one thread, with a time limit on every wait. Blocking on purpose: a thread for each client gives
/// the most faithful times, and a load test has few clients.
final class BlockingSocket {
    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 16384)

    init(host: String, port: UInt16, timeout: Double) throws {
        #if canImport(Glibc)
            let kind = Int32(SOCK_STREAM.rawValue)
        #else
            let kind = SOCK_STREAM
        #endif
        var hints = addrinfo()
        hints.ai_socktype = kind
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let first = found else {
            throw SocketFailure("cannot resolve \(host)")
        }
        defer { freeaddrinfo(first) }
        var candidate: UnsafeMutablePointer<addrinfo>? = first
        var failure = "cannot connect"
        while let address = candidate {
            let opened = socket(address.pointee.ai_family, kind, 0)
            guard opened >= 0 else { throw SocketFailure("no more sockets (errno \(errno))") }
            var limit = timeval(tv_sec: Int(timeout.rounded(.up)), tv_usec: 0)
            setsockopt(opened, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            setsockopt(opened, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            if connect(opened, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 {
                descriptor = opened
                return
            }
            failure = errno == ECONNREFUSED ? "connection refused" : "cannot connect (errno \(errno))"
            close(opened)
            candidate = address.pointee.ai_next
        }
        throw SocketFailure(failure)
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { throw SocketFailure("connection lost while sending") }
            sent += count
        }
    }

    /// What has come, at least one byte; nothing at the connection's end.
    func receive() throws -> [UInt8] {
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count >= 0 { return Array(buffer[..<count]) }
            switch errno {
            case EINTR: continue
            case EAGAIN: throw SocketFailure("timeout")
            case ECONNRESET: throw SocketFailure("connection reset")
            default: throw SocketFailure("connection lost (errno \(errno))")
            }
        }
    }
}
