import EngineContract
import Testing

@testable import Scheduling

/// How prompts are cut while answers run, on machines of known speed.
@Suite struct PrefillBudgetTests {
    /// A machine that reads its weights in `least` seconds and computes a token in `perToken`.
    private struct Machine {
        var least: Double
        var perToken: Double

        func seconds(_ tokens: Int) -> Double { max(least, perToken * Double(tokens)) }
    }

    /// Computes a prompt beside answers, after these have run alone.
    /// - Returns: the tokens of each step that had some.
    private func prefill(_ prompt: Int, beside answers: Int, on machine: Machine, goal: Double? = nil) -> [Int] {
        var budget = PrefillBudget(goalSeconds: goal)
        budget.learn(seconds: machine.seconds(30), answerTokens: 0, promptTokens: 30)
        for _ in 0..<5 { budget.learn(seconds: machine.seconds(answers), answerTokens: answers, promptTokens: 0) }
        var (left, steps) = (prompt, [Int]())
        while left > 0 {
            let tokens = min(left, 256 - answers, budget.tokens(beside: answers))
            budget.learn(seconds: machine.seconds(answers + tokens), answerTokens: answers, promptTokens: tokens)
            if tokens > 0 { steps.append(tokens) }
            left -= tokens
        }
        return steps
    }

    @Test("Beside answers, a prompt of 3,000 tokens makes no step much longer than twice as long", arguments: [1, 8])
    func stretch(answers: Int) {
        let machine = Machine(least: 0.055, perToken: 0.005)
        let steps = prefill(3000, beside: answers, on: machine)
        let alone = machine.seconds(answers)
        #expect(steps.count > 21 && steps.allSatisfy { machine.seconds(answers + $0) < 2.5 * alone })
        // And it does not go slower than it must.
        #expect(steps.dropFirst(20).dropLast().allSatisfy { machine.seconds(answers + $0) > 1.5 * alone })
    }

    @Test("A goal is kept from both sides")
    func goal() {
        let machine = Machine(least: 0.055, perToken: 0.005)
        let seconds = prefill(3000, beside: 2, on: machine, goal: 0.3).map { machine.seconds($0 + 2) }
        #expect(seconds.count > 11 && seconds.allSatisfy { $0 < 0.33 })
        #expect(seconds.dropFirst(10).dropLast().allSatisfy { $0 > 0.27 })
    }

    @Test("A prompt always goes on, be the goal out of reach", arguments: [0.001, 0.06])
    func least(goal: Double) {
        let machine = Machine(least: 0.1, perToken: 0.05)
        let steps = prefill(1000, beside: 3, on: machine, goal: goal)
        #expect(steps.count > 1 && steps.dropLast().allSatisfy { $0 == PrefillBudget.minTokens })
    }

    @Test("Where steps are too short to be noticed, and where no answer runs, nothing is held back")
    func whole() {
        let quick = Machine(least: 0.0003, perToken: 0.00002)
        #expect(prefill(2000, beside: 4, on: quick).dropLast().allSatisfy { $0 == 252 })
        var budget = PrefillBudget(goalSeconds: 0.001)
        #expect(budget.tokens(beside: 3) == .max)
        budget.learn(seconds: 10, answerTokens: 0, promptTokens: 10)
        #expect(budget.tokens(beside: 0) == .max)
        budget.learn(seconds: 0.1, answerTokens: 3, promptTokens: 0)
        #expect(budget.tokens(beside: 3) == PrefillBudget.minTokens)
        for seconds in [Double.nan, .infinity, -1] { budget.learn(seconds: seconds, answerTokens: 1, promptTokens: 1) }
        #expect(budget.tokens(beside: 3) == PrefillBudget.minTokens)
    }

    @Test("One slow step is soon forgotten")
    func outlier() {
        let machine = Machine(least: 0.055, perToken: 0.005)
        var budget = PrefillBudget()
        budget.learn(seconds: machine.seconds(1), answerTokens: 1, promptTokens: 0)
        budget.learn(seconds: 20, answerTokens: 1, promptTokens: 16)
        var steps = 0
        while budget.tokens(beside: 1) <= PrefillBudget.minTokens, steps < 100 {
            let tokens = budget.tokens(beside: 1)
            budget.learn(seconds: machine.seconds(1 + tokens), answerTokens: 1, promptTokens: tokens)
            steps += 1
        }
        #expect(steps < 30)
    }

