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
}
