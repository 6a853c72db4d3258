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

    @Test func longestOfTheMarkersThatEndAtOnceCountsAndOfEqualOnesTheFirst() throws {
        let branches = [("b", "0"), ("ab", "1"), ("ab", "2"), ("xab", "3")].map { marker, next in
            FreeText.Branch([.text(marker)], then: .literal(next))
        }
        let grammar = try Grammar(.text(FreeText(until: branches)))
        for (text, next) in [("b", "0"), ("cb", "0"), ("ab", "1"), ("xab", "3"), ("xxab", "3"), ("yab", "1")] {
            let constraint = GrammarConstraint(grammar, TestVocabulary.shared, forcesSpelling: false)
            for other in ["0", "1", "2", "3"] {
                #expect(TestVocabulary.admits(constraint, text + other) == (other == next), "\(text)\(other)")
            }
        }
    }

    @Test func forbiddenMarkerCannotBeCompleted() throws {
        let text = FreeText.Branch([.text("<call>")], then: nil)
        let token = FreeText.Branch([.token(TestVocabulary.control)], then: nil)
        let start = FreeText.Branch([.text("{\"n\":")], isAtStart: true, then: nil)
        let allowed = FreeText.Branch([.text("go!")], then: .literal("now"))
        let free = FreeText(until: [text, token, allowed, start], mayEnd: true, ignoresSpace: true)
        let grammar = try Grammar(.text(free))
        func reaches(_ text: String) -> (count: Int, mayEnd: Bool) {
            var session = GrammarConstraint(grammar, TestVocabulary.shared, forcesSpelling: false)
            var mask = TokenMask(tokenCount: TestVocabulary.shared.tokenCount)
            var count = 0
            for byte in text.utf8 {
                session.allow(into: &mask)
                #expect(!mask.contains(TestVocabulary.control))
                let isAccepted = session.accept(Token(byte))
                #expect(mask.contains(Token(byte)) == isAccepted, "\(text)")
                guard isAccepted else { break }
                count += 1
            }
            return (count, session.isComplete)
        }
        for (text, count) in [
            ("a <call>", 7), ("<call>", 5), ("<<call>", 6), ("<call >", 7), ("<call\n x", 8), ("< call>", 7),
            ("{\"n\":", 4), (" { \"n\" :", 7), ("a{\"n\":", 6), ("go!n", 4), ("go!x", 3),
        ] {
            let reached = reaches(text)
            #expect(reached.count == count, "\(text): \(reached)")
            #expect(reached.mayEnd == !text.hasPrefix("go!"), "\(text)")
        }
    }

    @Test func markerIsFoundBehindTheBeginningOfAnother() throws {
        #expect(try begins("<<a", "<<<a"))
        #expect(try begins("<<a", "< < <a"))
        #expect(try begins("aab", "aaab"))
        #expect(try !begins("<<a", "<b<a"))
    }
}
