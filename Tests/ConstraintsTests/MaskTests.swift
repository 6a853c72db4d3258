import Constraints
import EngineContract
import JSON
import Support
import Testing

/// Masks against their definition: a token is allowed if the automaton goes on with it.
struct MaskTests {
    static let schemas: [String] =
        SchemaTests.cases.map(\.schema) + [
            #"{"type":"string","minLength":3,"maxLength":300}"#,
            #"{"type":"string","pattern":"^(ab|a)*é?$","maxLength":9}"#,
            #"{"type":"string","pattern":"^[a-c]*$","minLength":2}"#,
            #"{"type":"object","properties":{"name":{"type":"string"},"na":{},"id":{"type":"integer"}}}"#,
            #"{"type":"array","items":{"anyOf":[{"type":"object","properties":{"a":{"const":1}},"required":["a"]},{"type":"object","properties":{"a":{"const":2},"b":{}},"required":["b"]}]}}"#,
        ]

    @Test(arguments: Self.schemas, [1 as UInt64, 2])
    func maskHoldsExactlyTheTokensThatCanBeAccepted(_ schema: String, _ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var session = try TestVocabulary.constraint(schema)
        let vocabulary = TestVocabulary.shared
        var mask = TokenMask(tokenCount: vocabulary.tokenCount)
        for _ in 0..<40 {
            session.allow(into: &mask)
            for token in 0..<Token(vocabulary.tokenCount) {
                var copy = session
                let isAccepted = copy.accept(token)
                #expect(mask.contains(token) == isAccepted, "token \(token)")
            }
            guard let token = mask.tokens.randomElement(using: &generator), session.accept(token) else { break }
        }
    }

