import HTTPFront
import Synchronization

/// Writes one answer as a stream of events, with a `ping` whenever nothing else was sent for a while.
struct MessageStream: Sendable {
    let source: AnswerSource
    let encoder: EventEncoder
    let pingInterval: Duration

    /// Runs to the end of the stream.
    /// - Throws: what the writer throws when the client is gone; faults of the generation become an `error` event.
    func run(_ writer: BodyWriter) async throws {
        // At once: a prompt may take minutes to compute, and clients give up on servers that say nothing.
        try await writer.write(encoder.messageStart(source.initialUsage) + EventEncoder.ping)
        let lastWrite = LastWrite()
        try await writer.write(body(writer, lastWrite))
    }

    /// Writes the text.
    /// - Returns: the events that end the stream; the pings have ended when it returns, so nothing comes after them.
    private func body(_ writer: BodyWriter, _ lastWrite: LastWrite) async throws -> [UInt8] {
        var encoder = encoder
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [pingInterval] in try await MessageStream.ping(writer, lastWrite, every: pingInterval) }
            do {
                let answer = try await source.read { piece in
                    try await writer.write(encoder.text(piece))
                    lastWrite.touch()
                }
                group.cancelAll()
                return encoder.end(answer)
            } catch let error as APIError {
                group.cancelAll()
                source.record.note { $0.error = error }
                return encoder.error(error)
            }
        }
    }

    private static func ping(_ writer: BodyWriter, _ lastWrite: LastWrite, every interval: Duration) async throws {
        while true {
            let due = lastWrite.time + interval
            if due > .now {
                do { try await Task.sleep(until: due, clock: .continuous) } catch { return }
                continue
            }
            // A task of its own: this one is cancelled when the text ends, and must not tear a write apart.
            try await Task { try await writer.write(EventEncoder.ping) }.value
            lastWrite.touch()
        }
    }
}

/// When something was last sent.
private final class LastWrite: Sendable {
    private let instant = Mutex(ContinuousClock.now)

    var time: ContinuousClock.Instant { instant.withLock { $0 } }
    func touch() { instant.withLock { $0 = .now } }
}