    @Test("Prompts that never end are not held back for good by what was once believed", arguments: [nil, 0.001, 30])
    func unending(believed: Double?) {
        let machine = Machine(least: 0.1, perToken: 0.002)
        var budget = PrefillBudget()
        for _ in 0..<5 { budget.learn(seconds: machine.seconds(256), answerTokens: 0, promptTokens: 256) }
        if let believed { budget.learn(seconds: believed, answerTokens: 1, promptTokens: 0) }
        var shares: [Int] = []
        for _ in 0..<2000 {
            let tokens = min(255, budget.tokens(beside: 1))
            budget.learn(seconds: machine.seconds(1 + tokens), answerTokens: 1, promptTokens: tokens)
            shares.append(tokens)
        }
        // Twice a step of an answer alone, but for the step in 65 that is one.
        let late = shares.suffix(650)
        #expect(late.count { $0 == 0 } == 10)
        #expect(late.filter { $0 > 0 }.allSatisfy { (80...120).contains($0) }, "\(late)")
    }

    @Test("A prompt goes on though answers are never seen alone, or only with drafts")
    func neverAlone() {
        var budget = PrefillBudget()
        budget.learn(seconds: 0.1, answerTokens: 0, promptTokens: 100)
        for _ in 0..<3 { budget.learn(seconds: 0.1, answerTokens: 0, promptTokens: 1) }
        #expect(budget.tokens(beside: 1) >= PrefillBudget.minTokens)
        // It is asked again for steps of answers alone, a few in many.
        var held = 0
        for _ in 0..<670 {
            held += budget.tokens(beside: 1) == 0 ? 1 : 0
            budget.learn(seconds: 0.1, answerTokens: 0, promptTokens: 1)
        }
        #expect(held == 30)
        budget.learn(seconds: 0.1, answerTokens: 8, promptTokens: 0)
        #expect(budget.tokens(beside: 1) >= PrefillBudget.minTokens)
    }

    private func candidate(_ id: Int, remaining: Int, isDecoding: Bool) -> StepPlanner.Candidate {
        StepPlanner.Candidate(session: SessionID(UInt64(id)), client: "c", remaining: remaining, isDecoding: isDecoding)
    }

    private func step(_ shares: [StepPlanner.Share]) -> Step {
        Step(
            entries: shares.map {
                StepEntry(
                    session: $0.session,
                    tokens: Array(repeating: 0, count: $0.tokens),
                    startPosition: 0,
                    blocks: [],
                    samples: true,
                    sampling: .greedy,
                    sampleIndex: $0.tokens == 1 ? 1 : 0
                )
            }
        )
    }

    @Test("The planner gives answers their token first, and prompts what their goal leaves, in whole tiles")
    func planner() {
        var planner = StepPlanner(budget: 256, goalSeconds: 0.1)
        let answer = candidate(1, remaining: 1, isDecoding: true)
        planner.learn(step(planner.plan([answer])), seconds: 0.05)
        let prompt = candidate(2, remaining: 2000, isDecoding: false)
        let alone = planner.plan([prompt])
        #expect(alone == [StepPlanner.Share(session: SessionID(2), tokens: 256)])
        planner.learn(step(alone), seconds: 0.256)
        // 50 would be within the goal.
        let together = planner.plan([answer, prompt])
        #expect(together.map(\.tokens) == [1, 47])
    }

    @Test("Beside answers, the tokens of a step are a multiple of 8, and some of them the prompt's", arguments: 1...20)
    func tiles(answers: Int) {
        var planner = StepPlanner(budget: 256)
        let machine = Machine(least: 0.055, perToken: 0.005)
        let running = (1...answers).map { candidate($0, remaining: 1, isDecoding: true) }
        var prompt = 4000
        let alone = planner.plan([candidate(100, remaining: 256, isDecoding: false)])
        planner.learn(step(alone), seconds: machine.seconds(256))
        planner.learn(step(planner.plan(running)), seconds: machine.seconds(answers))
        for _ in 0..<40 {
            let shares = planner.plan(running + [candidate(100, remaining: prompt, isDecoding: false)])
            let tokens = shares.map(\.tokens).reduce(0, +)
            #expect(tokens % 8 == 0 && tokens >= answers + 4, "\(tokens)")
            planner.learn(step(shares), seconds: machine.seconds(tokens))
            prompt -= tokens - answers
        }
    }
}
