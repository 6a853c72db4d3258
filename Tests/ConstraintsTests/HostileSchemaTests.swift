import Constraints
import EngineContract
import JSON
import Testing

/// Schemas that are made to cost time or memory are refused, or cost little.
struct HostileSchemaTests {
    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        return try clock.measure(body) / .seconds(1)
    }

    static let schemas: [String: String] = {
        let objects = (0..<10_000).map {
            #"{"type":"object","properties":{"k\#($0)":{"const":\#($0)}},"required":["k\#($0)"]}"#
        }
        let flags = (0..<24).map { #"{"anyOf":[{"required":["a\#($0)"]},{"required":["b\#($0)"]}]}"# }
        let nested = String(repeating: #"{"items":"#, count: 60) + "{}" + String(repeating: "}", count: 60)
        return [
            "10,000 alternatives": #"{"anyOf":[\#(objects.joined(separator: ","))]}"#,
            "10,000 exclusive alternatives": #"{"oneOf":[\#(objects.joined(separator: ","))]}"#,
            "10,000 strings": #"{"enum":[\#((0..<10_000).map { "\"value \($0)\"" }.joined(separator: ","))]}"#,
            "products": #"{"allOf":[\#(flags.joined(separator: ","))]}"#,
            "depth": nested,
            "catastrophic pattern": #"{"type":"string","pattern":"^(a+)+(a|a)*(a*)*b$"}"#,
            "nested counts": #"{"type":"string","pattern":"^((a{1,1000}b?){1,1000}c?){1,1000}$"}"#,
            "floating counts": #"{"type":"string","pattern":"(.{1,5000}x){1,5000}"}"#,
            "states": #"{"type":"string","pattern":"(a|b)*a(a|b){300}$"}"#,
            "long string": #"{"type":"string","minLength":10000,"maxLength":20000}"#,
            "long pattern": #"{"type":"string","pattern":"^[a-z]{1,20000}$"}"#,
            "optional atoms": #"{"type":"string","pattern":"^\#(String(repeating: "a?", count: 2000))$"}"#,
            "groups": #"{"type":"string","pattern":"\#(String(repeating: "(", count: 3000))"}"#,
            "many items": #"{"type":"array","minItems":50000,"maxItems":60000,"items":{"type":"integer"}}"#,
            "negations":
                #"{"type":"string","allOf":[\#((0..<30).map { #"{"not":{"pattern":"[a\#($0)].*\#($0)x"}}"# }.joined(separator: ","))]}"#,
            "recursion": ##"{"anyOf":[{"$ref":"#"},{"type":"null"}]}"##,
            "great divisor": #"{"type":"integer","multipleOf":1000000007}"#,
            "digits": #"{"type":"number","minimum":1e400}"#,
        ]
    }()

    @Test(arguments: Self.schemas.keys.sorted())
    func schemaCostsLittleOrIsRefused(_ name: String) throws {
        let schema = try #require(Self.schemas[name])
        var memory = 0
        let time = try seconds {
            let node = try TestVocabulary.node(schema)
            guard let grammar = try? Grammar(schema: node) else { return }
            var session = GrammarConstraint(grammar, TestVocabulary.shared)
            var mask = TokenMask(tokenCount: TestVocabulary.shared.tokenCount)
            for _ in 0..<50 {
                session.allow(into: &mask)
                guard let token = mask.tokens.last, session.accept(token) else { break }
            }
            memory = session.approximateBytes
        }
        // A build without optimization takes some ten times as long as a release.
        #expect(time < 30)
        #expect(memory < 64 << 20)
    }

    private func alternatives(_ count: Int) -> String {
        let objects = (0..<count).map {
            #"{"type":"object","properties":{"k":{"type":"string","pattern":"^[a-z]{\#($0),}x"}},"required":["k"]}"#
        }
        return #"{"anyOf":[\#(objects.joined(separator: ","))]}"#
    }

    @Test func moreAlternativesThanCanBeReadSideBySideAreRefused() throws {
        #expect(TestVocabulary.reason(alternatives(600)) == .tooComplex)
        let few = try TestVocabulary.constraint(alternatives(40))
        #expect(TestVocabulary.admits(few, #"{"k":"abcx"}"#))
    }

    /// Products of alternatives are more readings than any one value has.
    @Test func maskOfManyReadingsTakesBoundedWorkAndIsTheSameEachTime() throws {
        let inner = (0..<100).map { #"{"type":"array","items":{"type":"string","pattern":"[a-z]{\#($0),}x"}}"# }
        let objects = (0..<100).map {
            ##"{"type":"object","properties":{"k":{"$ref":"#/$defs/k"},"m":{"const":\##($0)}},"required":["k"]}"##
        }
        let schema = """
            {"anyOf":[\(objects.joined(separator: ","))],"$defs":{"k":{"anyOf":[\(inner.joined(separator: ","))]}}}
            """
        let grammar = try TestVocabulary.grammar(schema)
        var masks: [[Token]] = []
        for _ in 0..<2 {
            var session = GrammarConstraint(grammar, TestVocabulary.shared, forcesSpelling: false)
            for byte in #"{"k":["ab"#.utf8 where !session.accept(Token(byte)) { Issue.record("refused") }
            var mask = TokenMask(tokenCount: TestVocabulary.shared.tokenCount)
            for _ in 0..<2 {
                session.allow(into: &mask)
                masks.append(mask.tokens)
            }
        }
        #expect(Set(masks).count == 1)
        #expect(masks[0].count > 50)
    }

    static let longAnswers: [(schema: String, text: String)] = {
        let strings = (0..<4).map { #"{"type":"string","minLength":\#(300 + $0),"maxLength":\#(1200 + 20 * $0)}"# }
        let item = #"{"type":"object","properties":{"a":{"type":"boolean"}},"required":["a"]}"#
        let items = repeatElement(#"{"a":true}"#, count: 400).joined(separator: ",")
        let names = (0..<40).map { #""n\#($0)":{"type":"integer"}"# }
        let members = (0..<40).map { #""n\#(39 - $0)":\#($0)"# }
        return [
            (#"{"anyOf":[\#(strings.joined(separator: ","))]}"#, "\"" + String(repeating: "é", count: 1000) + "\""),
            (#"{"type":"array","items":\#(item),"minItems":300,"maxItems":500}"#, "[\(items)]"),
            (
                #"{"type":"object","properties":{\#(names.joined(separator: ","))}}"#,
                "{\(members.joined(separator: ","))}"
            ),
        ]
    }()

    /// A text that needs more than the tables hold goes on in new ones, and so do the sessions beside it.
    @Test(arguments: Self.longAnswers)
    func boundsMetInMidAnswerHarmNoSession(_ schema: String, _ text: String) throws {
        let grammar = try TestVocabulary.grammar(schema, SchemaOptions(isOrdered: false))
        let start = GrammarConstraint(
            grammar,
            TestVocabulary.shared,
            forcesSpelling: false,
            limits: TableLimits(nodes: 8000, frames: 120)
        )
        var sessions = [start, start]
        var mask = TokenMask(tokenCount: TestVocabulary.shared.tokenCount)
        for (index, byte) in text.utf8.enumerated() {
            if index % 7 == 0 {
                sessions[0].allow(into: &mask)
                if !mask.contains(Token(byte)) { Issue.record("byte \(index) is not allowed") }
            }
            guard sessions[0].accept(Token(byte)) else {
                Issue.record("byte \(index) is refused")
                return
            }
            // The other lags behind, in tables that the first has worn out.
            let isAccepted = index % 2 == 1 || sessions[1].accept(Token(Array(text.utf8)[index / 2]))
            if !isAccepted { Issue.record("byte \(index / 2) of the second is refused") }
        }
        #expect(sessions[0].isComplete)
    }

    private func toolList(_ schemas: [String], isClosed: Bool = false) throws -> GrammarElement {
        var choices: [(text: String, then: GrammarElement)] = []
        for (index, schema) in schemas.enumerated() {
            var options = SchemaOptions(ignoresUnsupported: true, layout: .spaced)
            options.isClosed = isClosed
            choices.append(("tool\(index) ", .schema(try TestVocabulary.node(schema), options)))
        }
        return .choice(choices)
    }

    @Test func longListOfToolsCompiles() throws {
        let schemas = (0..<500).map {
            """
            {"type":"object","properties":{"path\($0)":{"type":"string","description":"where"},
             "count":{"type":"integer","minimum":\($0),"maximum":\($0 + 5000)},"mode":{"enum":["a\($0)","b"]},
             "code":{"type":"string","pattern":"^[A-Z]{2}\($0)+$"},"tags":{"type":"array","items":{"type":"string"}},
             "day":{"type":"string","format":"date"}},"required":["path\($0)"]}
            """
        }
        let list = try toolList(schemas)
        var (grammar, time): (Grammar?, Double) = (nil, 0)
        time = try seconds { grammar = try Grammar(list) }
        #expect(time < 60)
        let session = GrammarConstraint(try #require(grammar), TestVocabulary.shared)
        #expect(session.approximateBytes < 64 << 20)
        #expect(TestVocabulary.admits(session, #"tool499 {"path499": "x"}"#))
    }

    /// As many as a request may have.
    @Test func longestListOfSmallToolsCompiles() throws {
        let schemas = (0..<2000).map {
            """
            {"type":"object","properties":{"path\($0)":{"type":"string","maxLength":\($0 + 3)},
             "items":{"type":"array","items":{"type":"object","properties":{"x\($0)":{"type":"number"},
               "y":{"type":["string","null"]}}}},
             "more":{"type":"object","properties":{"mode":{"enum":["a\($0)","b"]}},"additionalProperties":false}},
             "required":["path\($0)"]}
            """
        }
        let grammar = try Grammar(try toolList(schemas, isClosed: true))
        let session = GrammarConstraint(grammar, TestVocabulary.shared)
        #expect(session.approximateBytes < 64 << 20)
        #expect(TestVocabulary.admits(session, #"tool1999 {"path1999": "x", "items": [{"y": null}]}"#))
        #expect(!TestVocabulary.admits(session, #"tool1999 {"path1998": "x"}"#))
    }

    @Test func longListOfHostileSchemasIsRefusedByTheWorkOnAll() throws {
        let patterns = (0..<300).map {
            #"{"type":"string","allOf":[{"pattern":"(a|b)*a(a|b){\#($0)}"},{"pattern":"(a|c)*c(a|c){200}$"},{"minLength":9}]}"#
        }
        let products = (0..<300).map { tool in
            let flags = (0..<9).map { #"{"anyOf":[{"required":["a\#($0)x\#(tool)"]},{"required":["b\#($0)"]}]}"# }
            return #"{"type":"object","allOf":[\#(flags.joined(separator: ","))]}"#
        }
        for schemas in [patterns, products] {
            let list = try toolList(schemas)
            let time = seconds { #expect(throws: SchemaError.self) { try Grammar(list) } }
            #expect(time < 60)
        }
    }

    @Test func longCountsCostNoMemoryBeforeTheyAreUsed() throws {
        let grammar = try TestVocabulary.grammar(#"{"type":"string","pattern":"^[a-z]{1,20000}$","maxLength":15000}"#)
        #expect(grammar.approximateBytes < 1 << 20)
    }

    @Test func patternBesideLargeCountsIsEnforced() throws {
        for pattern in [#"\\S"#, "x$", "^[a-f]", "^(?!ab)"] {
            let schema = #"{"type":"string","pattern":"\#(pattern)","minLength":15000,"maxLength":60000}"#
            _ = try TestVocabulary.grammar(schema)
        }
        let constraint = try TestVocabulary.constraint(
            #"{"type":"string","pattern":"\\S","minLength":1000,"maxLength":60000}"#
        )
        let spaces = String(repeating: " ", count: 999)
        #expect(TestVocabulary.admits(constraint, "\"\(spaces)x\""))
        #expect(!TestVocabulary.admits(constraint, "\"\(spaces) \""))
        #expect(!TestVocabulary.admits(constraint, "\"\(spaces.dropLast())x\""))
        // No text has both lengths.
        #expect(TestVocabulary.reason(#"{"type":"string","pattern":"^.{0,14000}$","minLength":15000}"#) != nil)
    }

    @Test func depthIsBounded() throws {
        let constraint = try TestVocabulary.constraint(
            ##"{"type":"array","items":{"$ref":"#"}}"##,
            SchemaOptions(depth: 64)
        )
        let text = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(TestVocabulary.admits(constraint, text(64)))
        #expect(!TestVocabulary.admits(constraint, text(65)))
        // Where nothing deeper fits, nothing begins that would have to be deeper.
        for (schema, unit, end) in [
            (
                ##"{"type":"object","properties":{"a":{"$ref":"#"}},"additionalProperties":false}"##,
                #"{"a":"#,
                "}"
            ),
            (##"{"type":"array","prefixItems":[{"type":"integer"}],"items":{"$ref":"#"}}"##, "[1,", "]"),
        ] {
            let constraint = try TestVocabulary.constraint(schema, SchemaOptions(depth: 8))
            let last = unit.hasPrefix("{") ? "{" : "[1"
            func text(_ depth: Int) -> String {
                String(repeating: unit, count: depth - 1) + last + String(repeating: end, count: depth)
            }
            #expect(TestVocabulary.admits(constraint, text(8)) && !TestVocabulary.admits(constraint, text(9)))
            var session = constraint
            for byte in (String(repeating: unit, count: 7) + last).utf8 where !session.accept(Token(byte)) {
                Issue.record("refused")
            }
            var mask = TokenMask(tokenCount: TestVocabulary.shared.tokenCount)
            session.allow(into: &mask)
            let isOpen = mask.contains(Token(UInt8(ascii: "\""))) || mask.contains(Token(UInt8(ascii: ",")))
            #expect(!isOpen && mask.contains(Token(UInt8(ascii: unit.hasPrefix("{") ? "}" : "]"))), "\(schema)")
        }
        // Nor does it where something else fits.
        let nullable = try TestVocabulary.constraint(
            ##"{"type":["object","array","null"],"properties":{"a":{"$ref":"#"}},"items":{"$ref":"#"}}"##,
            SchemaOptions(depth: 8)
        )
        for (start, last, end) in [(#"{"a":"#, "{}", "}"), ("[", "[]", "]")] {
            for depth in 8...9 {
                let text = String(repeating: start, count: depth - 1) + last + String(repeating: end, count: depth - 1)
                #expect(TestVocabulary.admits(nullable, text) == (depth == 8), "\(text)")
            }
        }
    }

    private static func key(_ text: String) -> GrammarKey { GrammarKey([Array(text.utf8)[...]]) }

    @Test func cacheKeepsWithinItsBound() throws {
        let cache = GrammarCache(TestVocabulary.shared, mostBytes: 1 << 18)
        for index in 0..<100 {
            let node = try TestVocabulary.node(#"{"const":\#(index)}"#)
            _ = try cache.constraint(Self.key("\(index)")) { () throws(SchemaError) in .schema(node, SchemaOptions()) }
        }
        #expect(cache.count < 100)
        #expect(cache.count > 0)
        var compiled = 0
        let node = try TestVocabulary.node("true")
        for _ in 0..<3 {
            let made = try cache.constraint(Self.key("same")) { () throws(SchemaError) in
                compiled += 1
                return .schema(node, SchemaOptions())
            }
            #expect(TestVocabulary.admits(made.constraint, "true"))
            #expect(!TestVocabulary.admits(made.constraint, "tru"))
        }
        #expect(compiled == 1)
    }

    @Test func entryThatIsUsedAgainCountsOnce() throws {
        let cache = GrammarCache(TestVocabulary.shared)
        let node = try TestVocabulary.node(#"{"const":"abc"}"#)
        var sizes: [Int] = []
        for _ in 0..<4 {
            _ = try cache.constraint(Self.key("")) { () throws(SchemaError) in .schema(node, SchemaOptions()) }
            sizes.append(cache.approximateBytes)
        }
        #expect(cache.count == 1 && sizes[1] == sizes[3])
    }

    @Test func keysWithOtherPartsAreOtherKeys() {
        let key = { (parts: String...) in GrammarKey(parts.map { Array($0.utf8)[...] }) }
        #expect(key("ab", "c") == key("ab", "c"))
        #expect(Set([key("ab", "c"), key("a", "bc"), key("abc"), key("ab", "c", ""), key("ab", "d")]).count == 5)
    }

    @Test func sessionsThatBeginWhenTablesHaveGrownGetNewOnes() throws {
        let node = try TestVocabulary.node(#"{"type":"array","items":{"type":"string","pattern":"^[a-z]{1,2000}$"}}"#)
        func session(_ cache: GrammarCache) throws -> GrammarConstraint {
            try cache.constraint(Self.key("")) { () throws(SchemaError) in .schema(node, SchemaOptions()) }.constraint
        }
        let fresh = try session(GrammarCache(TestVocabulary.shared)).approximateBytes
        for (bound, isNew) in [(fresh + 50_000, true), (fresh + 50_000_000, false)] {
            let cache = GrammarCache(TestVocabulary.shared, mostTableBytes: bound)
            var growing = try session(cache)
            for byte in "[\"\(String(repeating: "a", count: 300))".utf8 { _ = growing.accept(Token(byte)) }
            let grown = growing.approximateBytes
            #expect(grown > fresh + 50_000)
            let isSmaller = try session(cache).approximateBytes < grown
            #expect(isSmaller == isNew)
            // The session itself goes on.
            let isAccepted = growing.accept(Token(UInt8(ascii: "b")))
            #expect(isAccepted)
        }
    }

    /// Tables grow with the answers, after the schema is known.
    @Test func cacheKeepsWithinItsBoundWhenItsTablesGrow() throws {
        let cache = GrammarCache(TestVocabulary.shared, mostBytes: 1 << 20)
        let node = try TestVocabulary.node(#"{"type":"string","pattern":"^[a-z]{1,20000}$"}"#)
        func session(_ key: Int) throws -> GrammarConstraint {
            try cache.constraint(Self.key("\(key)")) { () throws(SchemaError) in .schema(node, SchemaOptions()) }
                .constraint
        }
        for key in 0..<4 {
            var growing = try session(key)
            _ = growing.accept(Token(UInt8(ascii: "\"")))
            for _ in 0..<400 { _ = growing.accept(Token(UInt8(ascii: "a"))) }
        }
        for key in 0..<4 { _ = try session(key) }
        #expect(cache.count < 4)
        #expect(cache.count > 0)
        #expect(cache.approximateBytes <= 1 << 20)
    }
}
