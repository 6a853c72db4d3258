/// Answers requests; the server itself knows nothing of routes or error formats.
package protocol RequestHandler: Sendable {
    /// Called before the body is read. A response refuses the request: the body is not read, and the connection is
    /// closed if one was announced.
    func refuse(_ head: RequestHead) -> Response?

    /// The name of the client of a request that was not refused, by which shared resources are divided fairly; nil if
    /// the client cannot be identified.
    func client(of head: RequestHead) -> String?

    /// Answers a request. The task is cancelled as soon as the client disconnects.
    func respond(to request: Request) async -> Response

    /// Renders an error of the server itself in the API's error format. `head` is nil if it could not be parsed.
    func response(to fault: HTTPFault, head: RequestHead?, requestID: String) -> Response

    /// Called once per finished request, for logs and metrics; must be quick.
    func finished(_ request: FinishedRequest)
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

extension RequestHandler {
    /// By default clients are told apart by their addresses.
    package func client(of head: RequestHead) -> String? { head.peer }
}
