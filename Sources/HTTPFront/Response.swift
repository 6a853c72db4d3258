/// An answer. Framing (`content-length`, chunks, `connection`), `date` and `request-id` are the front's job.
package struct Response: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// The head is sent at once, then the closure runs; its task is cancelled when the client goes away. If it
        /// throws, the connection is closed without the final chunk, so that the client sees a broken stream.
        case stream(@Sendable (BodyWriter) async throws -> Void)
    }

    package var status: Int
    package var headers: Headers
    package var body: Body
    /// The handler's own notes on the request; the front only carries them to `RequestHandler.finished`.
    package var record: (any Sendable)?

    package init(status: Int, headers: Headers = [:], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
