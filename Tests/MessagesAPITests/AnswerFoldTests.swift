import Chat
import JSON
import Support
import Testing

@testable import MessagesAPI

@Suite("Parts become blocks") struct AnswerFoldTests {
    private static let texts = ["a", " ", "é", "\n", "\"quoted\"", "\u{2028}", "{", "👩‍👩‍👧"]

    /// A sequence of parts as a parser may give it: some calls are cut, the last block may be.
    private func parts(_ generator: inout SeededGenerator) -> [AnswerPart] {
        var parts: [AnswerPart] = []
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            let pieces = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                Self.texts.randomElement(using: &generator) ?? ""
            }
            switch Int.random(in: 0...2, using: &generator) {
            case 0: parts += pieces.map(AnswerPart.text)
            case 1: parts += pieces.map(AnswerPart.thinking)
            default:
                let text = String(decoding: JSONValue.string(pieces.joined()).bytes, as: UTF8.self)
                let input = [#"{"k": "#, text, #", "n": 12345678901234567890123, "x": 1.50}"#]
                parts.append(.toolCallStart(name: "f"))
                parts += Bool.random(using: &generator) ? input.map(AnswerPart.toolCallArguments) : []
                parts.append(.toolCallEnd)
            }
        }
        if Bool.random(using: &generator) {
            parts.append(.toolCallStart(name: "cut"))
            parts += Bool.random(using: &generator) ? [.toolCallArguments(#"{"k": "never en"#)] : []
        }
        return parts
    }

    private func isCut(_ parts: [AnswerPart]) -> Bool {
        parts.contains { if case .toolCallStart("cut") = $0 { true } else { false } }
    }

    @Test("A whole answer is what the stream's events come to, whatever the parts")
    func wholeEqualsStream() throws {
        var generator = SeededGenerator(seed: 1)
        let encoder = EventEncoder(messageID: "msg_1", model: "m", requestID: "req_1")
        for _ in 0..<2000 {
            let parts = parts(&generator)
            for display in [ThinkingDisplay.shown, .omitted, .dropped] {
                var fold = AnswerFold(display)
                let events = parts.flatMap { fold.add($0) } + fold.finish()
                var whole = AnswerContent()
                events.forEach { whole.apply($0) }
                let usage = Usage(promptTokens: 1, cachedTokens: 0, output: 1)
                let answer = Answer(stop: StopReason(name: "end_turn"), usage: usage)
                let bytes = encoder.messageStart(usage) + encoder.blocks(events) + encoder.end(answer)
                let stream = try StreamedMessage(try Reply.events(String(decoding: bytes, as: UTF8.self)))
                let content = try JSONValue(parsing: whole.json.bytes)
                let isCut = isCut(parts)
                let expected = Array(stream.content.dropLast(isCut ? 1 : 0))
                #expect(content == .array(expected) && fold.hasCutCall == isCut, "\(parts)")
                let calls = expected.filter { $0["type"] == "tool_use" }
                #expect(calls.compactMap { $0["id"] } == fold.calls.map { JSONValue.string($0.id) })
                if display == .dropped { #expect(!stream.content.contains { $0["type"] == "thinking" }) }
                try checkThinking(parts, stream, display)
            }
        }
    }

    private func checkThinking(_ parts: [AnswerPart], _ stream: StreamedMessage, _ display: ThinkingDisplay) throws {
        let thought = parts.map { if case .thinking(let text) = $0 { text } else { "" } }.joined()
        let blocks = stream.content.filter { $0["type"] == "thinking" }
        let shown = try blocks.map { try $0["thinking"]?.string() ?? "" }.joined()
        let signatures = try blocks.map { try $0["signature"]?.string() ?? "" }
        #expect(!signatures.contains(""))
        #expect(shown == (display == .shown ? thought : ""))
        if display == .omitted { #expect(signatures.compactMap(ThinkingSignature.text).joined() == thought) }
    }

    @Test("Numbers reach a whole answer as they were written")
    func numbers() throws {
        var fold = AnswerFold(.shown)
        var whole = AnswerContent()
        let input = #"{"big": 12345678901234567890123, "fine": 0.10, "tiny": 1e-400}"#
        for part in [AnswerPart.toolCallStart(name: "f"), .toolCallArguments(input), .toolCallEnd] {
            fold.add(part).forEach { whole.apply($0) }
        }
        let json = String(decoding: whole.json.bytes, as: UTF8.self)
        #expect(json.contains(#""input":{"big":12345678901234567890123,"fine":0.10,"tiny":1e-400}"#))
    }

    @Test("Signatures of other servers carry nothing, whatever they are")
    func foreignSignatures() {
        for text in ["", "EqQBCgIYAhIM1gbcDa9GJwZA2b3h", "pensieve1.", "pensieve1.%%%", "pensieve2.YQ=="] {
            #expect(ThinkingSignature.text(in: text).map(\.isEmpty) ?? true, "\(text)")
        }
        #expect(ThinkingSignature.text(in: ThinkingSignature.make(hiding: "a ü")) == "a ü")
    }
}
