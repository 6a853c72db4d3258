import EngineContract
import Scheduling
import Tokenization

/// Why an answer ended, in the API's terms.
struct StopReason: Sendable, Equatable {
    var name: String
    /// The stop sequence that was generated.
    var sequence: String?
}

/// Turns sampled tokens into the answer's text: whole characters only, and nothing of a stop sequence.
///
/// Plain answers and streams both go through here, so that their texts are equal.
struct AnswerText: Sendable {
    private var decoder: StreamDecoder
    private var filter: StopSequenceFilter
    private(set) var matchedSequence: String?

    /// - Parameter startsText: false where the answer goes on with a text that the client gave.
    init(tokenizer: Tokenizer, stopSequences: StopSequenceFilter, startsText: Bool) {
        decoder = StreamDecoder(tokenizer: tokenizer, startsText: startsText)
        filter = stopSequences
    }

    /// The text that this token makes certain; nothing after a stop sequence.
    mutating func push(_ token: Token) -> String {
        guard matchedSequence == nil else { return "" }
        return certain(decoder.push(token))
    }

    /// What was held back, once no more tokens come.
    mutating func finish() -> String {
        guard matchedSequence == nil else { return "" }
        let text = certain(decoder.finish())
        guard matchedSequence == nil else { return text }
        let rest = filter.finish()
        matchedSequence = rest.matched
        return text + rest.text
    }

    private mutating func certain(_ text: String) -> String {
        guard !text.isEmpty else { return "" }
        let result = filter.push(text)
        matchedSequence = result.matched
        return result.text
    }
}

/// How an answer ended.
struct Answer: Sendable {
    var stop: StopReason
    var usage: Usage
}

/// A generation with the text rules of its request.
struct AnswerSource: Sendable {
    var generation: Generation
    var promptTokens: Int
    var tokenizer: Tokenizer
    var stopSequences: StopSequenceFilter
    var startsText: Bool
    var record = RequestRecord()

    var initialUsage: Usage { Usage(promptTokens: promptTokens, cachedTokens: generation.cachedTokens, output: 0) }

    /// Returns when the generation has begun, or after a while.
    /// - Throws: `APIError` if it was broken off before.
    func waitForStart(atMost limit: Duration) async throws(APIError) {
        await generation.waitForStart(atMost: limit)
        guard !Task.isCancelled else {
            generation.cancel()
            throw .clientGone
        }
        do {
            if let reason = generation.finishReason { try AnswerSource.check(reason) }
        } catch {
            throw error as? APIError ?? .clientGone
        }
    }

    /// Reads the generation to its end and gives each piece of text to `emit`.
    /// - Throws: what `emit` throws; `APIError` if the generation was broken off.
    func read(_ emit: (String) async throws -> Void) async throws -> Answer {
        var text = AnswerText(tokenizer: tokenizer, stopSequences: stopSequences, startsText: startsText)
        var tokensUntilMatch: Int?
        var tokenCount = 0
        var summary: GenerationSummary?
        record.note { $0.cachedTokens = generation.cachedTokens }
        do {
            for await event in generation {
                switch event {
                case .token(let token):
                    guard tokensUntilMatch == nil else { continue }
                    tokenCount += 1
                    record.count(tokenCount)
                    let piece = text.push(token)
                    if text.matchedSequence != nil {
                        tokensUntilMatch = tokenCount
                        generation.stop()
                    }
                    if !piece.isEmpty { try await emit(piece) }
                case .finished(let final): summary = final
                }
            }
        } catch {
            generation.cancel()
            throw error
        }
        guard let summary else { throw CancellationError() }
        let outputTokens = tokensUntilMatch ?? summary.generatedTokens
        record.note { ($0.cachedTokens, $0.outputTokens) = (summary.cachedTokens, outputTokens) }
        if tokensUntilMatch == nil { try AnswerSource.check(summary.reason) }
        let rest = text.finish()
        if !rest.isEmpty { try await emit(rest) }
        return Answer(
            stop: AnswerSource.stopReason(summary.reason, matched: text.matchedSequence),
            usage: Usage(
                promptTokens: promptTokens,
                cachedTokens: summary.cachedTokens,
                output: outputTokens
            )
        )
    }

    /// Throws if the answer is not whole.
    private static func check(_ reason: FinishReason) throws {
        switch reason {
        case .stopToken, .maxTokens, .contextFull, .stopped: return
        case .cancelled: throw CancellationError()
        case .displaced: throw APIError.overloaded(retryAfterSeconds: 2)
        case .shutdown: throw APIError.shuttingDown
        case .failed: throw APIError.internal
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
