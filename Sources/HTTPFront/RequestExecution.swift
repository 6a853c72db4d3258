import Platform
import Synchronization

/// Runs the handler for one request and sends its response; cancels both when the client disconnects.
struct RequestExecution {
    private enum Event {
        case answered(Response, ResponseSender.Delivery)
        case clientDisconnected
        case stoppedWatching
    }

    let socket: Socket
    let head: RequestHead
    let responses: ResponseSender

    /// - Returns: the response for logs, with status 499 if it did not reach the client, and what follows for the
    ///   connection.
    func run(
        _ request: any AcceptedRequest,
        body: [UInt8],
        keepsAlive: Bool
    ) async -> (response: Response, delivery: ResponseSender.Delivery) {
        let detector = DisconnectDetector(socket, request: head)
        var outcome = (response: Response(status: 499), delivery: ResponseSender.Delivery.failed)
        await withTaskGroup(of: Event.self) { [head, responses] group in
            group.addTask {
                let response = await request.respond(with: body)
                let delivery = await responses.send(
                    response,
                    after: detector.beginResponse(),
                    to: head,
                    keepsAlive: keepsAlive
                )
                return .answered(response, delivery)
            }
            group.addTask { await detector.waitForDisconnect() ? .clientDisconnected : .stoppedWatching }
            var isDisconnected = false
            for await event in group {
                switch event {
                case .answered(var response, let delivery):
                    if delivery == .failed { response.status = 499 }
                    // A delivered response counts even if the disconnect is seen first: a client may close as soon as
                    // it has the whole response. There will be no further request then.
                    outcome = (response, isDisconnected && delivery == .keepAlive ? .close : delivery)
                    group.cancelAll()
                case .clientDisconnected:
                    isDisconnected = true
                    group.cancelAll()
                case .stoppedWatching: break
                }
            }
        }
        return outcome
    }
}

/// Detects that the client of a request in progress has disconnected.
///
/// A client that shuts down its sending side may still wait for the response, or may be gone: the kernel reports both
/// alike. Sending something tells them apart, as a client that is gone answers with a reset. A stream's writes do that;
/// before the response has begun, `100 Continue` is sent, which a client has to skip (RFC 9110 §15.2).
final class DisconnectDetector: Sendable {
    private enum Progress: Sendable {
        /// The response has not begun; `unsent` is the rest of a `100 Continue` that was sent in part.
        case waiting(unsent: [UInt8])
        case begun
    }

    private static let probe = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
    /// How long to wait for a reset before the next probe; doubled each time.
    private static let probeIntervals: ClosedRange<Duration> = .seconds(1) ... .seconds(30)

    private let socket: Socket
    /// HTTP/1.0 has no `100 Continue`.
    private let mayProbe: Bool
    /// A probe is sent under this lock, so that it cannot end up inside the response.
    private let progress = Mutex(Progress.waiting(unsent: []))

    init(_ socket: Socket, request: RequestHead) {
        self.socket = socket
        mayProbe = request.minorVersion > 0
    }

    /// Must be called before the response is sent: there are no probes from then on.
    /// - Returns: bytes that must be sent before the response.
    func beginResponse() -> [UInt8] {
        progress.withLock { progress in
            defer { progress = .begun }
            guard case .waiting(let unsent) = progress else { return [] }
            return unsent
        }
    }

    /// Suspends until the client is gone; false if the wait ended for another reason.
    func waitForDisconnect() async -> Bool {
        guard await socket.poller.wait(socket.descriptor, for: .hangup, until: nil) == .ready else { return false }
        // Where nothing is sent, TCP keep-alive finds out; more often than before, now that there is reason to ask.
        StreamSocket.keepAlive(socket.descriptor, afterSeconds: 5, everySeconds: 5)
        var interval = Self.probeIntervals.lowerBound
        while true {
            guard sendProbe() else { return true }
            switch await socket.poller.wait(socket.descriptor, for: .broken, until: .now + interval) {
            case .ready: return true
            case .timedOut: interval = min(interval * 2, Self.probeIntervals.upperBound)
            case .cancelled, .interrupted, .closed: return false
            }
        }
    }

    /// Sends a probe if the socket takes bytes now. False if the client is gone.
    private func sendProbe() -> Bool {
        guard mayProbe else { return true }
        return progress.withLock { progress in
            // Bytes in the socket's buffer are a probe already.
            guard case .waiting(let unsent) = progress, unsent.isEmpty else { return true }
            let sent = socket.sendSome(Self.probe)
            if sent > 0 { progress = .waiting(unsent: Array(Self.probe[sent...])) }
            return sent >= 0 || errno == EAGAIN || errno == EINTR
        }
    }
}
