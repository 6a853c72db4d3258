import EngineContract
import Testing

@testable import Scheduling

/// What the drafts of a draft model change, and that it takes in all that it drafts after.
@Suite(.timeLimit(.minutes(5))) struct DraftModelTests {
    private static let script = Script()

    private func run(
        _ requests: [GenerationRequest],
        blocks: Int = 400,
        window: Int? = nil,
        stateSlots: Int? = nil,
        configuration: SchedulerConfiguration = SchedulerConfiguration(),
        isRight: @escaping @Sendable ([Token]) -> Bool = { _ in true }
    ) async throws -> DraftingRun {
        var description = EngineDescription.make(blocks: blocks, blockSize: 4, window: window, stateSlots: stateSlots)
        description.drafter = .model
        return try await DraftingRun(requests, description, configuration, Self.script, isRight: isRight)
    }

    private static func requests(_ lengths: [Int]) -> [GenerationRequest] {
        lengths.enumerated().map { .make((0..<20).map { Token($0) } + [Token(100 + $0)], $1) }
    }

    private static func answers(_ requests: [GenerationRequest]) -> [[Token]] {
        requests.map { script.answer(to: $0.prompt, count: $0.maxTokens) }
    }

    @Test("A model that is always right gives six tokens a step", arguments: [nil, 20] as [Int?])
    func right(stateSlots: Int?) async throws {
        let requests = Self.requests([121])
        let result = try await run(requests, stateSlots: stateSlots)
        #expect(result.answers == Self.answers(requests))
        #expect(result.steps.count <= 8 + 121 / 6)
        let counts = try #require(result.statistics.drafts[.model])
        #expect(counts.accepted == counts.drafted && counts.drafted > 90)
    }

    @Test("It takes in what it missed while many sessions ran, and is right again")
    func afterMany() async throws {
        // Ten at first, of which nothing is drafted, and one that goes on.
        let requests = Self.requests([300] + [Int](repeating: 60, count: 9))
        let result = try await run(requests)
        #expect(result.answers == Self.answers(requests))
        let counts = try #require(result.statistics.drafts[.model])
        #expect(counts.accepted == counts.drafted && counts.drafted > 150)
        #expect(result.steps.contains { $0.count == 10 } && result.steps.count < 150)
    }

    @Test("Where blocks behind the window were given back, what it missed stays missed, and answers are the same")
    func window() async throws {
        let requests = Self.requests([300] + [Int](repeating: 60, count: 9))
        let result = try await run(requests, window: 16)
        #expect(result.answers.map(\.count) == requests.map(\.maxTokens))
        let alone = try await run([requests[0]], window: 16)
        #expect(alone.answers[0] == result.answers[0])
        #expect(result.statistics.drafts[.model]?.accepted == result.statistics.drafts[.model]?.drafted)
        #expect(alone.steps.count < 80 && result.steps.count > 200)
    }

    @Test("It is right after prefixes that others computed, chunks of prompts and preemptions")
    func shared() async throws {
        var configuration = SchedulerConfiguration()
        configuration.stepTokenBudget = 16
        configuration.maxRunningSessions = 3
        let requests = Self.requests([80, 70, 60, 50, 40])
        let result = try await run(requests, blocks: 40, configuration: configuration)
        #expect(result.answers == Self.answers(requests))
        let counts = try #require(result.statistics.drafts[.model])
        #expect(counts.accepted == counts.drafted && counts.drafted > 30)
        #expect(result.statistics.preemptionsTotal > 0 && result.statistics.prefixHitTokensTotal > 0)
    }

    @Test("Blocks that were filled without it are made up for when a session is given them")
    func adopted() async throws {
        var description = EngineDescription.make(blocks: 130, blockSize: 4)
        description.drafter = .model
        let engine = ScriptedEngine(description: description, drafts: Self.script.next, script: Self.script.next)
        let scheduler = Scheduler(engine: engine)
        // It takes in a text that fills the memory, but not the answers of ten sessions in the same blocks.
        _ = await (try scheduler.submit(.make((0..<505).map { Token($0 % 97) }, 10))).collect()
        let requests = Self.requests([Int](repeating: 40, count: 10))
        var generations: [Generation] = []
        for request in requests { generations.append(try await scheduler.submit(request)) }
        var answers: [[Token]] = []
        for generation in generations { answers.append(await generation.collect().tokens) }
        #expect(answers == Self.answers(requests))
        let before = await scheduler.statistics().prefixHitTokensTotal
        let next = GenerationRequest.make(requests[0].prompt + answers[0] + [7, 8], 60)
        #expect(await (try scheduler.submit(next)).collect().tokens == Self.answers([next])[0])
        let statistics = await scheduler.statistics()
        #expect(statistics.prefixHitTokensTotal - before > 40)
        let counts = try #require(statistics.drafts[.model])
        #expect(counts.accepted == counts.drafted && counts.drafted > 30)
    }

    @Test("Where its drafts are wrong for long it rests, and what it missed then is no more than it may make up for")
    func rests() async throws {
        let requests = Self.requests([1500])
        let result = try await run(requests, blocks: 600) { $0.count > 700 }
        let isSame = result.answers == Self.answers(requests)
        #expect(isSame)
        let counts = try #require(result.statistics.drafts[.model])
        #expect(counts.accepted > 300 && counts.drafted - counts.accepted < 80)
    }

    // MARK: What a draft costs

    @Test("No more tokens are drafted than pay for what they cost")
    func cost() {
        func length(_ cost: Double?, accepted: Int) -> Int {
            var pace = EngineDraftPace(maxLength: 5)
            for _ in 0..<40 {
                let count = pace.next(cost: cost)
                if count > 0 { pace.learn(accepted: min(count, accepted), of: count) }
            }
            return (0..<600).map { _ in pace.next(cost: cost) }.max() ?? 0
        }
        // Always right: as many as there may be, unless each costs as much as a step.
        #expect(length(nil, accepted: 5) == 5 && length(0.1, accepted: 5) == 5 && length(0.5, accepted: 5) == 5)
        #expect(length(1.2, accepted: 5) == 1)
        #expect(length(0.1, accepted: 1) == 2)
    }

    @Test("A session begins with what others have learnt of the drafter")
    func begins() {
        var cost = DraftCost()
        for _ in 0..<200 { cost.learn(isAccepted: false) }
        func asked(_ share: Double) -> Int {
            var (asked, pace) = (0, EngineDraftPace(maxLength: 5, share: share))
            for _ in 0..<20 {
                let count = pace.next(cost: 0.2)
                if count > 0 { pace.learn(accepted: 0, of: count) }
                asked += count
            }
            return asked
        }
        #expect(asked(cost.acceptedShare) == 0 && asked(EngineDraftPace.firstShare) > 10)
        for _ in 0..<200 { cost.learn(isAccepted: true) }
        #expect(cost.acceptedShare == EngineDraftPace.firstShare)
    }

    @Test("A drafter that is right half the time is asked where a draft costs little, and rests where it costs much")
    func rest() {
        func asked(_ cost: Double?) -> Int {
            var pace = EngineDraftPace(maxLength: 5)
            var (asked, right) = (0, false)
            for _ in 0..<400 {
                let count = pace.next(cost: cost)
                guard count > 0 else { continue }
                asked += 1
                right.toggle()
                pace.learn(accepted: right ? 1 : 0, of: count)
            }
            return asked
        }
        #expect(asked(0.1) == 400 && asked(nil) == 400)
        #expect(asked(0.8) < 100)
    }

    @Test("The cost of a draft is measured: to make it, and to compute it along; not what was made up for, nor prompts")
    func measured() {
        func step(drafts: Int, known: Int = 1, unfollowed: Int = 0) -> Step {
            var entry = StepEntry(
                session: SessionID(1),
                tokens: [Token](repeating: 1, count: known + drafts),
                startPosition: 9,
                blocks: [0],
                samples: true,
                sampling: .greedy,
                sampleIndex: 0,
                draftCount: drafts
            )
            entry.unfollowed = [Token](repeating: 1, count: unfollowed)[...]
            return Step(entries: [entry])
        }
        func result(_ seconds: Double, drafting: Double = 0, rounds: Int = 0) -> StepResult {
            var result = StepResult(samples: [])
            result.times.matmul = seconds + drafting
            (result.draftSeconds, result.draftRounds) = (drafting, rounds)
            return result
        }
        var cost = DraftCost()
        cost.learn(result(0.1), of: step(drafts: 0))
        #expect(cost.share == nil)
        for _ in 0..<80 {
            cost.learn(result(0.1, drafting: 0.03, rounds: 3), of: step(drafts: 0))
            cost.learn(result(0.112, drafting: 0.03, rounds: 3), of: step(drafts: 3))
        }
        // A tenth of a step each, and a twenty-fifth to compute it along.
        #expect(abs((cost.share ?? 0) - 0.14) < 1e-4)
        cost.learn(result(0.1, drafting: 9, rounds: 1), of: step(drafts: 0, unfollowed: 3))
        cost.learn(result(9, drafting: 9, rounds: 1), of: step(drafts: 0, known: 20))
        #expect(abs((cost.share ?? 0) - 0.14) < 1e-4)
    }
}
