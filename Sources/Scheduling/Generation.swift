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

    /// Returns when the session has its first seat or has ended; after `limit`, or when the task is cancelled, anyhow.
    /// To be called once.
    package func waitForTurn(atMost limit: Duration) async {
        await withTaskGroup(of: Void.self) { [delivery] group in
            group.addTask { for await _ in delivery.turn {} }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Why the session ended, if it has.
    package var endReason: FinishReason? { delivery.endReason.withLock { $0 } }

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
