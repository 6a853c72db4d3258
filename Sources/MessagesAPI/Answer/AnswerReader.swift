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

/// Reads a generation as text, by the rules of its request, and notes for the log what came.
struct AnswerReader: Sendable {
    enum Event {
        /// Never empty.
        case text(String)
        /// No text came until the deadline.
        case idle
        /// Always the last.
        case end(Answer)
    }

    let record: RequestRecord
    private let generation: Generation
    private let promptTokens: Int
    private var text: AnswerText
    private var hasBegun = false
    private var tokenCount = 0
    /// How many tokens had come when a stop sequence was whole.
    private var tokensUntilMatch: Int?
    /// Set once the last text has been given.
    private var answer: Answer?

    init(_ generation: Generation, promptTokens: Int, text: AnswerText, record: RequestRecord) {
        self.generation = generation
        self.promptTokens = promptTokens
        self.text = text
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

    /// The next text, or the end.
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
                if let text = accept(token) { return .text(text) }
            case .event(.finished(let summary)):
                let rest = try finish(summary)
                if !rest.text.isEmpty {
                    answer = rest.answer
                    return .text(rest.text)
                }
                return .end(rest.answer)
            }
        }
    }

    /// The text that a token makes certain, if any.
    private mutating func accept(_ token: Token) -> String? {
        guard tokensUntilMatch == nil else { return nil }
        tokenCount += 1
        record.count(tokenCount)
        let piece = text.push(token)
        if text.matchedSequence != nil {
            tokensUntilMatch = tokenCount
            generation.stop()
        }
        return piece.isEmpty ? nil : piece
    }

    private mutating func finish(_ summary: GenerationSummary) throws(APIError) -> (text: String, answer: Answer) {
        let outputTokens = tokensUntilMatch ?? summary.generatedTokens
        record.note { ($0.cachedTokens, $0.outputTokens) = (summary.cachedTokens, outputTokens) }
        if tokensUntilMatch == nil { try check(summary.reason) }
        let rest = text.finish()
        let answer = Answer(
            stop: AnswerReader.stopReason(summary.reason, matched: text.matchedSequence),
            usage: Usage(promptTokens: promptTokens, cachedTokens: summary.cachedTokens, output: outputTokens)
        )
        return (rest, answer)
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

    private static func stopReason(_ reason: FinishReason, matched: String?) -> StopReason {
        if let matched { return StopReason(name: "stop_sequence", sequence: matched) }
        return switch reason {
        case .maxTokens: StopReason(name: "max_tokens")
        case .contextFull: StopReason(name: "model_context_window_exceeded")
        default: StopReason(name: "end_turn")
        }
    }
}
