/// What answers requests; the front knows nothing about routes or error formats.
package protocol RequestHandler: Sendable {
    /// Asked before the body is read. A response refuses the request: the body is not read, and the connection is
    /// closed if one was announced.
    func refuse(_ head: RequestHead) -> Response?

    /// The name of a client that was let in (`refuse` returned nil), for shares of what all have in common; nil for
    /// one that anybody could be.
    func client(of head: RequestHead) -> String?

    /// Answers a request. The task is cancelled as soon as the client goes away.
    func respond(to request: Request) async -> Response

    /// Renders a fault of the front itself in the API's error format. `head` is nil if it could not be parsed.
    func response(to fault: HTTPFault, head: RequestHead?, requestID: String) -> Response

    /// Called once per finished request, for logs and metrics; must be quick.
    func finished(_ request: FinishedRequest)
}

/// A request that is over.
package struct FinishedRequest: Sendable {
    /// Nil if it could not be parsed.
    package var head: RequestHead?
    package var requestID: String
    /// The client's address, without its port.
    package var peer: String
    /// 499 if the response could not be delivered, mostly because the client left before it was complete.
    package var status: Int
    /// When its first byte came.
    package var started: ContinuousClock.Instant
    package var seconds: Double
    /// What the handler gave its response for this moment.
    package var record: (any Sendable)?

    package init(
        head: RequestHead?,
        requestID: String = "req_test",
        peer: String = "127.0.0.1",
        status: Int,
        started: ContinuousClock.Instant = .now,
        seconds: Double,
        record: (any Sendable)? = nil
    ) {
        self.head = head
        self.requestID = requestID
        self.peer = peer
        self.status = status
        self.started = started
        self.seconds = seconds
        self.record = record
    }
}

extension RequestHandler {
    /// Where nothing else tells clients apart, their addresses do.
    package func client(of head: RequestHead) -> String? { head.peer }
}
