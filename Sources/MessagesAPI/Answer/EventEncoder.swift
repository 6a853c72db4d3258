import JSON

/// A stream's events in the order and shapes that the official clients rely on.
///
/// `message_start`, then the one text block once there is text, then `message_delta` and `message_stop`.
struct EventEncoder: Sendable {
    let messageID: String
    let model: String
    let requestID: String
    private var isBlockOpen = false

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

    /// A piece of text; the first one opens the block.
    mutating func text(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        if !isBlockOpen {
            isBlockOpen = true
            let start: JSONValue = [
                "type": "content_block_start", "index": 0, "content_block": ["type": "text", "text": ""],
            ]
            bytes += EventEncoder.event("content_block_start", start)
        }
        let delta: JSONValue = [
            "type": "content_block_delta", "index": 0, "delta": ["type": "text_delta", "text": .string(text)],
        ]
        return bytes + EventEncoder.event("content_block_delta", delta)
    }

    /// Closes the block, if there is one, and the message.
    mutating func end(_ answer: Answer) -> [UInt8] {
        var bytes: [UInt8] = []
        if isBlockOpen {
            isBlockOpen = false
            bytes += EventEncoder.event("content_block_stop", ["type": "content_block_stop", "index": 0])
        }
        let delta: JSONValue = [
            "type": "message_delta",
            "delta": ["stop_reason": .string(answer.stop.name), "stop_sequence": .optional(answer.stop.sequence)],
            "usage": answer.usage.json,
        ]
        bytes += EventEncoder.event("message_delta", delta)
        return bytes + EventEncoder.event("message_stop", ["type": "message_stop"])
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
