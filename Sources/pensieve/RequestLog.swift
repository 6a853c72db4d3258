import HTTPFront

/// A handler that also writes one line for each request, on a queue of its own so that a stuck terminal stalls nobody.
struct RequestLog: RequestHandler {
    let handler: any RequestHandler

    init(_ handler: any RequestHandler) { self.handler = handler }

    func refuse(_ head: RequestHead) -> Response? { handler.refuse(head) }
    func client(of head: RequestHead) -> String? { handler.client(of: head) }
    func respond(to request: Request) async -> Response { await handler.respond(to: request) }
    func response(to fault: HTTPFault, head: RequestHead?, requestID: String) -> Response {
        handler.response(to: fault, head: head, requestID: requestID)
    }

    func finished(_ head: RequestHead?, status: Int, seconds: Double) {
        handler.finished(head, status: status, seconds: seconds)
        let what = head.map { "\($0.method) \($0.path) \($0.requestID)" } ?? "malformed request"
        let milliseconds = (seconds * 10_000).rounded() / 10
        LineWriter.standardError.write("\(status) \(what) \(milliseconds) ms")
    }
}
