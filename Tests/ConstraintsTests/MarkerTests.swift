import Constraints
import EngineContract
import JSON
import Testing

/// Where a marker begins in free text: exactly where a reader of the answer finds one.
struct MarkerTests {
    /// Whether a call has begun behind a text: the constraint then demands its rest.
    private func begins(_ marker: String, _ text: String, isAtStart: Bool = false) throws -> Bool {
        let free = FreeText(
            until: [FreeText.Branch([.text(marker)], isAtStart: isAtStart, then: .literal("rest"))],
            mayEnd: true,
            ignoresSpace: true
        )
        var session = GrammarConstraint(try Grammar(.text(free)), TestVocabulary.shared, forcesSpelling: false)
        for byte in text.utf8 {
            guard session.accept(Token(byte)) else {
                Issue.record("refused within \(text)")
                return false
            }
        }
        return !session.isComplete
    }

    @Test func whiteSpaceIsPassedOverWhereTheMarkerHasSomeAndBetweenSigns() throws {
        #expect(try begins("<function=", "a <function="))
        #expect(try begins("<tool_call>\n{\"name\": \"", "<tool_call>{\"name\":\""))
        #expect(try begins("<tool_call>\n{\"name\": \"", "<tool_call> \n { \"name\"\n:  \""))
        #expect(try begins("{\"name\":", "{" + String(repeating: " ", count: 32) + "\"name\":", isAtStart: true))
        #expect(try begins("{\"name\":", "\n\n {\"name\":", isAtStart: true))
    }

    @Test func whiteSpaceElsewhereMakesItText() throws {
        #expect(try !begins("<function=", "a < function="))
        #expect(try !begins("<tool_call>", "<tool _call>"))
        #expect(try !begins("<tool_call>", "< tool_call>"))
        #expect(try !begins("{\"name\":", "{" + String(repeating: " ", count: 33) + "\"name\":", isAtStart: true))
        #expect(try !begins("{\"name\":", "{\" name\":", isAtStart: true))
    }

    @Test func markerIsFoundBehindTheBeginningOfAnother() throws {
        #expect(try begins("<<a", "<<<a"))
        #expect(try begins("<<a", "< < <a"))
        #expect(try begins("aab", "aaab"))
        #expect(try !begins("<<a", "<b<a"))
    }
}
