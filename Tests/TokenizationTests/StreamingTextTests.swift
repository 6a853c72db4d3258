import Testing
import Tokenization

@Suite struct StreamingTextTests {
    @Test("However a text is cut, a stop sequence is found where the whole text has it")
    func stopSequences() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<3000 {
            let letters = ["a", "b", "ü", "🎉"]
            let text = (0..<Int.random(in: 0..<24, using: &generator)).map { _ in
                letters.randomElement(using: &generator) ?? ""
            }
            let stops = (0..<Int.random(in: 1..<4, using: &generator)).map { _ in
                (0..<Int.random(in: 1..<5, using: &generator)).map { _ in letters.randomElement(using: &generator) ?? ""
                }.joined()
            }
            var filter = StopSequenceFilter(stops)
            var streamed = ""
            var matched: String?
            for piece in text where matched == nil {
                let (certain, stop) = filter.push(piece)
                streamed += certain
                matched = stop
            }
            if matched == nil {
                let (rest, stop) = filter.finish()
                streamed += rest
                matched = stop
            }
            let whole = text.joined()
            let expected = stops.compactMap { stop in whole.firstRange(of: stop).map { ($0.lowerBound, stop) } }
                .min { $0.0 < $1.0 }
            #expect(streamed == String(whole[..<(expected?.0 ?? whole.endIndex)]))
            #expect((matched == nil) == (expected == nil))
        }
    }

    @Test("Only what may begin a stop sequence is held back")
    func holdsBackLittle() {
        var filter = StopSequenceFilter(["END"])
        #expect(filter.push("one E") == ("one ", nil))
        #expect(filter.push("N") == ("", nil))
        #expect(filter.push("d two") == ("ENd two", nil))
        #expect(filter.push("xEND") == ("x", "END"))
    }

    @Test("A conversation is written in Phi-3's format, a last assistant turn left open")
    func phi3() throws {
        let tokenizer = try TokenizerTests.make("digits")
        let turns = [
            ChatTurn(role: .system, text: "Be brief."), ChatTurn(role: .user, text: "Hi 42"),
            ChatTurn(role: .assistant, text: "Hello"), ChatTurn(role: .user, text: "<|end|>"),
        ]
        func spelled(_ tokens: [Int32]) -> String {
            String(decoding: tokens.flatMap { tokenizer.bytes(of: $0) }, as: UTF8.self)
        }
        let tokens = ChatFormat.phi3.encode(turns, with: tokenizer)
        #expect(
            spelled(tokens)
                == "<|system|>\nBe brief.<|end|>\n<|user|>\nHi 42<|end|>\n<|assistant|>\nHello<|end|>\n<|user|>\n<|end|><|end|>\n<|assistant|>\n"
        )
        #expect(tokens.filter { tokenizer.isSpecial($0) }.count == 9)
        let open = ChatFormat.phi3.encode(Array(turns.prefix(3)), with: tokenizer)
        #expect(spelled(open).hasSuffix("<|assistant|>\nHello"))
        #expect(ChatFormat.phi3.stopTokens(in: tokenizer).count == 2)
    }
}
