import Synchronization

/// A response. The server adds framing (`content-length`, chunks, `connection`), `date` and `request-id`.
package struct Response: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// The head is sent, then the closure runs; its task is cancelled when the client disconnects. If it throws,
        /// the connection is closed without the final chunk, so that the client sees a truncated stream.
        case stream(@Sendable (BodyWriter) async throws -> Void)
    }

    package var status: Int
    package var headers: Headers
    package var body: Body
    /// The handler's own record of the request, passed on to `RequestHandler.finished`.
    package var record: (any Sendable)?

    package init(status: Int, headers: Headers = [:], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// The writing end of a streamed response body.
///
/// Each write is sent without buffering and returns when the kernel has accepted all of it: a slow reader slows the
/// writer down (back-pressure). Only one task may write at a time.
package final class BodyWriter: Sendable {
    /// Thrown by a write after the stream has ended.
    package struct Closed: Error {}

    private struct State {
        var hasFailed = false
        /// Nil once the stream has ended, so that a writer that is kept longer does not keep the connection open.
        var sink: Sink?

        /// The sink for the next write; if there is none, that write has failed.
        mutating func open() -> Sink? {
            if sink == nil { hasFailed = true }
            return sink
        }

        mutating func fail() {
            sink = nil
            hasFailed = true
        }
    }

    package typealias Sink = @Sendable ([UInt8]) async throws -> Void

    private let state: Mutex<State>

    /// A writer that passes every write to `sink`: the server's, or a test's.
    package init(sink: @escaping Sink) {
        state = Mutex(State(sink: sink))
    }

    /// Sends the bytes.
    /// - Throws: `Closed` after the end of the stream, or the error of the sink: the server's throws `SendError` if the
    ///   client is gone or accepts nothing for `Limits.writeStallTimeout`.
    package func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        guard let sink = state.withLock({ $0.open() }) else { throw Closed() }
        do {
            try await sink(bytes)
        } catch {
            // A part may have been sent: further bytes would be read as the rest of the chunk.
            state.withLock { $0.fail() }
            throw error
        }
    }

    /// Makes every later write throw.
    func close() {
        state.withLock { $0.sink = nil }
    }

    /// Whether a write has failed.
    var hasFailed: Bool { state.withLock { $0.hasFailed } }
}