    /// Tokens of many characters are counted one by one, and some have none that a pattern's `.` matches.
    @Test func maskHoldsLongTokensAsFarAsTheyFit() throws {
        let dashes = [30, 40, 257].map { String(repeating: "-", count: $0) }
        let pieces = [dashes[0], "\u{2028}", "a\u{2029}", dashes[1], dashes[2]]
        let texts = (0..<256).map { [UInt8($0)] } + pieces.map { Array($0.utf8) } + [[]]
        let vocabulary = Vocabulary(texts: texts, stopTokens: [Token(texts.count - 1)])
        var mask = TokenMask(tokenCount: vocabulary.tokenCount)
        for (schema, allowed) in [
            (#"{"type":"string"}"#, [0, 1, 2, 3]), (#"{"type":"string","maxLength":29}"#, [1, 2]),
            (#"{"type":"string","maxLength":30}"#, [0, 1, 2]), (#"{"type":"string","pattern":"^.*$"}"#, [0, 3]),
        ] {
            var session = GrammarConstraint(try TestVocabulary.grammar(schema), vocabulary)
            expect(session.accept(Token(UInt8(ascii: "\""))), is: true)
            session.allow(into: &mask)
            #expect(mask.tokens.filter { $0 >= 256 } == allowed.map { Token(256 + $0) }, "\(schema)")
            for token in 256..<Token(256 + pieces.count) {
                var copy = session
                expect(copy.accept(token), is: mask.contains(token))
            }
        }
    }

    /// A random answer; nil if it does not come to its end.
    private func answer(_ grammar: Grammar, seed: UInt64) throws -> [UInt8]? {
        var session = GrammarConstraint(grammar, TestVocabulary.shared)
        var generator = SeededGenerator(seed: seed)
        var mask = TokenMask(tokenCount: TestVocabulary.shared.tokenCount)
        var text: [UInt8] = []
        for step in 0..<600 {
            session.allow(into: &mask)
            if session.isComplete, step > 30 || mask.count == 1 { return text }
            let tokens = mask.tokens.filter { $0 != TestVocabulary.stop }
            // After a while, the ends of strings, arrays and objects come first.
            let closers = tokens.filter { $0 < 256 && "\"}]".utf8.contains(UInt8($0)) }
            let isLeaving = step > 30 && step % 8 != 0 && !closers.isEmpty
            let token = try #require((isLeaving ? closers : tokens).randomElement(using: &generator))
            expect(session.accept(token), is: true)
            text += TestVocabulary.shared.text(token)
        }
        return nil
    }

    @Test func randomAnswersAreJSONThatTheSchemaAdmits() throws {
        var (finished, all) = (0, 0)
        for schema in Self.schemas {
            let grammar = try TestVocabulary.grammar(schema)
            let whole = GrammarConstraint(grammar, TestVocabulary.shared, forcesSpelling: false)
            for seed in 3..<UInt64(9) {
                all += 1
                guard let text = try answer(grammar, seed: seed) else { continue }
                finished += 1
                #expect(throws: Never.self) { try JSONDocument(text, limits: JSONLimits(depth: 70)) }
                #expect(TestVocabulary.admits(whole, String(decoding: text, as: UTF8.self)))
            }
        }
        #expect(finished * 10 > all * 8, "\(finished) of \(all)")
    }

    private func expect(_ isAccepted: Bool, is expected: Bool, _ location: SourceLocation = #_sourceLocation) {
        #expect(isAccepted == expected, sourceLocation: location)
    }

    @Test func forcedTokensAreTheOnlyOnesAllowed() throws {
        let schema =
            #"{"type":"object","properties":{"name":{"const":"abc"}},"required":["name"],"additionalProperties":false}"#
        let grammar = try TestVocabulary.grammar(schema, SchemaOptions(layout: .spaced))
        var session = GrammarConstraint(grammar, TestVocabulary.shared)
        let vocabulary = TestVocabulary.shared
        let forced = session.forced
        #expect(String(decoding: forced.flatMap { vocabulary.text($0) }, as: UTF8.self) == #"{"name": "abc"}"#)
        var mask = TokenMask(tokenCount: vocabulary.tokenCount)
        for token in forced {
            session.allow(into: &mask)
            #expect(mask.tokens == [token])
            expect(session.accept(token), is: true)
        }
        #expect(session.isComplete)
        #expect(session.forced.isEmpty)
        session.allow(into: &mask)
        #expect(mask.tokens == [TestVocabulary.stop])
    }

    /// `true` is a token, but this tokenizer would never write it: it cuts `tr`, `ue`.
    @Test func forcedTextIsCutAsTheTokenizerCutsIt() throws {
        let pieces = TestVocabulary.pieces
        let ends = ["tr", "ue"].map { Token(256 + (pieces.firstIndex(of: $0) ?? 0)) }
        let whole = Token(256 + (pieces.firstIndex(of: "true") ?? 0))
        let texts = (0..<256).map { [UInt8($0)] } + pieces.map { Array($0.utf8) } + [[], []]
        for hasSpace in [false, true] {
            let vocabulary = Vocabulary(texts: texts, stopTokens: [TestVocabulary.stop]) { text in
                // As one that puts a space before every text.
                let space = hasSpace ? [Token(UInt8(ascii: " "))] : []
                guard text.suffix(4).elementsEqual("true".utf8) else { return [] }
                return space + text.dropLast(4).map { Token($0) } + ends
            }
            let grammar = try TestVocabulary.grammar(#"{"const":true}"#)
            #expect(GrammarConstraint(grammar, vocabulary).forced == ends)
        }
        let longest = GrammarConstraint(try TestVocabulary.grammar(#"{"const":true}"#), TestVocabulary.shared)
        #expect(longest.forced == [whole])
    }

    /// By itself, this tokenizer would cut `ue` in two.
    @Test func forcedTextIsCutOnceAsAWhole() throws {
        let pieces = TestVocabulary.pieces
        let ends = ["tr", "ue"].map { Token(256 + (pieces.firstIndex(of: $0) ?? 0)) }
        let texts = (0..<256).map { [UInt8($0)] } + pieces.map { Array($0.utf8) } + [[], []]
        let vocabulary = Vocabulary(texts: texts, stopTokens: [TestVocabulary.stop]) { text in
            text.elementsEqual("true".utf8) ? ends : text.map { Token($0) }
        }
        var session = GrammarConstraint(try TestVocabulary.grammar(#"{"const":true}"#), vocabulary)
        #expect(session.forced == ends)
        expect(session.accept(ends[0]), is: true)
        #expect(session.forced == [ends[1]])
        // Another way to spell the beginning is followed where it leads.
        var other = GrammarConstraint(try TestVocabulary.grammar(#"{"const":true}"#), vocabulary)
        expect(other.accept(Token(UInt8(ascii: "t"))), is: true)
        #expect(other.forced == "rue".utf8.map { Token($0) })
    }

    @Test func refusesATokenThatIsNotAllowedAndStaysWhereItWas() throws {
        var session = try TestVocabulary.constraint(#"{"type":"boolean"}"#)
        expect(session.accept(Token(UInt8(ascii: "x"))), is: false)
        expect(session.accept(TestVocabulary.stop), is: false)
        expect(session.accept(-1), is: false)
        expect(session.accept(100_000), is: false)
        expect(session.accept(Token(UInt8(ascii: "t"))), is: true)
        #expect(!session.isComplete)
    }

    @Test func callsHaveMarkersAndOneOfSeveralTools() throws {
        let first = try TestVocabulary.node(
            #"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}"#
        )
        let second = try TestVocabulary.node(#"{"type":"object","properties":{},"additionalProperties":false}"#)
        let call = { (name: String, schema: JSONNode) in
            GrammarElement.sequence([
                .literal(#"{"name": ""# + name + #"", "arguments": "#), .schema(schema, SchemaOptions(layout: .spaced)),
                .literal("}"),
            ])
        }
        let element = GrammarElement.sequence([
            .text(until: "<call>"), .token(TestVocabulary.control),
            .repetition(.alternatives([call("one", first), call("two", second)]), separator: .literal("\n")),
            .literal("</call>"),
        ])
        let constraint = GrammarConstraint(try Grammar(element), TestVocabulary.shared, forcesSpelling: false)
        func admits(_ before: String, _ after: String) -> Bool {
            var session = constraint
            for byte in before.utf8 where !session.accept(Token(byte)) { return false }
            guard session.accept(TestVocabulary.control) else { return false }
            for byte in after.utf8 where !session.accept(Token(byte)) { return false }
            return session.isComplete
        }
        #expect(admits("well <<call>", #"{"name": "one", "arguments": {"a": 1}}</call>"#))
        #expect(
            admits(
                "<call>",
                "{\"name\": \"two\", \"arguments\": {}}\n{\"name\": \"one\", \"arguments\": {\"a\": 2}}</call>"
            )
        )
        #expect(!admits("<call>", #"{"name": "two", "arguments": {"a": 1}}</call>"#))
        #expect(!admits("<call> more", ""))
    }
}
