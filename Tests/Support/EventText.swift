/// Streams as the API sends them.
package enum EventText {
    package static func answer(pieces: [String], promptTokens: Int = 5, outputTokens: Int) -> String {
        let start = #"{"type":"message_start","message":{"usage":{"input_tokens":\#(promptTokens),"output_tokens":0}}}"#
        let open = #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#
        let deltas = pieces.map {
            #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\#($0)"}}"#
        }
        let end =
            #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":\#(outputTokens)}}"#
        return event("message_start", start) + event("content_block_start", open)
            + deltas.map { event("content_block_delta", $0) }.joined()
            + event("content_block_stop", #"{"type":"content_block_stop","index":0}"#) + event("message_delta", end)
            + event("message_stop", #"{"type":"message_stop"}"#)
    }

    /// A call of a tool alone.
    /// - Parameter pieces: of its arguments, which are JSON.
    package static func call(_ name: String, pieces: [String], stopReason: String = "tool_use") -> String {
        let start = #"{"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":0}}}"#
        let block = #"{"type":"tool_use","id":"toolu_1","name":"\#(name)","input":{}}"#
        let deltas = pieces.map { piece in
            let escaped = piece.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            return
                #"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"\#(escaped)"}}"#
        }
        let end = #"{"type":"message_delta","delta":{"stop_reason":"\#(stopReason)"},"usage":{"output_tokens":5}}"#
        return event("message_start", start)
            + event("content_block_start", #"{"type":"content_block_start","index":0,"content_block":\#(block)}"#)
            + deltas.map { event("content_block_delta", $0) }.joined()
            + event("content_block_stop", #"{"type":"content_block_stop","index":0}"#) + event("message_delta", end)
            + event("message_stop", #"{"type":"message_stop"}"#)
    }

    package static func event(_ name: String, _ data: String) -> String { "event: \(name)\ndata: \(data)\n\n" }
}
