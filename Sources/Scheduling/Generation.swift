package import EngineContract
import Synchronization

/// A session's answer as it is made. Iterating it acknowledges delivery; leaving it (cancelling the consuming task,
/// dropping the value, or calling `cancel`) ends the session within a step.
package struct Generation: AsyncSequence, Sendable {
    package typealias Element = GenerationEvent
    package typealias Failure = Never

    package let id: SessionID
    /// Prompt tokens that the prefix cache held when the request came; the summary tells what was used in the end.
    package let cachedTokens: Int
    let stream: AsyncStream<GenerationEvent>
    let delivery: Delivery

    /// Ends the session because nobody waits for it any more.
    package func cancel() { delivery.leave(.cancelled) }

    /// Ends the session because the answer is whole.
    package func stop() { delivery.leave(.stopped) }

    package struct AsyncIterator: AsyncIteratorProtocol {
        var iterator: AsyncStream<GenerationEvent>.Iterator
        let delivery: Delivery

        package mutating func next(isolation actor: isolated (any Actor)?) async -> GenerationEvent? {
            guard let event = await iterator.next(isolation: actor) else { return nil }
            delivery.acknowledge()
            return event
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(iterator: stream.makeAsyncIterator(), delivery: delivery)
    }
}

/// The bounded way from the Scheduler to one reader.
///
/// A token is never dropped: the stream's buffer has no bound of its own, but the Scheduler gives no more turns to a
/// session whose window is full, and the reader wakes it when half of the window is free again.
final class Delivery: Sendable {
    private let window: Int
    private let inFlight = Atomic<Int>(0)
    private let paused = Atomic<Bool>(false)
    private let continuation: AsyncStream<GenerationEvent>.Continuation
    private let wake: @Sendable () -> Void
    /// Ends the session for this reason.
    let leave: @Sendable (FinishReason) -> Void

    init(
        window: Int,
        continuation: AsyncStream<GenerationEvent>.Continuation,
        wake: @escaping @Sendable () -> Void,
        leave: @escaping @Sendable (FinishReason) -> Void
    ) {
        self.window = window
        self.continuation = continuation
        self.wake = wake
        self.leave = leave
    }

    func send(_ token: Token) {
        inFlight.add(1, ordering: .relaxed)
        continuation.yield(.token(token))
    }

    func finish(_ summary: GenerationSummary) {
        continuation.yield(.finished(summary))
        continuation.finish()
    }

    /// Whether another token may be made; if not, the session counts as paused until the reader has caught up.
    func hasRoom() -> Bool {
        guard inFlight.load(ordering: .acquiring) >= window else { return true }
        paused.store(true, ordering: .sequentiallyConsistent)
        // The reader may have caught up between the two: then its wake-up was not sent.
        guard inFlight.load(ordering: .sequentiallyConsistent) < window else { return false }
        paused.store(false, ordering: .relaxed)
        return true
    }

    func acknowledge() {
        let left = inFlight.subtract(1, ordering: .sequentiallyConsistent).newValue
        guard left <= window / 2, paused.exchange(false, ordering: .sequentiallyConsistent) else { return }
        wake()
    }
}
