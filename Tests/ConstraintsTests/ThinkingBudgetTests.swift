import Constraints
import EngineContract
import Support
import Testing

/// Answers that think no more than they may.
@Suite struct ThinkingBudgetTests {
    private let vocabulary = TestVocabulary.shared

    private func tokens(_ text: String) -> [Token] { text.utf8.map { Token($0) } }

    private func budget(
        _ tokens: Int,
        isInside: Bool = true,
        inner: (any TokenConstraint)? = nil,
        closing: String = "\n</t>\n\n"
    ) -> ThinkingBudget {
        ThinkingBudget(
            inner,
            budget: tokens,
            start: "<t>",
            end: "</t>",
            closing: self.tokens(closing),
            isInsideThinking: isInside,
            vocabulary: vocabulary
        )
    }

    /// What a model says that would go on for ever with a text, from behind its beginning.
    private func answer(_ beginning: String, _ constraint: ThinkingBudget, then next: String, count: Int) -> String {
        var constraint = constraint
        var mask = TokenMask(tokenCount: vocabulary.tokenCount)
        var result: [Token] = []
        let wished = tokens(beginning) + (0..<count).flatMap { _ in tokens(next) }
        for wish in wished.prefix(count) {
            constraint.allow(into: &mask)
            let forced = constraint.forced
            if let first = forced.first { #expect(mask.tokens == [first]) }
            guard let token = mask.contains(wish) ? wish : mask.first else { break }
            let isAccepted = constraint.accept(token)
            #expect(isAccepted)
            result.append(token)
        }
        return String(decoding: result.flatMap { vocabulary.text($0) }, as: UTF8.self)
    }

    @Test("At the budget a thought is ended, and the answer goes on")
    func enforced() {
        #expect(answer("", budget(5), then: "a", count: 18) == "aaaaa\n</t>\n\naaaaaa")
        #expect(answer("<t>", budget(5, isInside: false), then: "a", count: 18) == "<t>aaaaa\n</t>\n\naaa")
        #expect(answer(" \n<t>", budget(5, isInside: false), then: "a", count: 18) == " \n<t>aaaaa\n</t>\n\na")
        #expect(answer("", budget(0), then: "a", count: 9) == "\n</t>\n\naa")
        #expect(answer("<t>", budget(0, isInside: false), then: "a", count: 12) == "<t>\n</t>\n\naa")
    }

    @Test("A thought that ends by itself is left alone, and so is an answer without one")
    func ends() {
        #expect(answer("ab</t>", budget(9), then: "a", count: 20) == "ab</t>aaaaaaaaaaaaaa")
        #expect(answer("", budget(3, isInside: false), then: "a", count: 20) == String(repeating: "a", count: 20))
        // Not where a thought may begin.
        #expect(answer("a<t>", budget(3, isInside: false), then: "a", count: 12) == "a<t>aaaaaaaa")
        #expect(answer("</t><t>", budget(3, isInside: false), then: "a", count: 17) == "</t><t>aaa\n</t>\n\n")
        // A marker that is not one.
        #expect(answer("</b>", budget(6), then: "a", count: 15) == "</b>aa\n</t>\n\naa")
    }

    @Test("Several thoughts share the budget")
    func several() {
        #expect(answer("ab</t>\n<t>", budget(8), then: "c", count: 20) == "ab</t>\n<t>cc\n</t>\n\nc")
    }

    @Test("Markers are found in tokens of whatever size")
    func pieces() {
        let texts: [[UInt8]] =
            (0..<128).map { [UInt8($0)] } + ["b</", "t>x", "a</t>b", "\n<t", ">c"].map { Array($0.utf8) } + [[], []]
        let vocabulary = Vocabulary(texts: texts, stopTokens: [Token(texts.count - 1)])
        func rest(_ tokens: [Token], isInside: Bool) -> [Token] {
            var constraint = ThinkingBudget(
                nil,
                budget: 4,
                start: "<t>",
                end: "</t>",
                closing: [1, 2],
                isInsideThinking: isInside,
                vocabulary: vocabulary,
                specialTexts: [133: Array("<t>".utf8)]
            )
            for token in tokens {
                let isAccepted = constraint.accept(token)
                #expect(isAccepted)
            }
            return constraint.forced
        }
        #expect(rest([97, 97, 97, 97], isInside: true) == [1, 2])
        #expect(rest([97, 128, 129, 97, 97], isInside: true) == [])
        #expect(rest([97, 130, 97, 97, 97], isInside: true) == [])
        #expect(rest([131, 132, 97, 97, 97], isInside: false) == [])
        #expect(rest([131, 132, 97, 97, 97, 97], isInside: false) == [1, 2])
        #expect(rest([133, 97, 97, 97, 97], isInside: false) == [1, 2])
        #expect(rest([133, 97, 97, 97, 97, 1], isInside: false) == [2])
    }

    @Test("The constraint inside sees every token, and what it wants behind the thought comes there")
    func inner() throws {
        let form = try Grammar(
            .sequence([
                .text(FreeText(until: [FreeText.Branch([.text("</t>")], then: .sequence([.literal("\n{}")]))]))
            ])
        )
        let inner = GrammarConstraint(form, vocabulary, forcesSpelling: false)
        // Of the closing tokens, the second line break does not fit.
        #expect(
            answer("", budget(3, inner: inner), then: "a", count: 30) == "aaa\n</t>\n{}"
        )
        var constraint = budget(3, inner: inner)
        for (index, token) in tokens("aaa\n</t>\n{}").enumerated() {
            #expect(!constraint.isFinished)
            if index == 3 { #expect(constraint.forced == tokens("\n</t>\n")) }
            let isAccepted = constraint.accept(token)
            #expect(isAccepted)
        }
        #expect(constraint.isFinished && constraint.isComplete)
    }

    @Test("A thought behind one that was ended early has no budget left")
    func thoughtBehindAnother() throws {
        let last = GrammarElement.text(FreeText(until: [FreeText.Branch([.text("</t>")], then: .literal("\n!"))]))
        let next = GrammarElement.sequence([.literal("\n<t>"), last])
        let form = try Grammar(.text(FreeText(until: [FreeText.Branch([.text("</t>")], then: next)])))
        let inner = GrammarConstraint(form, vocabulary, forcesSpelling: false)
        // The closing tokens' second line break does not fit, neither time.
        #expect(answer("", budget(3, inner: inner), then: "a", count: 40) == "aaa\n</t>\n<t>\n</t>\n!")
    }

    @Test("A token that is not the one forced is refused, and changes nothing")
    func refusal() {
        var constraint = budget(1)
        let thought = constraint.accept(97)
        let wrong = constraint.accept(97)
        #expect(thought && !wrong && constraint.forced == tokens("\n</t>\n\n") && !constraint.isComplete)
        var mask = TokenMask(tokenCount: vocabulary.tokenCount)
        for token in constraint.forced {
            constraint.allow(into: &mask)
            #expect(mask.tokens == [token])
            let isAccepted = constraint.accept(token)
            #expect(isAccepted)
        }
        constraint.allow(into: &mask)
        #expect(mask.count == vocabulary.tokenCount && constraint.isComplete)
    }
}
