import EngineContract
import Testing

@testable import Scheduling

/// Who gets the tokens of a step.
@Suite struct StepPlannerTests {
    private func answer(_ id: Int) -> StepPlanner.Candidate {
        StepPlanner.Candidate(session: SessionID(UInt64(id)), client: "a", remaining: 1, isDecoding: true)
    }

    private func prompt(_ id: Int, client: String, block: (key: Int, computed: Int)? = nil) -> StepPlanner.Candidate {
        StepPlanner.Candidate(
            session: SessionID(UInt64(id)),
            client: client,
            remaining: 1000,
            isDecoding: false,
            nextBlock: block.map { StepPlanner.NextBlock(key: $0.key, computed: $0.computed) }
        )
    }

    @Test("However many sessions decode, each in turn, a prompt beside them goes on", arguments: [1, 2, 8, 32])
    func promptsProgress(budget: Int) {
        var planner = StepPlanner(budget: budget)
        let answers = (1...40).map(answer)
        let rounds = 200
        var counts: [SessionID: Int] = [:]
        for _ in 0..<rounds {
            let shares = planner.plan(answers + [prompt(100, client: "b")])
            #expect(shares.reduce(0) { $0 + $1.tokens } <= budget)
            for share in shares { counts[share.session, default: 0] += share.tokens }
        }
        let reserved = min(8, max(1, budget / 2)) * rounds / (budget == 1 ? 2 : 1)
        #expect(counts[SessionID(100)] ?? 0 >= reserved)
        let answered = answers.map { counts[$0.session] ?? 0 }
        #expect(answered.reduce(0, +) == budget * rounds - (counts[SessionID(100)] ?? 0))
        #expect((answered.max() ?? 0) - (answered.min() ?? 0) <= 1)
        // Without a prompt they have all there is.
        #expect(planner.plan(answers).count == min(budget, 40))
    }

    @Test("A block that sessions of two clients need is computed when it is the turn of the first of them")
    func sharedBlock() {
        let own = (1...19).map { prompt($0, client: "a", block: ($0, 0)) }
        for (computed, expected) in [(0, 200), (5, 20)] {
            var planner = StepPlanner(budget: 256)
            let shares = planner.plan(
                own + [prompt(20, client: "a", block: (99, computed)), prompt(200, client: "b", block: (99, 0))]
            )
            // Of the two that need the block only one gets tokens, in the second place.
            #expect(shares.prefix(2).map(\.session) == [SessionID(1), SessionID(UInt64(expected))])
            #expect(shares.count { [20, 200].contains($0.session.rawValue) } == 1)
        }
    }
}
