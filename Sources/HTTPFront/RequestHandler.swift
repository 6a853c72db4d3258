/// What answers requests; the front knows nothing about routes or error formats.
package protocol RequestHandler: Sendable {
    /// Asked before the body is read. A response refuses the request: the body is not read, and the connection is
    /// closed if one was announced.
    func refuse(_ head: RequestHead) -> Response?

    /// Answers a request. The task is cancelled as soon as the client goes away.
    func respond(to request: Request) async -> Response

    /// Renders a fault of the front itself in the API's error format. `head` is nil if it could not be parsed.
    func response(to fault: HTTPFault, head: RequestHead?, requestID: String) -> Response

    /// Called once per finished request, for logs and metrics; must be quick. `head` is nil if it could not be
    /// parsed. The status is 499 if the response could not be delivered, mostly because the client left before it was
    /// complete.
    func finished(_ head: RequestHead?, status: Int, seconds: Double)
}
