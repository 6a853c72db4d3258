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

    private func toolList(_ schemas: [String]) throws -> GrammarElement {
        var choices: [(text: String, then: GrammarElement)] = []
        for (index, schema) in schemas.enumerated() {
            let options = SchemaOptions(ignoresUnsupported: true, layout: .spaced)
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

    @Test func depthIsBounded() throws {
        let constraint = try TestVocabulary.constraint(
            ##"{"type":"array","items":{"$ref":"#"}}"##,
            SchemaOptions(depth: 64)
        )
        let text = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(TestVocabulary.admits(constraint, text(64)))
        #expect(!TestVocabulary.admits(constraint, text(65)))
    }

    @Test func cacheKeepsWithinItsBound() throws {
        let cache = GrammarCache(TestVocabulary.shared, mostBytes: 1 << 18)
        for index in 0..<100 {
            let node = try TestVocabulary.node(#"{"const":\#(index)}"#)
            _ = try cache.constraint("\(index)") { () throws(SchemaError) in .schema(node, SchemaOptions()) }
        }
        #expect(cache.count < 100)
        #expect(cache.count > 0)
        var compiled = 0
        let node = try TestVocabulary.node("true")
        for _ in 0..<3 {
            let made = try cache.constraint("same") { () throws(SchemaError) in
                compiled += 1
                return .schema(node, SchemaOptions())
            }
            #expect(TestVocabulary.admits(made.constraint, "true"))
            #expect(!TestVocabulary.admits(made.constraint, "tru"))
        }
        #expect(compiled == 1)
    }
}
