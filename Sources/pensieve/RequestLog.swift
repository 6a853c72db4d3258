import Dispatch
import HTTPFront
import Synchronization

/// A handler that also writes one line for each request, on a queue of its own so that a stuck terminal stalls nobody.
struct RequestLog: RequestHandler {
    let handler: any RequestHandler
    private let writer = LineWriter()

    init(_ handler: any RequestHandler) { self.handler = handler }

    func refuse(_ head: RequestHead) -> Response? { handler.refuse(head) }
    func respond(to request: Request) async -> Response { await handler.respond(to: request) }
    func response(to fault: HTTPFault, requestID: String) -> Response {
        handler.response(to: fault, requestID: requestID)
    }

    func finished(_ head: RequestHead?, status: Int, seconds: Double) {
        handler.finished(head, status: status, seconds: seconds)
        let what = head.map { "\($0.method) \($0.path) \($0.requestID)" } ?? "malformed request"
        let milliseconds = (seconds * 10_000).rounded() / 10
        writer.write("\(status) \(what) \(milliseconds) ms")
    }
}

/// Writes lines to standard error, one after another; while it is stuck, some wait, and what is more is only counted.
private final class LineWriter: Sendable {
    private static let mostWaiting = 4096

    private struct State {
        var waiting = 0
        var leftOut = 0
    }

    private let queue = DispatchQueue(label: "pensieve.log")
    private let state = Mutex(State())

    func write(_ line: String) {
        let fits = state.withLock { state in
            let fits = state.waiting < Self.mostWaiting
            if fits { state.waiting += 1 } else { state.leftOut += 1 }
            return fits
        }
        guard fits else { return }
        queue.async { @Sendable [self] in
            Terminal.error(line)
            let leftOut = state.withLock { state in
                state.waiting -= 1
                defer { state.leftOut = 0 }
                return state.leftOut
            }
            if leftOut > 0 { Terminal.error("\(leftOut) lines left out here: standard error was stuck") }
        }
    }
}
