/// Answers requests; the server itself knows nothing of routes or error formats.
package protocol RequestHandler: Sendable {
    /// Decides about a request by its head, before the body is read. Called once per request: what the handler learns
    /// from the head is kept in the value with which it accepts the request.
    func admit(_ head: RequestHead) -> Admission

    /// Renders an error of the server itself, which kept a request's head from being read, in the API's error format.
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

/// A request that a handler has accepted, with everything the handler learned from its head.
package protocol AcceptedRequest: Sendable {
    /// The client's name, by which shared resources are divided fairly; nil if the client cannot be identified.
    var client: String? { get }

    /// Answers the request. The task is cancelled as soon as the client disconnects.
    func respond(with body: [UInt8]) async -> Response

    /// Renders an error of the server itself in the API's error format.
    func response(to fault: HTTPFault) -> Response
}

/// A request that has been answered, refused or abandoned.
package struct FinishedRequest: Sendable {
    /// Nil if it could not be parsed.
    package var head: RequestHead?
    package var requestID: String
    /// The client's address, without its port.
    package var peer: String
    /// 499 if the response could not be delivered, mostly because the client disconnected.
    package var status: Int
    /// When its first byte arrived.
    package var started: ContinuousClock.Instant
    package var seconds: Double
    /// The `record` of the handler's response.
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
