import Constraints
import JSON
import Testing

/// Schemas and patterns that are made to crash the reader, or to keep it at work, are refused in little time.
struct HostileShapeTests {
    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        return try clock.measure(body) / .seconds(1)
    }

    // MARK: Crashes

    @Test(arguments: [
        "(?<a", "(?<", "(?P<a", "(?P<", "(?", "(", "[", "[^", "[a-", "[\\\\", "\\\\", "a{", "a{1", "a{1,", "\\\\x1",
        "\\\\u",
        "\\\\u{", "\\\\ud83d", "\\\\ud83d\\\\u", "\\\\c", "(?<a|b",
    ])
    func patternThatEndsTooEarlyIsRefusedOrRead(_ pattern: String) {
        // Braces that open no quantifier stand for themselves.
        let isWhole = pattern.hasPrefix("a{")
        #expect(TestVocabulary.reason(#"{"type":"string","pattern":"\#(pattern)"}"#) == (isWhole ? nil : .unsupported))
    }

    @Test func lengthsOfNestedCountsDoNotOverflow() {
        let long = String(repeating: "((?:a{1000000}){1000000})", count: 20)
        for pattern in ["^(\(long)){1000000}$", "(a?\(long)){1000000}(\(long)b?){1000000}"] {
            _ = TestVocabulary.reason(#"{"type":"string","pattern":"\#(pattern)"}"#)
        }
    }

    @Test(arguments: [
        ##"{"$ref":"#/$defs/a%"}"##, ##"{"allOf":[{"$ref":"#/$defs/a%"}]}"##, ##"{"not":{"$ref":"#/$defs/a%"}}"##,
        ##"{"anyOf":[{"$ref":"#/$defs/a%"},{"type":"null"}]}"##, ##"{"oneOf":[{"$ref":"#/$defs/a%"}]}"##,
    ])
    func longChainOfReferencesIsRefused(_ link: String) {
        let schema = { (count: Int) in
            let links = (0..<count).map { #""a\#($0)":\#(link.replacing("%", with: "\($0 + 1)"))"# }
            return
                ##"{"$ref":"#/$defs/a0","$defs":{\##(links.joined(separator: ",")),"a\##(count)":{"type":"string"}}}"##
        }
        #expect(TestVocabulary.reason(schema(5000)) == .tooComplex)
        #expect(TestVocabulary.reason(schema(50)) == nil)
    }

    // MARK: Time. A build without optimization takes some ten times as long as a release.

    private static func list(_ count: Int, _ item: (Int) -> String) -> String {
        (0..<count).map(item).joined(separator: ",")
    }

    @Test func largeAlternativesThatMayHoldAtOnceAreRefusedSoon() {
        let object = { (first: Int) in
            let members = Self.list(2000) { #""m\#($0 + first)":{}"# }
            let names = Self.list(2000) { #""m\#($0 + first)""# }
            return #"{"type":"object","properties":{\#(members)},"required":[\#(names)]}"#
        }
        let references = Self.list(40) { _ in ##"{"$ref":"#/$defs/big"}"## }
        let same = ##"{"oneOf":[\##(references)],"$defs":{"big":\##(object(0))}}"##
        let different = #"{"oneOf":[\#(Self.list(20, object))]}"#
        for schema in [same, different] {
            var reason: SchemaError.Reason?
            let time = seconds { reason = TestVocabulary.reason(schema) }
            #expect(reason == .tooComplex)
            #expect(time < 30)
        }
    }

    @Test func alternativesThatOneMemberTellsApartAreFew() throws {
        let alternatives = Self.list(150) { kind in
            let names = Self.list(20) { #""m\#($0)""# }
            let members = Self.list(20) { #""m\#($0)":{"type":"integer"}"# }
            return
                #"{"type":"object","properties":{"kind":{"const":"k\#(kind)"},\#(members)},"required":["kind",\#(names)]}"#
        }
        #expect(TestVocabulary.reason(#"{"oneOf":[\#(alternatives)]}"#) == nil)
    }

    @Test func combinationsOfLargeObjectsAreRefusedSoon() {
        let members = { (name: String) in Self.list(4000) { #""\#(name)\#($0)":{}"# } }
        let alternatives = Self.list(2000) { #"{"required":["c\#($0)"]}"# }
        let rest = Self.list(10) { _ in #"{"minProperties":0}"# }
        let schema =
            #"{"allOf":[{"properties":{\#(members("a"))}},{"properties":{\#(members("b"))}},{"anyOf":[\#(alternatives)]},\#(rest)]}"#
        var reason: SchemaError.Reason?
        let time = seconds { reason = TestVocabulary.reason(schema) }
        #expect(reason == .tooComplex)
        #expect(time < 30)
    }

    @Test func longListsInCommonTakeLittleTime() throws {
        let numbers = Self.list(10_000) { String($0) }
        let strings = Self.list(10_000) { "\"value \($0)\"" }
        for values in [numbers, strings] {
            let time = seconds {
                _ = TestVocabulary.reason(
                    #"{"allOf":[{"enum":[\#(values)]},{"enum":[\#(values)]},{"enum":[\#(values)]}]}"#
                )
            }
            #expect(time < 30)
        }
    }

    @Test func manyKeywordsThatAreLeftOutTakeLittleTime() throws {
        let members = Self.list(12_000) { #""m\#($0)":{"uniqueItems":true}"# }
        let schema = #"{"type":"object","properties":{\#(members)}}"#
        var grammar: Grammar?
        let time = try seconds {
            grammar = try TestVocabulary.grammar(schema, SchemaOptions(ignoresUnsupported: true))
        }
        #expect(time < 30)
        #expect(grammar?.ignored.count == 1000)
        #expect(grammar?.ignored.allSatisfy { $0.hasSuffix(".uniqueItems") } == true)
    }

    @Test func keywordsThatAreLeftOutAreNamedInTheOrderOfTheText() throws {
        let schema = ##"""
            {"properties":{"a":{"uniqueItems":true},"b":{"anyOf":[true,{"uniqueItems":true,"contains":{}}]},
             "c":{"$ref":"#/$defs/d"}},"uniqueItems":true,"$defs":{"d":{"type":"array","uniqueItems":true}}}
            """##
        let body = try TestVocabulary.node(#"{"tools":[0,\#(schema)]}"#)["tools"][1]
        let options = SchemaOptions(ignoresUnsupported: true)
        for (node, start) in [(try TestVocabulary.node(schema), ""), (body, "tools.1.")] {
            let paths = [
                "properties.a.uniqueItems", "properties.b.anyOf.1.uniqueItems", "properties.b.anyOf.1.contains",
                "uniqueItems", "$defs.d.uniqueItems",
            ]
            #expect(try Grammar(schema: node, options: options).ignored == paths.map { start + $0 })
        }
    }

    @Test func manyReferencesTakeLittleTime() throws {
        let members = Self.list(6000) { ##""m\##($0)":{"$ref":"#/$defs/d\##($0)"}"## }
        let definitions = Self.list(6000) { #""d\#($0)":{"const":\#($0)}"# }
        let schema = #"{"type":"object","properties":{\#(members)},"$defs":{\#(definitions)}}"#
        var grammar: Grammar?
        let time = try seconds { grammar = try TestVocabulary.grammar(schema) }
        #expect(time < 30)
        let constraint = GrammarConstraint(try #require(grammar), TestVocabulary.shared, forcesSpelling: false)
        #expect(TestVocabulary.admits(constraint, #"{"m17": 17, "m5999": 5999}"#))
        #expect(!TestVocabulary.admits(constraint, #"{"m17": 18}"#))
    }

    /// Objects, each of which must have the next as a member.
    private func chain(_ count: Int) -> String {
        let links = Self.list(count) {
            ##""a\##($0)":{"type":"object","properties":{"x":{"$ref":"#/$defs/a\##($0 + 1)"}},"required":["x"]}"##
        }
        return ##"{"$ref":"#/$defs/a0","$defs":{\##(links),"a\##(count)":{"type":"null"}}}"##
    }

    @Test func longChainOfRequiredObjectsTakesLittleTime() {
        var reason: SchemaError.Reason?
        let time = seconds { reason = TestVocabulary.reason(chain(4000)) }
        #expect(reason == .unsatisfiable)
        #expect(time < 30)
    }

    @Test func chainOfRequiredObjectsMayBeAsLongAsTheyMayBeDeep() {
        #expect(TestVocabulary.reason(chain(64)) == nil)
        #expect(TestVocabulary.reason(chain(65)) == .unsatisfiable)
    }

    @Test func ofSeveralFaultsTheFirstIsNamed() {
        let keywords = ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"]
        for shift in keywords.indices {
            let order = keywords[shift...] + keywords[..<shift]
            let schema = "{" + order.map { "\"\($0)\":-1" }.joined(separator: ",") + "}"
            let error = #expect(throws: SchemaError.self) { try TestVocabulary.grammar(schema) }
            #expect(error?.path == keywords[shift])
        }
    }
}
