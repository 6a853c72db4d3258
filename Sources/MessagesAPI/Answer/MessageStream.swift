import HTTPFront

/// Writes one answer as a stream of events, with a `ping` whenever nothing else was sent for a while.
struct MessageStream: Sendable {
    let reader: AnswerReader
    let encoder: EventEncoder
    let pingInterval: Duration

    var response: Response {
        Response(
            status: 200,
            headers: [
                "content-type": "text/event-stream", "cache-control": "no-cache",
                // nginx would hold the events back and send them in one go.
                "x-accel-buffering": "no",
            ],
            body: .stream { writer in try await write(to: writer) }
        )
    }

    /// Writes to the end of the stream. A generation that breaks off becomes an `error` event.
    /// - Throws: what the writer throws when the client is gone.
    private func write(to writer: BodyWriter) async throws {
        do {
            try await writeEvents(to: writer)
        } catch let error as APIError where error != .clientGone {
            reader.record.note { $0.error = error }
            try await writer.write(encoder.error(error))
        } catch {
            reader.cancel()
            throw error
        }
    }

    private func writeEvents(to writer: BodyWriter) async throws {
        var reader = reader
        // At once: a prompt may take minutes to compute, and clients give up on servers that say nothing.
        try await writer.write(encoder.messageStart(reader.initialUsage) + EventEncoder.ping)
        while true {
            switch try await reader.next(until: .now + pingInterval) {
            case .blocks(let events): try await writer.write(encoder.blocks(events))
            case .idle: try await writer.write(EventEncoder.ping)
            case .end(let answer): return try await writer.write(encoder.end(answer))
            }
        }
    }
}
