import HTTPFront
import JSON

/// An answer as one JSON object.
struct WholeAnswer: Sendable {
    let messageID: String
    let model: String

    /// Reads an answer to its end.
    /// - Throws: `APIError` if it broke off.
    func read(_ reader: AnswerReader) async throws(APIError) -> Response {
        var reader = reader
        var content = AnswerContent()
        while true {
            switch try await reader.next() {
            case .blocks(let events): events.forEach { content.apply($0) }
            case .idle: continue
            case .end(let answer): return response(content, answer)
            }
        }
    }

    private func response(_ content: AnswerContent, _ answer: Answer) -> Response {
        .json([
            "id": .string(messageID), "type": "message", "role": "assistant", "model": .string(model),
            "content": content.json, "stop_reason": .string(answer.stop.name),
            "stop_sequence": .optional(answer.stop.sequence), "usage": answer.usage.json,
        ])
    }
}
