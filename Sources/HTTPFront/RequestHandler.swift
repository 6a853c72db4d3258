/// What answers requests; the front knows nothing about routes or error formats.
package protocol RequestHandler: Sendable {
    /// Decides about a request by its head, before the body is read. Called once for each request: what the handler finds
    /// out about it stays in the value that it accepts the request with.
    func admit(_ head: RequestHead) -> Admission

    /// Renders a fault of the front itself, which kept a request's head from being read, in the API's error format.
    func response(to fault: HTTPFault, requestID: String) -> Response

    /// Called once per finished request, for logs and metrics; must be quick.
    func finished(_ request: FinishedRequest)
}

/// What a handler decided about a request by its head.
package enum Admission: Sendable {
    /// The body is not read, and the connection is closed if one was announced.
    case refused(Response)
    case accepted(any AcceptedRequest)
}

/// A request that a handler has accepted, with all that the handler found out about it by its head.
package protocol AcceptedRequest: Sendable {
    /// The client's name, for shares of what all clients have in common; nil for one that anybody could be.
    var client: String? { get }

    /// Answers the request. The task is cancelled as soon as the client goes away.
    func respond(with body: [UInt8]) async -> Response

    /// Renders a fault of the front itself in the API's error format.
    func response(to fault: HTTPFault) -> Response
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
