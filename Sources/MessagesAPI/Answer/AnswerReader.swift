import Chat
import EngineContract
import Scheduling

/// Why an answer ended, in the API's terms.
struct StopReason: Sendable, Equatable {
    var name: String
    /// The stop sequence that was generated.
    var sequence: String?
}

/// How an answer ended.
struct Answer: Sendable {
    var stop: StopReason
    var usage: Usage
}

/// Reads a generation as blocks of content, by the rules of its request, and notes for the log what came.
struct AnswerReader: Sendable {
    enum Event {
        /// Never empty.
        case blocks([BlockEvent])
        /// Nothing came until the deadline.
        case idle
        /// Always the last.
        case end(Answer)
    }

    let record: RequestRecord
    private let generation: Generation
    private let promptTokens: Int
    private let promptKey: PromptKey?
    private let memory: AnswerMemory
    private var decoder: AnswerDecoder
    private var fold: AnswerFold
    private var hasBegun = false
    /// What was sampled so far, without the token that ended it.
    private var tokens: [Token] = []
    private var thinkingTokens = 0
    /// How many tokens had come when a stop sequence was whole.
    private var tokensUntilMatch: Int?
    /// Set once the last blocks have been given.
    private var answer: Answer?

    init(
        _ generation: Generation,
        prompt: ChatPrompt,
        decoder: AnswerDecoder,
        display: ThinkingDisplay,
        memory: AnswerMemory,
        record: RequestRecord
    ) {
        self.generation = generation
        promptTokens = prompt.tokens.count
        promptKey = prompt.key
        self.memory = memory
        self.decoder = decoder
        fold = AnswerFold(display)
        self.record = record
    }

    var initialUsage: Usage { Usage(promptTokens: promptTokens, cachedTokens: generation.cachedTokens, output: 0) }

    /// Ends the generation because nobody waits for it any more.
    func cancel() { generation.cancel() }

    /// Returns when the generation runs, or after `limit`.
    /// - Throws: `APIError` if it ended before without an answer, or the client left.
    func waitForStart(atMost limit: Duration) async throws(APIError) {
        await generation.waitForStart(atMost: limit)
        guard !Task.isCancelled else { throw .clientGone }
        if let reason = generation.finishReason { try check(reason) }
    }

    /// What comes next, or the end.
    /// - Throws: `APIError` if the generation broke off, `clientGone` if the task is cancelled.
    mutating func next(until deadline: ContinuousClock.Instant? = nil) async throws(APIError) -> Event {
        if let answer { return .end(answer) }
        if !hasBegun {
            hasBegun = true
            record.note { $0.cachedTokens = generation.cachedTokens }
        }
        while true {
            switch await generation.next(until: deadline) {
            case .timedOut: return .idle
            // The reading task is cancelled, and the session has ended with it.
            case .ended: throw .clientGone
            case .event(.token(let token)):
                let events = accept(token)
                if !events.isEmpty { return .blocks(events) }
            case .event(.finished(let summary)):
                let rest = try finish(summary)
                guard !rest.events.isEmpty else { return .end(rest.answer) }
                answer = rest.answer
                return .blocks(rest.events)
            }
        }
    }

    /// What a token makes certain.
    private mutating func accept(_ token: Token) -> [BlockEvent] {
        guard tokensUntilMatch == nil else { return [] }
        tokens.append(token)
        record.count(tokens.count)
        // The markers around thinking count as thinking.
        let wasThinking = decoder.isThinking
        let parts = decoder.push(token)
        if wasThinking || decoder.isThinking { thinkingTokens += 1 }
        if decoder.matchedSequence != nil {
            tokensUntilMatch = tokens.count
            generation.stop()
        }
        return parts.flatMap { fold.add($0) }
    }

    private mutating func finish(
        _ summary: GenerationSummary
    ) throws(APIError) -> (events: [BlockEvent], answer: Answer) {
        let outputTokens = tokensUntilMatch ?? summary.generatedTokens
        record.note { ($0.cachedTokens, $0.outputTokens) = (summary.cachedTokens, outputTokens) }
        if tokensUntilMatch == nil { try check(summary.reason) }
        let isCut = summary.reason == .maxTokens || summary.reason == .contextFull
        let events = decoder.finish(isCut: isCut).flatMap { fold.add($0) } + fold.finish()
        var usage = Usage(promptTokens: promptTokens, cachedTokens: summary.cachedTokens, output: outputTokens)
        usage.thinking = thinkingTokens
        record.note { $0.thinkingTokens = thinkingTokens }
        remember()
        return (events, Answer(stop: stopReason(summary.reason), usage: usage))
    }

    /// For the conversation's next turn, which is to begin with the tokens that are in the cache.
    private func remember() {
        if let promptKey { memory.keep(tokens, after: promptKey) }
        for call in fold.calls { memory.keep(arguments: call.arguments, ofCall: call.id) }
    }

    /// Throws if the answer is not whole.
    private func check(_ reason: FinishReason) throws(APIError) {
        switch reason {
        case .stopToken, .maxTokens, .contextFull, .stopped: return
        case .cancelled: throw .clientGone
        case .displaced: throw .overloaded(retryAfterSeconds: 2)
        case .shutdown: throw .shuttingDown
        case .failed: throw .internal
        }
    }

    /// Clients run tools only where a finished call is the reason, so that comes first; but of an answer that was cut
    /// within a call they must learn that.
    private func stopReason(_ reason: FinishReason) -> StopReason {
        if !fold.calls.isEmpty, !fold.hasCutCall { return StopReason(name: "tool_use") }
        if let sequence = decoder.matchedSequence { return StopReason(name: "stop_sequence", sequence: sequence) }
        return switch reason {
        case .maxTokens: StopReason(name: "max_tokens")
        case .contextFull: StopReason(name: "model_context_window_exceeded")
        default: StopReason(name: "end_turn")
        }
    }
}
