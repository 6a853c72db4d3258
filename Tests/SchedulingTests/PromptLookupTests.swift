import EngineContract
import Support
import Testing

@testable import Scheduling

@Suite struct PromptLookupTests {
    @Test("A draft is what followed the longest of the earlier matches, the latest among equals")
    func longestMatch() {
        // Of the ends that equal the last tokens, looked at one after another, from the latest.
        func expected(_ tokens: [Token], _ count: Int) -> [Token] {
            var best = (end: -1, length: 1)
            for end in (1..<max(1, tokens.count - 1)).reversed() {
                let length = zip(tokens[...end].reversed(), tokens.reversed()).prefix { $0 == $1 }.count
                if length > best.length { best = (end, length) }
            }
            guard best.end >= 0 else { return [] }
            var all = tokens
            for _ in 0..<count { all.append(all[all.count - (tokens.count - 1 - best.end)]) }
            return Array(all[tokens.count...])
        }
        var numbers = SeededGenerator(seed: 5)
        for vocabulary in [12, 20, 30] {
            var lookup = PromptLookup()
            var tokens: [Token] = []
            var drafts = 0
            while tokens.count < 200 {
                let start = Int.random(in: 0...tokens.count, using: &numbers)
                let isCopy = Int.random(in: 0..<4, using: &numbers) == 0
                let copy = Array(tokens[start...].prefix(5))
                tokens += isCopy ? copy : [Token.random(in: 0..<Token(vocabulary), using: &numbers)]
                // Not each time: the index takes in what it has missed.
                guard Int.random(in: 0..<3, using: &numbers) > 0 else { continue }
                let draft = lookup.draft(after: tokens, count: 4).tokens
                drafts += draft.isEmpty ? 0 : 1
                #expect(draft == expected(tokens, 4))
            }
            #expect(drafts > 20)
        }
    }

    @Test("What repeats is drafted to go on repeating", arguments: [1, 2, 3, 7])
    func repetition(period: Int) {
        let tokens = (0..<40).map { Token($0 % period) }
        var lookup = PromptLookup()
        let draft = lookup.draft(after: tokens, count: 12).tokens
        #expect(draft == (40..<52).map { Token($0 % period) })
    }

    @Test("Nothing is drafted from nothing")
    func nothing() {
        var lookup = PromptLookup()
        #expect(lookup.draft(after: [], count: 4).tokens == [])
        #expect(lookup.draft(after: [1], count: 4).tokens == [])
        #expect(lookup.draft(after: [1, 2, 1], count: 4).tokens == [])
        #expect(lookup.draft(after: [1, 2, 1, 2], count: 0).tokens == [])
        #expect(lookup.draft(after: [1, 2, 1, 2], count: 3).tokens == [1, 2, 1])
    }

    @Test("Rejected drafts are made ever more rarely, accepted ones grow")
    func pace() {
        let tokens: [Token] = [1, 2, 1, 2]
        var drafter = Drafter()
        var lengths: [Int] = []
        for _ in 0..<200 {
            let draft = drafter.draft(after: tokens, limit: 100)
            drafter.learn(accepted: 0, of: draft.count)
            lengths.append(draft.count)
        }
        #expect(lengths.prefix(3) == [4, 0, 2])
        #expect(lengths.count { $0 > 0 } < 12)
        var draft: [Token] = []
        while draft.isEmpty { draft = drafter.draft(after: tokens, limit: 100) }
        for expected in [2, 4, 7, 7] {
            drafter.learn(accepted: draft.count, of: draft.count)
            draft = drafter.draft(after: tokens, limit: 100)
            #expect(draft.count == expected)
        }
        drafter.learn(accepted: 3, of: 7)
        #expect(drafter.draft(after: tokens, limit: 100).count == 4)
        #expect(drafter.draft(after: tokens, limit: 3).count == 3)
    }
}
