import Platform

/// Why bytes could not be sent.
enum SendError: Error {
    case disconnected
    /// The peer accepted nothing for the time allowed.
    case stalled
    case cancelled
}

/// A non-blocking stream socket. It is closed with the last reference, so a descriptor is never used after its number
/// belongs to another socket.
final class Socket: Sendable {
    enum Received: Equatable {
        case bytes(Int)
        case wouldBlock
        /// Closed by the peer, or broken.
        case ended
    }

    let descriptor: Int32
    let poller: Poller

    /// Takes ownership of a descriptor, which must be non-blocking and close-on-exec.
    init(adopting descriptor: Int32, poller: Poller) {
        self.descriptor = descriptor
        self.poller = poller
        poller.adopt()
    }

    deinit { poller.close(descriptor) }

    func setOption(_ level: Int, _ name: Int32, _ value: Int32) {
        Self.setOption(of: descriptor, level, name, value)
    }

    static func setOption(of descriptor: Int32, _ level: Int, _ name: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, Int32(level), name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Sets the options of an accepted connection. All are optional, so errors are ignored.
    func configureConnection() {
        // Server-sent events go out without delay.
        setOption(IPPROTO_TCP, TCP_NODELAY, 1)
        // A slow reader is noticed after this many unsent bytes, not after the megabytes that the kernel would buffer.
        setOption(IPPROTO_TCP, TCP_NOTSENT_LOWAT, 128 << 10)
        // A peer that lost power or network is noticed after two minutes.
        setOption(Int(SOL_SOCKET), SO_KEEPALIVE, 1)
        StreamSocket.keepAlive(descriptor, afterSeconds: 60, everySeconds: 15)
    }

    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Received {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .ended }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .ended
            }
        }
    }

    /// Sends all bytes; suspends while the peer accepts none, for `stallLimit` at most.
    func send(_ bytes: [UInt8], stallLimit: Duration) async throws(SendError) {
        var sent = 0
        while sent < bytes.count {
            let count = sendSome(bytes, from: sent)
            if count >= 0 {
                sent += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: break
            default: throw .disconnected
            }
            switch await poller.wait(descriptor, for: .writable, until: .now + stallLimit) {
            case .ready: continue
            case .timedOut: throw .stalled
            case .cancelled, .interrupted: throw .cancelled
            case .closed: throw .disconnected
            }
        }
    }

    /// Sends as many bytes as the kernel accepts now; returns their number, or -1 with `errno` set.
    func sendSome(_ bytes: [UInt8], from start: Int = 0) -> Int {
        bytes.withUnsafeBytes { bytes in
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            return Platform.send(descriptor, rest.baseAddress, rest.count, StreamSocket.sendFlags)
        }
    }

    private func discard() -> Received {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { receive(into: $0) }
    }

    /// Lingering close: shuts down the sending side, then reads and drops the peer's bytes until it closes, for a
    /// limited time and amount. Closing a socket with unread bytes would make the kernel send a reset, and the peer
    /// could lose the response.
    func linger(for limit: Duration, upTo byteCount: Int) async {
        guard shutdown(descriptor, Int32(SHUT_WR)) == 0 else { return }
        let deadline = ContinuousClock.now + limit
        var allowance = byteCount
        while allowance > 0 {
            switch discard() {
            case .bytes(let count):
                allowance -= count
                // A peer that sends without a pause must not occupy a thread of the pool.
                await Task.yield()
            case .ended: return
            case .wouldBlock:
                guard await poller.wait(descriptor, for: .readable, until: deadline) == .ready else { return }
            }
            guard ContinuousClock.now < deadline else { return }
        }
    }
}
