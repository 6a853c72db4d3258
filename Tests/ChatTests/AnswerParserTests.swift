import Chat
import JSON
import Support
import Testing

@Suite struct AnswerParserTests {
    private static func tools() throws -> [ToolDefinition] {
        let schema = """
            {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "exact": {"type": "boolean"},
            "places": {"type": "array", "items": {"type": "string"}}, "more": {"$ref": "#/$defs/more"}},
            "$defs": {"more": {"type": "object"}}}
            """
        return try ["get_weather", "find-it"].map { try ToolDefinition($0, schema: schema) }
    }

    /// Parts with neighbours of one kind as one.
    private static func joined(_ parts: [AnswerPart]) -> [AnswerPart] {
        parts.reduce(into: []) { result, part in
            switch (result.last, part) {
            case (.text(let text), .text(let more)): result[result.count - 1] = .text(text + more)
            case (.thinking(let text), .thinking(let more)): result[result.count - 1] = .thinking(text + more)
            case (.toolCallArguments(let json), .toolCallArguments(let more)):
                result[result.count - 1] = .toolCallArguments(json + more)
            default: result.append(part)
            }
        }
    }

    private static func parts(_ example: AnswerExample, _ pieces: [String]) throws -> [AnswerPart] {
        var parser = AnswerParser(example.syntax, tools: try tools(), isInsideThinking: example.isInsideThinking)
        var parts: [AnswerPart] = []
        for piece in pieces { parts += parser.push(piece) }
        return joined(parts + parser.finish())
    }

    @Test("Each family's answers are taken apart", arguments: AnswerExample.all)
    func examples(_ example: AnswerExample) throws {
        #expect(try Self.parts(example, [example.text]) == example.parts)
    }

    @Test("An answer is taken apart in the same way wherever it is cut", arguments: AnswerExample.all)
    func cuts(_ example: AnswerExample) throws {
        #expect(try Self.parts(example, example.text.map(String.init)) == example.parts, "character by character")
        for cut in example.text.indices {
            let pieces = [String(example.text[..<cut]), String(example.text[cut...])]
            #expect(try Self.parts(example, pieces) == example.parts, "cut after \(pieces[0].debugDescription)")
        }
    }

    @Test("Where calls come first or not at all, nothing is a call behind the beginning of a text")
    func callsFirst() throws {
        let call = "<tool_call>\n{\"name\": \"find-it\", \"arguments\": {}}\n</tool_call>"
        let found = [AnswerPart.toolCallStart(name: "find-it"), .toolCallArguments("{}"), .toolCallEnd]
        for (text, expected) in [
            ("\"" + call, [.text("\"" + call)]), (call, found), ("\n" + call + "\n" + call, found + found),
        ] {
            var parser = AnswerParser(
                AnswerSyntax(calls: AnswerExample.hermes),
                tools: try Self.tools(),
                isInsideThinking: false,
                callsComeFirst: true
            )
            #expect(Self.joined(parser.push(text) + parser.finish()) == expected, "\(text)")
        }
    }

