package import EngineContract

/// A session's answer as it is made. Leaving it (cancelling the reading task, dropping the value, or calling `cancel`)
/// ends the session within a step. Only one task may read it.
package struct Generation: AsyncSequence, Sendable {
    package typealias Element = GenerationEvent
    package typealias Failure = Never

    /// What `next(until:)` gives.
    package enum Reading: Sendable, Equatable {
        case event(GenerationEvent)
        case timedOut
        /// The last event has been read, or the reading task is cancelled.
        case ended
    }

    /// Ends the session when the last copy of the generation and its iterators is gone.
    final class Reader: Sendable {
        let channel: TokenChannel

        init(_ channel: TokenChannel) { self.channel = channel }

        deinit { channel.abandon() }
    }

    package let id: SessionID
    /// Prompt tokens that the prefix cache had when the request came; the summary tells what was used in the end.
    package let cachedTokens: Int
    let reader: Reader

    /// Why the session ended, if it has.
    package var finishReason: FinishReason? { reader.channel.finishReason }

    /// Ends the session because nobody waits for it any more.
    package func cancel() { reader.channel.end(.cancelled) }

    /// Ends the session because the answer is whole.
    package func stop() { reader.channel.end(.stopped) }

    /// Returns when the session runs for the first time or has ended, after `limit` in any case. Cancelling the task ends the
    /// session.
    package func waitForStart(atMost limit: Duration) async {
        await reader.channel.waitForStart(until: .now + limit)
    }

    /// The next event, or `timedOut` if none comes until `deadline`.
    package func next(until deadline: ContinuousClock.Instant?) async -> Reading {
        await reader.channel.read(until: deadline)
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        let reader: Reader

        package mutating func next(isolation actor: isolated (any Actor)?) async -> GenerationEvent? {
            guard case .event(let event) = await reader.channel.read() else { return nil }
            return event
        }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(reader: reader) }
}
