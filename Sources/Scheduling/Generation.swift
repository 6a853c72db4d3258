package import EngineContract

/// What a client asks for: a prompt in tokens and the rules for its answer.
package struct GenerationRequest: Sendable {
    /// Whom the work is for. Clients take turns, whatever number of sessions each has.
    package var client: String
    /// Never empty.
    package var prompt: [Token]
    /// 0 computes the prompt and samples nothing.
    package var maxTokens: Int
    package var stopTokens: Set<Token>
    package var sampling: SamplingParameters

    package init(
        client: String,
        prompt: [Token],
        maxTokens: Int,
        stopTokens: Set<Token> = [],
        sampling: SamplingParameters = .greedy
    ) {
        self.client = client
        self.prompt = prompt
        self.maxTokens = maxTokens
        self.stopTokens = stopTokens
        self.sampling = sampling
    }
}

/// Why a session ended.
package enum FinishReason: Sendable, Equatable {
    case stopToken(Token)
    /// As many tokens as were asked for.
    case maxTokens
    /// Fewer than asked for: the context, or the whole KV memory, is full.
    case contextFull
    case cancelled
    case shutdown
    case failed(String)
}

package struct GenerationSummary: Sendable, Equatable {
    package var reason: FinishReason
    package var promptTokens: Int
    /// Tokens of the prompt that were found computed and not computed again.
    package var cachedTokens: Int
    /// Every token sampled, a stop token included.
    package var generatedTokens: Int

    package init(reason: FinishReason, promptTokens: Int, cachedTokens: Int, generatedTokens: Int) {
        self.reason = reason
        self.promptTokens = promptTokens
        self.cachedTokens = cachedTokens
        self.generatedTokens = generatedTokens
    }
}

package enum GenerationEvent: Sendable, Equatable {
    /// A sampled token. Stop tokens are not delivered.
    case token(Token)
    /// The last event.
    case finished(GenerationSummary)
}

/// A running session as its one reader sees it.
///
/// Reading an event acknowledges it: a session whose reader falls a window behind pauses until the reader catches up.
/// The session ends early when the reading task is cancelled, on `cancel()`, and when the last copy of this value is
/// released. Leaving the loop while a copy lives does not end it: call `cancel()`.
package struct Generation: AsyncSequence, Sendable {
    package typealias Element = GenerationEvent
    package typealias Failure = Never

    package let id: SessionID
    /// Tokens of the prompt that were found computed when the request was submitted.
    package let cachedTokens: Int

    private let stream: AsyncStream<GenerationEvent>
    private let window: DeliveryWindow
    private let scheduler: Scheduler

    init(
        id: SessionID,
        cachedTokens: Int,
        stream: AsyncStream<GenerationEvent>,
        window: DeliveryWindow,
        scheduler: Scheduler
    ) {
        self.id = id
        self.cachedTokens = cachedTokens
        self.stream = stream
        self.window = window
        self.scheduler = scheduler
    }

    /// Ends the session; its blocks are free within one step. Harmless when it has ended.
    package func cancel() {
        Task { [scheduler, id] in await scheduler.cancel(id) }
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(base: stream.makeAsyncIterator(), window: window, scheduler: scheduler)
    }

    package struct Iterator: AsyncIteratorProtocol {
        package typealias Failure = Never

        private var base: AsyncStream<GenerationEvent>.Iterator
        private let window: DeliveryWindow
        private let scheduler: Scheduler

        init(base: AsyncStream<GenerationEvent>.Iterator, window: DeliveryWindow, scheduler: Scheduler) {
            self.base = base
            self.window = window
            self.scheduler = scheduler
        }

        package mutating func next() async -> GenerationEvent? {
            await next(isolation: #isolation)
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async -> GenerationEvent? {
            let event = await base.next(isolation: actor)
            if case .token = event, window.acknowledge() {
                Task { [scheduler] in await scheduler.wake() }
            }
            return event
        }
    }
}
