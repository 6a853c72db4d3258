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
        var text = ""
        while true {
            switch try await reader.next() {
            case .text(let piece): text += piece
            case .idle: continue
            case .end(let answer): return response(text, answer)
            }
        }
    }

    private func response(_ text: String, _ answer: Answer) -> Response {
        let content: JSONValue = text.isEmpty ? [] : [["type": "text", "text": .string(text)]]
        return .json([
            "id": .string(messageID), "type": "message", "role": "assistant", "model": .string(model),
            "content": content, "stop_reason": .string(answer.stop.name),
            "stop_sequence": .optional(answer.stop.sequence), "usage": answer.usage.json,
        ])
    }
}
