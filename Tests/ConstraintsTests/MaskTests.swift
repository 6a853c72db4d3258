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
                #expect(mask.contains(token) == copy.accept(token), "token \(token)")
            }
            guard let token = mask.tokens.randomElement(using: &generator), session.accept(token) else { break }
        }
    }

    @Test(arguments: Self.schemas, [3 as UInt64, 4, 5])
    func randomAnswersAreJSONThatTheSchemaAdmits(_ schema: String, _ seed: UInt64) throws {
        let grammar = try TestVocabulary.grammar(schema)
        var session = GrammarConstraint(grammar, TestVocabulary.shared)
        var generator = SeededGenerator(seed: seed)
        var mask = TokenMask(tokenCount: TestVocabulary.shared.tokenCount)
        var text: [UInt8] = []
        for step in 0..<2000 {
            session.allow(into: &mask)
            if session.isComplete, step > 30 || mask.count == 1 { break }
            let tokens = mask.tokens.filter { $0 != TestVocabulary.stop }
            // After a while, the ends of strings, arrays and objects come first.
            let closing = tokens.first { "\"}]".utf8.contains(UInt8(truncatingIfNeeded: $0)) && $0 < 256 }
            let token = try #require(
                step > 30 && step % 8 != 0
                    ? closing ?? tokens.randomElement(using: &generator) : tokens.randomElement(using: &generator)
            )
            #expect(session.accept(token))
            text += TestVocabulary.shared.text(token)
        }
        try #require(session.isComplete, "unfinished: \(String(decoding: text, as: UTF8.self))")
        #expect(throws: Never.self) { try JSONDocument(text, limits: JSONLimits(depth: 70)) }
        let whole = GrammarConstraint(grammar, TestVocabulary.shared, forcesSpelling: false)
        #expect(TestVocabulary.admits(whole, String(decoding: text, as: UTF8.self)))
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
            #expect(session.accept(token))
        }
        #expect(session.isComplete)
        #expect(session.forced.isEmpty)
        session.allow(into: &mask)
        #expect(mask.tokens == [TestVocabulary.stop])
    }

    @Test func refusesATokenThatIsNotAllowedAndStaysWhereItWas() throws {
        var session = try TestVocabulary.constraint(#"{"type":"boolean"}"#)
        #expect(!session.accept(Token(UInt8(ascii: "x"))))
        #expect(!session.accept(TestVocabulary.stop))
        #expect(!session.accept(-1))
        #expect(!session.accept(100_000))
        #expect(session.accept(Token(UInt8(ascii: "t"))))
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
