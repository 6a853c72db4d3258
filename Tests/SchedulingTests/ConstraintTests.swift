import EngineContract
import Testing

@testable import Scheduling

/// What constraints do to sessions: what may come, what must come and rides along, and where answers end.
@Suite(.timeLimit(.minutes(5))) struct ConstraintTests {
    private let script = Script()
    private let stop: Token = 999

    private func request(_ prompt: [Token], _ constraint: any TokenConstraint, maxTokens: Int = 200)
        -> GenerationRequest
    {
        GenerationRequest(
            client: "c",
            prompt: prompt,
            maxTokens: maxTokens,
            stopTokens: [stop],
            constraint: constraint
        )
    }

    private func prompt(_ number: Int, count: Int = 20) -> [Token] { (0..<count).map { Token(number * 100 + $0) } }

    private struct Outcome {
        var answers: [[Token]] = []
        var summaries: [GenerationSummary?] = []
        var steps: [[SessionID: Int]] = []
        var statistics = SchedulerStatistics()
    }

    private func run(
        _ requests: [GenerationRequest],
        rides: Bool = true,
        blocks: Int = 400,
        _ change: (inout SchedulerConfiguration) -> Void = { _ in }
    ) async throws -> Outcome {
        var configuration = SchedulerConfiguration()
        configuration.ridesForcedTokens = rides
        change(&configuration)
        let engine = GatedEngine(.make(blocks: blocks), script: script.next)
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        var generations: [Generation] = []
        for request in requests { generations.append(try await scheduler.submit(request)) }
        await engine.open()
        var outcome = Outcome()
        for generation in generations {
            let (tokens, summary) = await generation.collect()
            outcome.answers.append(tokens)
            outcome.summaries.append(summary)
        }
        await scheduler.untilEmpty()
        #expect(await scheduler.checkIntegrity() == nil)
        outcome.statistics = await scheduler.statistics()
        #expect(outcome.statistics.blocksInUse == 0)
        outcome.steps = await engine.history
        return outcome
    }

    /// Six forced tokens, a choice, and so on.
    private func form(_ parts: Int) -> PlacesConstraint {
        let part = PlacesConstraint.text(1...6) + [(100..<200).map(Token.init)]
        return PlacesConstraint(Array(repeating: part, count: parts).flatMap(\.self), stopTokens: [stop])
    }

    @Test("Forced tokens take no step of their own, and the answer is the same without their riding")
    func riding() async throws {
        let request = request(prompt(1), form(10))
        let riding = try await run([request]) { $0.speculates = false }
        let plain = try await run([request], rides: false) { $0.speculates = false }
        #expect(riding.answers == plain.answers && riding.answers[0].count == 70)
        #expect(riding.answers == [script.answer(to: request.prompt, count: 70, constraint: request.constraint)])
        #expect(riding.summaries == plain.summaries && riding.summaries[0]?.reason == .stopToken(stop))
        // Each step samples a choice, and computes the six tokens before it; the first, the prompt too.
        #expect(riding.steps.map { $0.values.max() } == [26] + Array(repeating: 7, count: 9))
        #expect(plain.steps.count == 70)
        #expect(riding.statistics.forcedTokensTotal == 60 && plain.statistics.forcedTokensTotal == 0)
        #expect(riding.statistics.tokensGeneratedTotal == 71)
        #expect(plain.statistics.tokensGeneratedTotal == 71)
    }

    @Test("An answer that is whole ends without a step, and counts its stop token as if it had been sampled")
    func end() async throws {
        let constraint = PlacesConstraint([[5, 6]] + PlacesConstraint.text([7, 8]), stopTokens: [stop])
        for rides in [true, false] {
            let whole = try await run([request(prompt(1), constraint)], rides: rides)
            #expect(whole.answers[0].dropFirst() == [7, 8] && whole.summaries[0]?.generatedTokens == 4)
            #expect(whole.summaries[0]?.reason == .stopToken(stop))
            #expect(whole.steps.count == (rides ? 1 : 3))
            // It is whole although it may have no token more.
            let exact = try await run([request(prompt(1), constraint, maxTokens: 3)], rides: rides)
            #expect(exact.summaries[0]?.reason == .stopToken(stop) && exact.summaries[0]?.generatedTokens == 3)
            let cut = try await run([request(prompt(1), constraint, maxTokens: 2)], rides: rides)
            #expect(cut.summaries[0]?.reason == .maxTokens && cut.answers[0].dropFirst() == [7])
        }
    }

    @Test("A constraint that leaves nothing ends its own session, and says so")
    func deadEnd() async throws {
        let dead = PlacesConstraint([[5], []])
        let outcome = try await run([request(prompt(1), dead), request(prompt(2), form(2))])
        #expect(outcome.summaries[0]?.reason == .failed("the answer's constraint allows nothing more"))
        #expect(outcome.answers[1].count == 14 && outcome.summaries[1]?.reason == .stopToken(stop))
    }

    @Test("An answer that is all forced is computed in the step of its prompt")
    func allForced() async throws {
        let constant = PlacesConstraint(PlacesConstraint.text(1...9), stopTokens: [stop])
        let outcome = try await run([request(prompt(1), constant)])
        #expect(outcome.answers == [Array(1...9)] && outcome.steps.count == 1)
        #expect(outcome.summaries[0]?.generatedTokens == 10)
    }

    @Test("Tokens that an answer begins with are not delivered before the prompt is computed")
    func leading() async throws {
        let engine = GatedEngine(.make(blocks: 100), script: script.next)
        let scheduler = Scheduler(engine: engine)
        let generation = try await scheduler.submit(request(prompt(1), form(1)))
        #expect(await generation.next(until: .now + .milliseconds(20)) == .timedOut)
        generation.cancel()
        await engine.open()
        let (tokens, summary) = await generation.collect()
        #expect(tokens == [] && summary?.generatedTokens == 0)
    }

    @Test("What a prompt has in the cache does not grow by the tokens that are forced after it")
    func cachedTokens() async throws {
        for rides in [true, false] {
            let requests = (0..<2).map { _ in request(prompt(1, count: 38), form(5)) }
            let engine = ScriptedEngine(description: .make(blocks: 100, blockSize: 4), script: script.next)
            var configuration = SchedulerConfiguration()
            configuration.ridesForcedTokens = rides
            let scheduler = Scheduler(engine: engine, configuration: configuration)
            let first = await (try scheduler.submit(requests[0])).collect()
            let second = try await scheduler.submit(requests[1])
            #expect(second.cachedTokens == 36)
            let (tokens, summary) = await second.collect()
            #expect(tokens == first.tokens && summary?.cachedTokens == 36)
        }
    }

    @Test("No reader gets further behind than its window by forced tokens")
    func window() async throws {
        let request = request(prompt(1), form(10))
        let engine = ScriptedEngine(description: .make(blocks: 100), script: script.next)
        var configuration = SchedulerConfiguration()
        configuration.deliveryWindow = 5
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        let slow = try await scheduler.submit(request)
        let other = try await scheduler.submit(self.request(prompt(2), form(2)))
        _ = await other.collect()
        #expect(await scheduler.statistics().tokensGeneratedTotal == 5 + 15)
        #expect(await slow.collect().tokens == script.answer(to: request.prompt, count: 70, constraint: form(10)))
    }

    @Test(
        "32 constrained sessions get what each gets alone: chunked, preempted, with drafts or not",
        arguments: [(4000, 256, 64), (4000, 7, 64), (60, 64, 64), (40, 300, 5)]
    )
    func together(blocks: Int, budget: Int, seats: Int) async throws {
        let requests = (0..<32).map { index in
            let random = RandomConstraint(
                seed: UInt64(index),
                vocabulary: 1000,
                stopTokens: [stop],
                forced: [50, 95][index % 2]
            )
            return request(prompt(index % 8, count: 20 + index), index % 3 == 0 ? form(9) : random, maxTokens: 60)
        }
        let together = try await run(requests, blocks: blocks) {
            $0.stepTokenBudget = budget
            $0.maxRunningSessions = seats
        }
        for (request, answer) in zip(requests, together.answers) {
            let expected = script.answer(to: request.prompt, count: answer.count, constraint: request.constraint)
            #expect(answer == expected)
        }
        #expect(together.steps.allSatisfy { $0.values.reduce(0, +) <= budget })
        let plain = try await run(requests, rides: false, blocks: blocks) { $0.speculates = false }
        #expect(together.answers == plain.answers && together.statistics.forcedTokensTotal > 300)
        #expect(together.summaries.map { $0?.reason } == plain.summaries.map { $0?.reason })
    }

    @Test("Forced tokens keep to the budget, and leave prompts half of it")
    func shares() {
        func candidate(_ id: UInt64, remaining: Int, isDecoding: Bool) -> StepPlanner.Candidate {
            StepPlanner.Candidate(session: SessionID(id), client: "c", remaining: remaining, isDecoding: isDecoding)
        }
        var planner = StepPlanner(budget: 64)
        let answers = (1...4).map { candidate($0, remaining: 41, isDecoding: true) }
        #expect(planner.plan(answers).map(\.tokens) == [41, 21, 1, 1])
        let prompt = candidate(9, remaining: 1000, isDecoding: false)
        #expect(planner.plan(answers + [prompt]).map(\.tokens) == [31, 1, 1, 1, 30])
        #expect(planner.plan([candidate(1, remaining: 300, isDecoding: true)]).map(\.tokens) == [64])
    }

    @Test("A draft ends before a token that the constraint does not allow")
    func drafts() {
        let prompt: [Token] = [1, 2, 3, 4, 5, 1, 2]
        func draft(_ places: [[Token]]) -> [Token] {
            let session = Session(
                id: SessionID(1),
                request: request(prompt, PlacesConstraint(places)),
                channel: TokenChannel(window: 256, resumeScheduling: {}, endSession: { _ in }),
                room: 200,
                blockSize: 4
            )
            return session.makeDraft(atMost: 8, recent: RecentTexts())
        }
        #expect(draft([[3, 9], [4, 9], [5, 9], [1, 9]]) == [3, 4, 5, 1])
        #expect(draft([[3, 9], [4, 9], [6, 9], [1, 9]]) == [3, 4])
        #expect(draft([[9]]) == [])
    }
}
