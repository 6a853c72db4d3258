@testable import LoadTest

extension Exchange {
    /// An answered request with pieces of text at these times.
    static func make(
        _ question: Question = Question(.open, ["Hello"], expected: nil),
        from start: Double = 0,
        to end: Double = 1,
        pieces: [Double] = [0.5],
        text: String = "x",
        tokens: Int = 1
    ) throws -> Exchange {
        var exchange = Exchange(question: question, start: start, end: end)
        let events = EventText.answer(pieces: pieces.map { _ in text }, outputTokens: tokens)
        var parser = EventParser()
        var times = pieces[...]
        for event in try parser.push(Array(events.utf8)) {
            let time = event.name == "content_block_delta" ? times.removeFirst() : end
            try exchange.answer.take(event, at: time)
        }
        return exchange
    }
}

/// Streams as the API sends them.
enum EventText {
    static func answer(pieces: [String], promptTokens: Int = 5, outputTokens: Int) -> String {
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

    static func event(_ name: String, _ data: String) -> String { "event: \(name)\ndata: \(data)\n\n" }
}
