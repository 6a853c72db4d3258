import Foundation
import Platform

/// A network failure; the same kind has the same description each time.
package struct SocketFailure: Error, Equatable, CustomStringConvertible {
    package let description: String
    /// Whether the peer did not answer in time, rather than being gone.
    package let isTimeout: Bool

    package init(_ description: String, isTimeout: Bool = false) {
        self.description = description
        self.isTimeout = isTimeout
    }
}

/// The addresses of a host, resolved once, so that request times do not include name resolution.
package struct Endpoint: Sendable {
    fileprivate struct Address: Sendable {
        var storage: sockaddr_storage
        var length: socklen_t
    }

    fileprivate let addresses: [Address]

    package init(_ target: Target) throws(SocketFailure) {
        var hints = addrinfo()
        hints.ai_socktype = StreamSocket.type
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(target.host, String(target.port), &hints, &found)
        guard status == 0 else {
            throw SocketFailure("cannot resolve \(target.host): \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(found) }
        var addresses: [Address] = []
        var entry = found
        while let info = entry?.pointee {
            let length = min(Int(info.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
            if let address = info.ai_addr {
                var storage = sockaddr_storage()
                withUnsafeMutableBytes(of: &storage) {
                    $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: length))
                }
                addresses.append(Address(storage: storage, length: socklen_t(length)))
            }
            entry = info.ai_next
        }
        self.addresses = addresses
    }
}

/// A blocking TCP connection with a time-out for every wait: with a thread for each client, times are most accurate,
/// and there are few clients.
package final class BlockingSocket: Sendable {
    private let descriptor: Int32

    /// Connects to the first address that accepts the connection.
    init(_ endpoint: Endpoint, timeout: Double) throws(SocketFailure) {
        var failure = SocketFailure("no address to connect to")
        for address in endpoint.addresses {
            do throws(SocketFailure) {
                descriptor = try Self.connect(address, timeout: timeout)
                return
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private static func connect(_ address: Endpoint.Address, timeout: Double) throws(SocketFailure) -> Int32 {
        let opened = socket(Int32(address.storage.ss_family), StreamSocket.type, 0)
        guard opened >= 0 else { throw SocketFailure("no more sockets: " + reason(errno)) }
        var limit = timeval(tv_sec: Int(timeout.rounded(.up)), tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(opened, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(opened, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        var on: Int32 = 1
        setsockopt(opened, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        let status = withUnsafePointer(to: address.storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Foundation.connect(opened, $0, address.length) }
        }
        guard status != 0 else { return opened }
        let code = errno
        close(opened)
        guard code != EINPROGRESS else { throw SocketFailure("timeout while connecting", isTimeout: true) }
        throw SocketFailure("cannot connect: " + reason(code))
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)).lowercased() }

    deinit { close(descriptor) }

    /// Ends every wait on this connection; can be called from any thread.
    func interrupt() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    func send(_ bytes: [UInt8]) throws(SocketFailure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, 0) }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                throw SocketFailure("timeout while sending", isTimeout: true)
            } else if errno != EINTR {
                throw SocketFailure("connection lost while sending")
            }
        }
    }

    /// Available bytes, at least one; empty at the end of the connection.
    func receive() throws(SocketFailure) -> [UInt8] {
        while true {
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 16384) { buffer, filled in
                count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                filled = max(0, count)
            }
            if count >= 0 { return bytes }
            switch errno {
            case EINTR: continue
            case EAGAIN: throw SocketFailure("timeout", isTimeout: true)
            case ECONNRESET: throw SocketFailure("connection reset")
            default: throw SocketFailure("connection lost: " + Self.reason(errno))
            }
        }
    }
}
