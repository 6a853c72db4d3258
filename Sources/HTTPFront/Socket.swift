import Platform

/// Why nothing more can be sent.
enum SendError: Error {
    case disconnected
    /// The peer took nothing for the time allowed.
    case stalled
    case cancelled
}

/// A non-blocking stream socket; closed when the last reference goes, so that nobody can use a descriptor whose number
/// belongs to another socket already.
final class Socket: Sendable {
    enum Received: Equatable {
        case bytes(Int)
        case wouldBlock
        /// Closed by the peer, or broken.
        case ended
    }

    let descriptor: Int32
    let poller: Poller

    /// Takes over a descriptor that is non-blocking and closes on exec.
    init(adopting descriptor: Int32, poller: Poller) {
        self.descriptor = descriptor
        self.poller = poller
        poller.adopt()
    }

    deinit { poller.close(descriptor) }

    func setOption(_ level: Int, _ name: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, Int32(level), name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Sets what a connection needs; each is an improvement only, so failures do not matter.
    func configureConnection() {
        // Events go out as they are made.
        setOption(IPPROTO_TCP, TCP_NODELAY, 1)
        // A slow reader is noticed after this many bytes, not after the megabytes that the kernel would take.
        setOption(IPPROTO_TCP, TCP_NOTSENT_LOWAT, 128 << 10)
        // A peer that lost its power is noticed after two minutes.
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

    /// Sends all bytes; suspends while the peer takes none, for `stallLimit` at most.
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

    /// Sends what the kernel takes now: how many bytes, or -1 and `errno`.
    func sendSome(_ bytes: [UInt8], from start: Int = 0) -> Int {
        bytes.withUnsafeBytes { bytes in
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            return Platform.send(descriptor, rest.baseAddress, rest.count, StreamSocket.sendFlags)
        }
    }

    private func discard() -> Received {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { receive(into: $0) }
    }

    /// Says goodbye so that the peer gets to read what was sent: closing a socket with unread bytes in it makes the
    /// kernel send a reset, which throws away the response. Hence the peer's bytes are read and dropped until it
    /// closes, for a limited time and amount.
    func linger(for limit: Duration, upTo byteCount: Int) async {
        guard shutdown(descriptor, Int32(SHUT_WR)) == 0 else { return }
        let deadline = ContinuousClock.now + limit
        var allowance = byteCount
        while allowance > 0 {
            switch discard() {
            case .bytes(let count):
                allowance -= count
                // Whoever sends without a pause must not keep a thread of the pool.
                await Task.yield()
            case .ended: return
            case .wouldBlock:
                guard await poller.wait(descriptor, for: .readable, until: deadline) == .ready else { return }
            }
            guard ContinuousClock.now < deadline else { return }
        }
    }
}
