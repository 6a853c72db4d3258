import Platform
import Synchronization

/// Watches whether the client of a request that is being answered is still there.
///
/// A client that closes its sending side may do so because it has said all, or because it is gone: the kernel reports
/// both alike. Only what is sent to it tells: a client that is gone answers with a reset. What a stream writes is enough
/// for that; while there is no answer yet, `100 Continue` is sent, which a client has to skip (RFC 9110 §15.2).
final class ClientWatch: Sendable {
    private enum Answer: Sendable {
        /// It has not begun; what is left of a `100 Continue` has to go out first.
        case awaited(owed: [UInt8])
        case begun
    }

    private static let question = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
    /// How long to wait for a reset before the question is asked again.
    private static let pauses: ClosedRange<Duration> = .seconds(1) ... .seconds(30)

    private let socket: Socket
    /// Clients of HTTP/1.0 do not know such answers.
    private let mayAsk: Bool
    /// A question is sent under this lock, so that it never comes into the middle of the answer.
    private let answer = Mutex(Answer.awaited(owed: []))

    init(_ socket: Socket, request: RequestHead) {
        self.socket = socket
        mayAsk = request.minorVersion > 0
    }

    /// The answer begins: no more questions.
    /// - Returns: what has to be sent before it.
    func beginAnswer() -> [UInt8] {
        answer.withLock { answer in
            defer { answer = .begun }
            guard case .awaited(let owed) = answer else { return [] }
            return owed
        }
    }

    /// Suspends until the client is gone; false if the wait ended otherwise.
    func waitUntilGone() async -> Bool {
        guard await socket.poller.wait(socket.descriptor, for: .hangup, until: nil) == .ready else { return false }
        // Where nothing is sent, the kernel's questions find out after a minute or so.
        StreamSocket.keepAlive(socket.descriptor, afterSeconds: 5, everySeconds: 5)
        var pause = Self.pauses.lowerBound
        while true {
            guard ask() else { return true }
            switch await socket.poller.wait(socket.descriptor, for: .broken, until: .now + pause) {
            case .ready: return true
            case .timedOut: pause = min(pause * 2, Self.pauses.upperBound)
            case .cancelled, .interrupted, .closed: return false
            }
        }
    }

    /// Sends something to the client, if that can be done now. False if it is gone.
    private func ask() -> Bool {
        guard mayAsk else { return true }
        return answer.withLock { answer in
            // What is owed still is question enough.
            guard case .awaited(let owed) = answer, owed.isEmpty else { return true }
            let sent = socket.sendSome(Self.question)
            if sent > 0 { answer = .awaited(owed: Array(Self.question[sent...])) }
            return sent >= 0 || errno == EAGAIN || errno == EINTR
        }
    }
}
