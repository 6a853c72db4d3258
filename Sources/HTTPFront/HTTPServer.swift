/// The HTTP front: owns the listener, the connections and the limits. Each connection runs in a task of its own.
package actor HTTPServer {
    private let handler: any RequestHandler
    private let limits: Limits

    package init(handler: any RequestHandler, limits: Limits = Limits()) {
        self.handler = handler
        self.limits = limits
    }

    /// Binds the listening socket; port 0 takes any. Returns the port bound.
    package func bind(host: String, port: UInt16) async throws(HTTPServerError) -> UInt16 {
        throw HTTPServerError("not yet implemented")
    }

    /// Accepts connections until `stopAccepting` or `closeAll`; returns when all of them have ended.
    package func run() async {}

    /// Closes the listener and the idle connections; running requests end with `connection: close`.
    package func stopAccepting() {}

    /// Cancels every connection.
    package func closeAll() {}

    package var connectionCount: Int { 0 }
}
