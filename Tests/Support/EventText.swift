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

    package static func event(_ name: String, _ data: String) -> String { "event: \(name)\ndata: \(data)\n\n" }
}
