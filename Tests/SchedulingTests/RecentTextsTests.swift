import EngineContract
import Support
import Testing

@testable import Scheduling

/// Drafts out of texts of other sessions.
@Suite(.timeLimit(.minutes(5))) struct RecentTextsTests {
    private static func sequence(_ tokens: [Token]) -> SequenceState {
        SequenceState(prompt: tokens, blockSize: 4)
    }

    private static func random(_ count: Int, _ numbers: inout SeededGenerator, below end: Token = 1000) -> [Token] {
        (0..<count).map { _ in Token.random(in: 0..<end, using: &numbers) }
    }

    // MARK: Texts

    @Test("A draft is what followed sixteen equal tokens, or else eight, or else four, where these came last")
    func longestMatch() {
        var numbers = SeededGenerator(seed: 3)
        let begin: [Token] = [1, 2, 3, 4]
        var texts = RecentTexts()
        var all: [[Token]] = []
        for _ in 0..<12 {
            all.append(begin + Self.random(60, &numbers, below: 5))
            texts.add(Self.sequence(all[all.count - 1]))
        }
        // Where a text was kept from, another one may have stood before it.
        let places = all.enumerated().reversed().flatMap { text in
            text.element.indices.reversed().map { (text: text.element, end: $0) }
        }
        var found: [Int: Int] = [:]
        for _ in 0..<400 {
            // From the middle of a text, or what hardly stands in one.
            let source = all[Int.random(in: 0..<all.count, using: &numbers)]
            let end = Int.random(in: 6...60, using: &numbers)
            let isCopy = Bool.random(using: &numbers)
            let other = isCopy ? Array(source[..<end]) : begin + Self.random(8, &numbers, below: 5)
            let draft = texts.tree(of: Self.sequence(other))?.draft(after: other, count: 5)
            var expected = TextDraft()
            for length in [16, 8, 4] where expected.matched == 0 && length <= other.count {
                let place = places.first { place in
                    place.end + 1 >= length && place.text[...place.end].suffix(length) == other.suffix(length)
                }
                if let place {
                    expected = TextDraft(tokens: Array(place.text[(place.end + 1)...].prefix(5)), matched: length)
                }
            }
            #expect(draft == expected)
            found[expected.matched, default: 0] += 1
        }
        #expect([0, 4, 8, 16].allSatisfy { found[$0, default: 0] > 10 }, "\(found)")
    }

    @Test("Sessions see the texts that begin with the same block, and no others")
    func trees() {
        var texts = RecentTexts()
        let text: [Token] = [1, 2, 3, 4, 50, 51, 52, 53, 54, 55, 56]
        texts.add(Self.sequence(text))
        let draft = { (tokens: [Token]) in
            texts.tree(of: Self.sequence(tokens))?.draft(after: tokens, count: 3).tokens ?? []
        }
        #expect(draft([1, 2, 3, 4, 9, 50, 51, 52, 53]) == [54, 55, 56])
        #expect(draft([1, 2, 3, 5, 9, 50, 51, 52, 53]) == [])
        // Too few tokens came before there, or none comes after.
        #expect(draft([1, 2, 3, 4, 9, 51, 52, 53]) == [])
        #expect(draft([1, 2, 3, 4, 9, 53, 54, 55, 56]) == [])
        #expect(draft([1, 2, 3]) == [])
        var none = RecentTexts()
        none.add(Self.sequence([1, 2, 3]))
        #expect(none.isEmpty)
    }

    @Test("What texts have in common is kept once, and an end that is no whole block, too")
    func sharedBeginnings() {
        var numbers = SeededGenerator(seed: 8)
        var texts = RecentTexts()
        var text = Self.random(2000, &numbers)
        for _ in 0..<50 {
            text += Self.random(7, &numbers)
            for _ in 0..<3 { texts.add(Self.sequence(text)) }
        }
        // Each time the new tokens, those of the block that they begin in, and those that they are found by.
        #expect(texts.tokenCount <= 2000 + 50 * (7 + 4 + GramIndex.lengths[0] + 1))
        let other = Array(text.dropLast(2))
        #expect(texts.tree(of: Self.sequence(other))?.draft(after: other, count: 9).tokens == Array(text.suffix(2)))
    }

    @Test("Memory is bounded, within a tree and in all: the oldest texts go first")
    func bounds() throws {
        var numbers = SeededGenerator(seed: 4)
        var texts = RecentTexts()
        var first: [[Token]] = []
        for tree in 0..<8 {
            for text in 0..<12 {
                let tokens = [Token(tree), 0, 0, 0] + Self.random(9000, &numbers)
                texts.add(Self.sequence(tokens))
                if text == 0 { first.append(tokens) }
                let kept = try #require(texts.tree(of: Self.sequence(tokens)))
                #expect(kept.tokens.count <= TextTree.maxTokens && texts.tokenCount <= RecentTexts.maxTokens)
                let other = Array(tokens.dropLast(3))
                #expect(kept.draft(after: other, count: 3).tokens == Array(tokens.suffix(3)))
            }
        }
        #expect(first.map { texts.tree(of: Self.sequence($0)) != nil }.first == false)
        let last = try #require(first.last)
        let kept = try #require(texts.tree(of: Self.sequence(last)))
        #expect(kept.draft(after: Array(last.dropLast(3)), count: 3) == TextDraft())
        // One that is longer than all that is kept.
        let long = [9, 9, 9, 9] + Self.random(100_000, &numbers)
        texts.add(Self.sequence(long))
        let end = Array(long.dropLast(3))
        #expect(texts.tree(of: Self.sequence(long))?.draft(after: end, count: 3).tokens == Array(long.suffix(3)))
        #expect(texts.tokenCount <= RecentTexts.maxTokens)
    }

    // MARK: Sessions

    /// Whatever it is asked, the answer is the same each time, and repeats nothing.
    private static let script: @Sendable ([Token]) -> Token = { tokens in
        Token((tokens.reduce(0) { ($0 &* 31 &+ Int($1) &+ 7) % 1_000_003 }) % 900)
    }

    private static let prompt = (0..<40).map { Token($0 * 3) }

    private func run(
        _ requests: [GenerationRequest],
        _ configuration: SchedulerConfiguration = SchedulerConfiguration()
    ) async throws -> (answers: [[Token]], statistics: SchedulerStatistics) {
        let engine = ScriptedEngine(description: .make(blocks: 400), script: Self.script)
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        var answers: [[Token]] = []
        for request in requests { answers.append(await (try scheduler.submit(request)).collect().tokens) }
        #expect(await scheduler.checkIntegrity() == nil)
        return (answers, await scheduler.statistics())
    }

    @Test("What was answered before is answered in fewer steps, and the same")
    func again() async throws {
        let once = try await run([.make(Self.prompt, 100)])
        let twice = try await run([.make(Self.prompt, 100), .make(Self.prompt, 100, client: "other")])
        #expect(twice.answers == [once.answers[0], once.answers[0]])
        // Seven of eight tokens ride along once drafts have their full length.
        #expect(twice.statistics.stepsTotal - once.statistics.stepsTotal < 25 && once.statistics.stepsTotal >= 100)
        #expect((twice.statistics.drafts[.recent]?.accepted ?? 0) > 75)
        #expect(once.statistics.drafts[.recent] == nil)
        var configuration = SchedulerConfiguration()
        configuration.speculates = false
        let without = try await run([.make(Self.prompt, 100), .make(Self.prompt, 100)], configuration)
        #expect(without.answers == twice.answers && without.statistics.draftedTokensTotal == 0)
    }

    @Test("Texts that nobody uses for long are forgotten, and then the timer ends")
    func idle() async throws {
        var configuration = SchedulerConfiguration()
        configuration.cacheIdleLimit = .milliseconds(40)
        configuration.memoryIdleLimit = .milliseconds(20)
        let engine = ScriptedEngine(description: .make(blocks: 400), script: Self.script)
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        _ = await (try scheduler.submit(.make(Self.prompt, 100))).collect()
        #expect(await scheduler.recentTokenCount > 100)
        for _ in 0..<3000 {
            if await scheduler.recentTokenCount == 0 { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(await scheduler.recentTokenCount == 0)
        let steps = await scheduler.statistics().stepsTotal
        _ = await (try scheduler.submit(.make(Self.prompt, 100))).collect()
        #expect(await scheduler.statistics().stepsTotal - steps >= 100)
    }
}

extension Scheduler {
    fileprivate var recentTokenCount: Int { state.recent.tokenCount }
}
