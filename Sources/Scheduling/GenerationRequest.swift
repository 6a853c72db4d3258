package import EngineContract

/// A request for an answer to a prompt.
package struct GenerationRequest: Sendable {
    /// The name of the client: clients take turns.
    package var client: String
    package var prompt: [Token]
    /// The most tokens to sample; 0 computes the prompt only. Clamped to what the context leaves.
    package var maxTokens: Int
    /// Tokens that end the answer; they are counted but not delivered.
    package var stopTokens: Set<Token>
    package var sampling: SamplingParameters
    /// What the answer may be; nil: anything.
    package var constraint: (any TokenConstraint)?

    package init(
        client: String,
        prompt: [Token],
        maxTokens: Int,
        stopTokens: Set<Token>,
        sampling: SamplingParameters = .greedy,
        constraint: (any TokenConstraint)? = nil
    ) {
        self.client = client
        self.prompt = prompt
        self.maxTokens = maxTokens
        self.stopTokens = stopTokens
        self.sampling = sampling
        self.constraint = constraint
    }
}

package enum FinishReason: Sendable, Equatable {
    case stopToken(Token)
    case maxTokens
    /// The context filled up before `maxTokens` was reached.
    case contextFull
    /// The reader has all that it wants: a stop sequence came.
    case stopped
    /// Nobody waits for the answer any more.
    case cancelled
    /// The queue was full of the client's sessions, and its newest made room for another client's.
    case displaced
    /// The server shut down before the session ended.
    case shutdown
    case failed(String)
}

/// How a session ended.
package struct GenerationSummary: Sendable, Equatable {
    package var reason: FinishReason
    package var promptTokens: Int
    /// Prompt tokens taken from the prefix cache when the session first ran.
    package var cachedTokens: Int
    /// Every token of the answer, sampled or forced, a stop token too.
    package var generatedTokens: Int

    package init(reason: FinishReason, promptTokens: Int, cachedTokens: Int, generatedTokens: Int) {
        self.reason = reason
        self.promptTokens = promptTokens
        self.cachedTokens = cachedTokens
        self.generatedTokens = generatedTokens
    }
}

package enum GenerationEvent: Sendable, Equatable {
    case token(Token)
    /// Always the last, exactly once.
    case finished(GenerationSummary)
}

/// Why a request was not admitted.
package enum AdmissionError: Error, Sendable, Equatable {
    case queueFull(retryAfterSeconds: Int)
    /// The prompt and one more token do not fit into the context, or not into the whole KV memory.
    case promptTooLong(tokens: Int, maximum: Int)
    case emptyPrompt
    case invalidToken(Token)
    case shuttingDown
}