    @Test("No piece of a marker leaves the parser before it is known to be none", arguments: AnswerExample.all)
    func nothingLeaks(_ example: AnswerExample) throws {
        var parser = AnswerParser(example.syntax, tools: try Self.tools(), isInsideThinking: example.isInsideThinking)
        var parts: [AnswerPart] = []
        for character in example.text {
            let isThinking = parser.isThinking
            for part in parser.push(String(character)) {
                parts.append(part)
                if case .thinking = part { #expect(isThinking || parser.isThinking) }
                // All that is handed out is the beginning of the whole.
                let joined = Self.joined(parts)
                #expect(zip(joined.dropLast(), example.parts).allSatisfy { $0 == $1 })
            }
        }
    }

    @Test("What spells a special token is text, and begins nothing that begins with the token")
    func spelledMarkers() throws {
        let specials = ["<|channel|>", "<|message|>", "<|start|>", "<|end|>"]
        var parser = AnswerParser(
            AnswerExample.harmony,
            tools: [],
            isInsideThinking: false,
            specialTexts: specials.map { Array($0.utf8) }
        )
        var parts: [AnswerPart] = []
        for piece in ["<|channel|>", "final", "<|message|>", "A ", "<|start|", ">assis", "tant says é <|", "<|start|>"]
        {
            parts += parser.push(piece, special: specials.contains(piece) ? piece.utf8.count : 0)
        }
        parts += parser.push("assistant") + parser.push("<|channel|>", special: 11) + parser.push("final")
        parts += parser.push("<|message|>", special: 11) + parser.push(" B") + parser.finish()
        #expect(Self.joined(parts) == [.text("A <|start|>assistant says é <|B")])
    }

    @Test("What spells a special token ends no thought, and begins no call")
    func spelledEnds() throws {
        let specials = ["<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|call|>", "<|constrain|>"]
        var parser = AnswerParser(
            AnswerExample.harmony,
            tools: try Self.tools(),
            isInsideThinking: true,
            specialTexts: specials.map { Array($0.utf8) }
        )
        var parts: [AnswerPart] = []
        func push(_ pieces: String..., asTokens: Bool) {
            for piece in pieces {
                parts += parser.push(piece, special: asTokens && specials.contains(piece) ? piece.utf8.count : 0)
            }
        }
        push("The ", "<|end|>", " of it.", asTokens: false)
        push("<|end|>", "<|start|>", "assistant", "<|channel|>", "final", "<|message|>", asTokens: true)
        let call = [
            "<|channel|>", "commentary to=functions.find-it ", "<|constrain|>", "json", "<|message|>", "{}", "<|call|>",
        ]
        push("<|end|>", " is it: ", call.joined(), asTokens: false)
        for piece in call { push(piece, asTokens: true) }
        parts += parser.finish()
        #expect(
            Self.joined(parts) == [
                .thinking("The <|end|> of it."), .text("<|end|> is it: " + call.joined()),
                .toolCallStart(name: "find-it"), .toolCallArguments("{}"), .toolCallEnd,
            ]
        )
    }

    @Test("Without tools all but thinking is text, and text goes out as it comes")
    func noTools() throws {
        let text = "<tool_call>\n{\"name\": \"find-it\", \"arguments\": {}}\n</tool_call> "
        var parser = AnswerParser(
            AnswerSyntax(thinking: AnswerExample.think, calls: AnswerExample.hermes),
            tools: [],
            isInsideThinking: false
        )
        #expect(parser.push("<think>x</think>\n\nA ") == [.thinking("x"), .text("A ")])
        #expect(parser.push(text) == [.text(text)])
        #expect(parser.finish().isEmpty)
    }

    @Test(
        "Markers begun again and again are read in bounded time, and give no text that was not there",
        .timeLimit(.minutes(2))
    )
    func linear() throws {
        let pieces: [(String, AnswerSyntax)] = [
            (" ", AnswerSyntax(calls: AnswerExample.hermes)),
            ("<tool_call>", AnswerSyntax(calls: AnswerExample.hermes)),
            ("<tool_call>\n{\"name\":  ", AnswerSyntax(calls: AnswerExample.hermes)),
            ("</think", AnswerSyntax(thinking: AnswerExample.think, calls: AnswerExample.hermes)),
            ("\n", AnswerSyntax(calls: AnswerExample.coder)), ("<", AnswerSyntax(calls: AnswerExample.dsml)),
        ]
        let starts = [
            "", "<tool_call>\n{\"name\": \"find-it\", \"arguments\": {\"a\": \"", "<think>",
            "<tool_call>\n<function=get_weather>\n<parameter=places>\n",
        ]
        for (piece, syntax) in pieces {
            for start in starts {
                var parser = AnswerParser(syntax, tools: try Self.tools(), isInsideThinking: false)
                var count = 0
                _ = parser.push(start)
                for _ in 0..<1_500 {
                    for part in parser.push(piece) { if case .text(let text) = part { count += text.utf8.count } }
                }
                _ = parser.finish()
                #expect(count <= piece.utf8.count * 1_500 + start.utf8.count)
            }
        }
    }

    @Test("Random texts of markers' pieces never trap, and give the same parts in one piece as in many")
    func randomTexts() throws {
        var generator = SeededGenerator(seed: 7)
        for example in AnswerExample.all {
            let words =
                example.text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
                + example.text.map(String.init)
            for _ in 0..<60 {
                let text = (0..<Int.random(in: 1...40, using: &generator)).map { _ in
                    words.randomElement(using: &generator) ?? ""
                }.joined()
                var varied = example
                varied.text = text
                #expect(
                    try Self.parts(varied, [text]) == Self.parts(varied, text.map(String.init)),
                    "\(example): \(text.debugDescription)"
                )
            }
        }
    }
}
