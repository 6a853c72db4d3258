import Support
import Testing

@testable import APIClient

@Suite struct EventParserTests {
    private typealias Event = EventParser.Event

    @Test("Events are the same wherever their bytes are split", arguments: ["\n", "\r\n", "\r"])
    func splits(_ lineEnd: String) throws {
        let text =
            ": a comment\nevent: first\ndata: {\"a\": \"ü🎉\"}\n\ndata:two\ndata: lines\nid: 7\n\nevent: third\ndata: \n\n"
        let expected = [
            Event(name: "first", data: "{\"a\": \"ü🎉\"}"), Event(name: "", data: "two\nlines"),
            Event(name: "third", data: ""),
        ]
        let bytes = Array(text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: lineEnd).utf8)
        for split in 0...bytes.count {
            var parser = EventParser()
            let events = try parser.push(Array(bytes[..<split])) + parser.push(Array(bytes[split...]))
            #expect(events == expected, "split at \(split)")
        }
        var parser = EventParser()
        #expect(try bytes.flatMap { try parser.push([$0]) } == expected)
    }

    @Test("A name without data is not an event, nor is an unfinished one")
    func incomplete() throws {
        var parser = EventParser()
        #expect(try parser.push(Array("event: ping\n\nevent: x\ndata: 1\n".utf8)).isEmpty)
        #expect(try parser.push(Array("\n".utf8)) == [Event(name: "x", data: "1")])
    }

    @Test("An endless line is refused before it fills the memory")
    func endless() throws {
        var parser = EventParser()
        let piece = [UInt8](repeating: 65, count: 1 << 20)
        #expect(throws: ProtocolViolation.self) { for _ in 0..<3 { _ = try parser.push(piece) } }
    }
}

@Suite struct AnswerReaderTests {
    private func read(_ text: String) throws -> AnswerReader {
        var parser = EventParser()
        var answer = AnswerReader()
        for (index, event) in try parser.push(Array(text.utf8)).enumerated() {
            try answer.receive(event, at: Double(index))
        }
        return answer
    }

    @Test("Text, times and token counts are read, and unknown events ignored")
    func reads() throws {
        let usage = #"{"input_tokens":3,"cache_creation_input_tokens":4,"cache_read_input_tokens":5,"output_tokens":0}"#
        let answer = try read(
            EventText.event("message_start", #"{"type":"message_start","message":{"usage":\#(usage)}}"#)
                + EventText.event("ping", #"{"type":"ping"}"#) + EventText.event("novelty", "not even JSON")
                + EventText.answer(pieces: ["", "Hel", "lo"], outputTokens: 9).split(separator: "\n\n").dropFirst()
                .joined(separator: "\n\n") + "\n\ndata: [DONE]\n\n"
        )
        #expect(answer.isComplete && answer.text == "Hello" && answer.stopReason == "end_turn")
        #expect(answer.promptTokens == 12 && answer.cachedTokens == 5 && answer.outputTokens == 9)
        // The empty piece does not count.
        #expect(answer.deltaTimes == [5, 6])
    }

    @Test("A stream out of order is a violation")
    func order() throws {
        let events = EventText.answer(pieces: ["a"], outputTokens: 1).split(separator: "\n\n").map { $0 + "\n\n" }
        #expect(try read(events.joined()).isComplete)
        // With any event missing or repeated, the order is violated or the answer incomplete.
        for index in events.indices where index != 2 {
            var fewer = events
            fewer.remove(at: index)
            #expect((try? read(fewer.joined()).isComplete) != true, "without event \(index)")
            var more = events
            more.insert(events[index], at: index)
            if index != 4 { #expect(throws: ProtocolViolation.self) { try read(more.joined()) } }
        }
        let mismatch = EventText.event("message_start", #"{"type":"message_stop"}"#)
        #expect(throws: ProtocolViolation.self) { try read(mismatch) }
    }

    @Test("An error event ends the answer with its kind and message")
    func errorEvent() {
        let text = EventText.event("error", #"{"type":"error","error":{"type":"overloaded_error","message":"full"}}"#)
        #expect(throws: StreamFailure(kind: "overloaded_error", message: "full")) { try read(text) }
    }

    @Test("Absurd token counts are bounded, so that sums of them cannot overflow")
    func hostileUsage() throws {
        let usage =
            "{\"input_tokens\":\(Int.max),\"cache_creation_input_tokens\":\(Int.max),\"cache_read_input_tokens\":-5}"
        let answer = try read(
            EventText.event("message_start", #"{"type":"message_start","message":{"usage":\#(usage)}}"#)
        )
        #expect(answer.promptTokens == 1 << 41)
    }
}
