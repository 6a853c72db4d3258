import JSON

/// A stream's events in the order and shapes that the official clients rely on.
///
/// `message_start`, then the blocks, then `message_delta` and `message_stop`.
struct EventEncoder: Sendable {
    let messageID: String
    let model: String
    let requestID: String

    init(messageID: String, model: String, requestID: String) {
        self.messageID = messageID
        self.model = model
        self.requestID = requestID
    }

    static let ping = event("ping", ["type": "ping"])

    func messageStart(_ usage: Usage) -> [UInt8] {
        let message: JSONValue = [
            "id": .string(messageID), "type": "message", "role": "assistant", "model": .string(model), "content": [],
            "stop_reason": nil, "stop_sequence": nil, "usage": usage.json,
        ]
        return EventEncoder.event("message_start", ["type": "message_start", "message": message])
    }

    func blocks(_ events: [BlockEvent]) -> [UInt8] {
        events.flatMap { event in
            let index = JSONValue.integer(event.index)
            switch event.change {
            case .start(let start):
                let data: JSONValue = [
                    "type": "content_block_start", "index": index, "content_block": Self.json(start),
                ]
                return Self.event("content_block_start", data)
            case .delta(let delta):
                let data: JSONValue = ["type": "content_block_delta", "index": index, "delta": Self.json(delta)]
                return Self.event("content_block_delta", data)
            case .stop: return Self.event("content_block_stop", ["type": "content_block_stop", "index": index])
            }
        }
    }

    private static func json(_ start: BlockEvent.Start) -> JSONValue {
        switch start {
        case .text: ["type": "text", "text": ""]
        case .thinking: ["type": "thinking", "thinking": "", "signature": ""]
        case .toolUse(let id, let name): ["type": "tool_use", "id": .string(id), "name": .string(name), "input": [:]]
        }
    }

    private static func json(_ delta: BlockEvent.Delta) -> JSONValue {
        switch delta {
        case .text(let text): ["type": "text_delta", "text": .string(text)]
        case .thinking(let text): ["type": "thinking_delta", "thinking": .string(text)]
        case .signature(let text): ["type": "signature_delta", "signature": .string(text)]
        case .input(let text): ["type": "input_json_delta", "partial_json": .string(text)]
        }
    }

    /// Closes the message.
    func end(_ answer: Answer) -> [UInt8] {
        let delta: JSONValue = [
            "type": "message_delta",
            "delta": ["stop_reason": .string(answer.stop.name), "stop_sequence": .optional(answer.stop.sequence)],
            "usage": answer.usage.json,
        ]
        return Self.event("message_delta", delta) + Self.event("message_stop", ["type": "message_stop"])
    }

    /// The last event of a stream that broke off.
    func error(_ error: APIError) -> [UInt8] {
        EventEncoder.event("error", error.envelope(requestID: requestID))
    }

    private static func event(_ name: String, _ data: JSONValue) -> [UInt8] {
        var bytes = Array("event: \(name)\ndata: ".utf8)
        data.write(into: &bytes)
        bytes += "\n\n".utf8
        return bytes
    }
}
