import Foundation
import Scheduling

/// The statistics of one answer, shown after it.
struct AnswerStatistics: Sendable {
    var promptTokens: Int
    /// Prompt tokens found in the prefix cache.
    var cachedTokens: Int
    var generatedTokens: Int
    /// Seconds from the question to the first piece of the answer; nil if there was none.
    var firstTokenSeconds: Double?
    /// Seconds from there to the end.
    var decodeSeconds: Double
    /// Why the answer ended, if that is unusual.
    var ending: String?

    /// One line in brackets, for a terminal.
    var line: String {
        var parts = ["\(promptTokens) prompt tokens" + (cachedTokens > 0 ? " (\(cachedTokens) cached)" : "")]
        if let firstTokenSeconds {
            parts.append(String(format: "first token after %.0f ms", firstTokenSeconds * 1000))
            parts.append("\(generatedTokens) tokens")
            // The time of the first token is part of the prompt's.
            if generatedTokens > 1, decodeSeconds > 0 {
                parts.append(String(format: "%.0f tokens per second", Double(generatedTokens - 1) / decodeSeconds))
            }
        }
        if let ending { parts.append(ending) }
        return "[" + parts.joined(separator: ", ") + "]"
    }
}

extension AnswerStatistics {
    /// The statistics of an answer that was generated in this process.
    init(_ summary: GenerationSummary, start: ContinuousClock.Instant, first: ContinuousClock.Instant?) {
        promptTokens = summary.promptTokens
        cachedTokens = summary.cachedTokens
        generatedTokens = summary.generatedTokens
        firstTokenSeconds = first.map { ($0 - start) / .seconds(1) }
        decodeSeconds = first.map { (ContinuousClock.now - $0) / .seconds(1) } ?? 0
        ending =
            switch summary.reason {
            case .maxTokens: "cut at --max-tokens"
            case .contextFull: "cut where the context is full"
            case .cancelled: "interrupted"
            default: nil
            }
    }
}
