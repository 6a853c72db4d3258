import CLinux
import Glibc

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
    }

    deinit {
        poller.forget(descriptor)
        close(descriptor)
    }

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
        setOption(IPPROTO_TCP, TCP_KEEPIDLE, 60)
        setOption(IPPROTO_TCP, TCP_KEEPINTVL, 15)
        setOption(IPPROTO_TCP, TCP_KEEPCNT, 4)
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

    private func sendSome(_ bytes: [UInt8], from start: Int) -> Int {
        bytes.withUnsafeBytes { bytes in
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            return Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
        }
    }

    /// Suspends until the peer has closed its end or the connection is broken; false if the wait ended otherwise.
    func waitForHangup() async -> Bool {
        await poller.wait(descriptor, for: .hangup, until: nil) == .ready
    }

    private func discard() -> Received {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { receive(into: $0) }
    }

    /// Says goodbye so that the peer gets to read what was sent: closing a socket with unread bytes in it makes the
    /// kernel send a reset, which throws away the response. Hence the peer's bytes are read and dropped until it
    /// closes, for a limited time and amount.
    func linger(for limit: Duration) async {
        guard shutdown(descriptor, Int32(SHUT_WR)) == 0 else { return }
        let deadline = ContinuousClock.now + limit
        var allowance = 64 << 20
        while allowance > 0 {
            switch discard() {
            case .bytes(let count): allowance -= count
            case .ended: return
            case .wouldBlock:
                guard await poller.wait(descriptor, for: .readable, until: deadline) == .ready else { return }
            }
            guard ContinuousClock.now < deadline else { return }
        }
    }
}
