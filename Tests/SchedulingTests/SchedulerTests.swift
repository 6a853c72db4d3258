import EngineContract
import Scheduling
import Testing

extension GenerationRequest {
    static func make(_ prompt: [Token], _ maxTokens: Int, client: String = "c") -> GenerationRequest {
        GenerationRequest(client: client, prompt: prompt, maxTokens: maxTokens, stopTokens: [])
    }
}

extension Generation {
    /// Reads to the end.
    func collect() async -> (tokens: [Token], summary: GenerationSummary?) {
        var tokens: [Token] = []
        var summary: GenerationSummary?
        for await event in self {
            switch event {
            case .token(let token): tokens.append(token)
            case .finished(let last): summary = last
            }
        }
        return (tokens, summary)
    }
}

/// What sessions get, and how they end.
@Suite(.timeLimit(.minutes(5))) struct SchedulerTests {
    private let script = Script()

    private func engine(blocks: Int = 100, context: Int = 4096) -> ScriptedEngine {
        ScriptedEngine(description: .make(blocks: blocks, context: context), script: script.next)
    }

    private func expectIdle(_ scheduler: Scheduler) async {
        await scheduler.untilEmpty()
        #expect(await scheduler.statistics().blocksInUse == 0)
        #expect(await scheduler.checkIntegrity() == nil)
    }

    struct Setting: Sendable, CustomTestStringConvertible {
        var blocks: Int
        var budget: Int
        var seats: Int
        var testDescription: String { "\(blocks) blocks, budget \(budget), \(seats) seats" }
    }

    @Test(
        "32 sessions of mixed lengths get what each gets alone: chunked, preempted, from shared prefixes",
        arguments: [
            Setting(blocks: 4000, budget: 256, seats: 64), Setting(blocks: 4000, budget: 7, seats: 64),
            Setting(blocks: 40, budget: 64, seats: 64), Setting(blocks: 26, budget: 300, seats: 5),
            Setting(blocks: 60, budget: 2, seats: 9),
        ]
    )
    func sameAsAlone(_ setting: Setting) async throws {
        var configuration = SchedulerConfiguration()
        configuration.stepTokenBudget = setting.budget
        configuration.maxRunningSessions = setting.seats
        let engine = GatedEngine(.make(blocks: setting.blocks))
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        try await MixedSessions.expectSameAsAlone(script, on: scheduler, engine)
        await expectIdle(scheduler)
        if setting.blocks < 50 { #expect(await scheduler.statistics().preemptionsTotal > 0) }
    }

    @Test("A prompt seen before is not computed again, but for its last block")
    func prefixHits() async throws {
        let scheduler = Scheduler(engine: engine())
        let prompt = (0..<100).map { Token($0) }
        let answer = script.answer(to: prompt, count: 20)
        for expectedHit in [0, 96] {
            let (tokens, summary) = await (try scheduler.submit(.make(prompt, 20))).collect()
            #expect(tokens == answer)
            #expect(summary?.cachedTokens == expectedHit)
        }
        let longer = prompt + answer + [1, 2, 3]
        let generation = try await scheduler.submit(.make(longer, 4))
        #expect(generation.cachedTokens == 112)
        #expect(await generation.collect().tokens == script.answer(to: longer, count: 4))
    }

    @Test("A beginning that many sessions share is computed once, also when they come together")
    func sharedAtOnce() async throws {
        let engine = GatedEngine(.make(blocks: 400))
        var configuration = SchedulerConfiguration()
        configuration.stepTokenBudget = 40
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        let shared = (0..<400).map { Token($0) }
        var generations: [Generation] = []
        for index in 0..<10 {
            let request = GenerationRequest.make(shared + [Token(500 + index)], 1, client: "c\(index)")
            generations.append(try await scheduler.submit(request))
        }
        await engine.open()
        var cached = 0
        for (index, generation) in generations.enumerated() {
            let (tokens, summary) = await generation.collect()
            #expect(tokens == script.answer(to: shared + [Token(500 + index)], count: 1))
            cached += summary?.cachedTokens ?? 0
        }
        let computed = await engine.history.flatMap(\.values).reduce(0, +)
        #expect(computed == 400 + 10 && cached == 9 * 400)
    }

    @Test("Nothing is sampled where nothing is asked for")
    func promptOnly() async throws {
        let scheduler = Scheduler(engine: engine())
        let (tokens, summary) = await (try scheduler.submit(.make([1, 2, 3], 0))).collect()
        #expect(tokens.isEmpty)
        #expect(summary?.reason == .maxTokens)
        #expect(summary?.generatedTokens == 0)
        await expectIdle(scheduler)
    }

    @Test("A session that ends in the middle of a step frees its blocks at once and disturbs nobody")
    func cancellation() async throws {
        let engine = GatedEngine(.make(blocks: 100))
        let scheduler = Scheduler(engine: engine)
        let staying = try await scheduler.submit(.make([1], 20))
        let leaving = try await scheduler.submit(.make(Array(repeating: 2, count: 40), 20))
        let reader = Task { await leaving.collect() }
        let ended = try await scheduler.submit(.make(Array(repeating: 3, count: 40), 20))
        await engine.stepArrives()
        ended.cancel()
        #expect(await ended.collect().summary?.reason == .cancelled)
        reader.cancel()
        _ = await reader.value
        while await scheduler.statistics().cancellationsTotal < 2 { await Task.yield() }
        #expect(await scheduler.statistics().blocksInUse <= 1)
        await engine.open()
        #expect(await staying.collect().tokens == script.answer(to: [1], count: 20))
        await expectIdle(scheduler)
    }

    @Test("What does not fit, or comes too late, is refused at the door")
    func refusals() async throws {
        var configuration = SchedulerConfiguration()
        configuration.maxRunningSessions = 1
        configuration.maxWaitingSessions = 1
        let engine = GatedEngine(.make(blocks: 8, context: 100))
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        func request(_ count: Int, first: Token = 1) -> GenerationRequest {
            .make(count == 0 ? [] : [first] + Array(repeating: 2, count: count - 1), 50)
        }
        await #expect(throws: AdmissionError.promptTooLong(tokens: 100, maximum: 99)) {
            try await scheduler.submit(request(100))
        }
        await #expect(throws: AdmissionError.emptyPrompt) { try await scheduler.submit(request(0)) }
        await #expect(throws: AdmissionError.invalidToken(1000)) { try await scheduler.submit(request(3, first: 1000)) }
        let one = try await scheduler.submit(request(99))
        let two = try await scheduler.submit(request(10))
        await #expect(throws: AdmissionError.queueFull(retryAfterSeconds: 2)) {
            try await scheduler.submit(request(10))
        }
        await engine.open()
        #expect(await one.collect().summary?.reason == .contextFull)
        two.cancel()
        await scheduler.stop(within: .zero)
        await #expect(throws: AdmissionError.shuttingDown) { try await scheduler.submit(request(10)) }
    }

    @Test("An engine's error ends the sessions of its step and no others")
    func engineError() async throws {
        let engine = engine()
        let scheduler = Scheduler(engine: engine)
        await engine.failNextStep(EngineError("broken"))
        let request = GenerationRequest.make([1], 3)
        #expect(await (try scheduler.submit(request)).collect().summary?.reason == .failed("broken"))
        #expect(await (try scheduler.submit(request)).collect().tokens == script.answer(to: [1], count: 3))
        await expectIdle(scheduler)
    }

    @Test("Sessions give back the blocks that no further token sees")
    func window() async throws {
        // 8 sessions of 200 tokens would take 104 blocks; of a window of 32 tokens and a step they hold 4 or 5.
        let script = Script(window: 32)
        let engine = ScriptedEngine(
            description: .make(blocks: 40, context: 400, window: script.window),
            script: script.next
        )
        var configuration = SchedulerConfiguration()
        configuration.stepTokenBudget = 16
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        let prompts = (0..<8).map { index in (0..<50).map { Token(100 * index + $0) } }
        var generations: [Generation] = []
        for prompt in prompts { generations.append(try await scheduler.submit(.make(prompt, 150))) }
        for (generation, prompt) in zip(generations, prompts) {
            #expect(await generation.collect().tokens == script.answer(to: prompt, count: 150))
        }
        #expect(await scheduler.statistics().preemptionsTotal == 0)
        await expectIdle(scheduler)
    }

    @Test("A conversation that has outgrown the window goes on from the cache")
    func windowAndCache() async throws {
        let script = Script(window: 32)
        let description = EngineDescription.make(blocks: 40, context: 400, window: script.window)
        let scheduler = Scheduler(engine: ScriptedEngine(description: description, script: script.next))
        let prompt = (0..<100).map { Token($0) }
        let first = await (try scheduler.submit(.make(prompt, 101))).collect().tokens
        let (tokens, summary) = await (try scheduler.submit(.make(prompt + first, 20))).collect()
        #expect(first + tokens == script.answer(to: prompt, count: 121))
        #expect(summary?.cachedTokens == 192)
        await expectIdle(scheduler)
    }

    @Test("Stopping lets sessions finish and takes no more")
    func stopping() async throws {
        let engine = GatedEngine(.make(blocks: 100))
        let scheduler = Scheduler(engine: engine)
        let generation = try await scheduler.submit(.make([1], 30))
        let stopping = Task { await scheduler.stop(within: .seconds(3600)) }
        await #expect(throws: AdmissionError.shuttingDown) {
            while true { (try await scheduler.submit(.make([2], 1))).cancel() }
        }
        await engine.open()
        #expect(await generation.collect().summary?.reason == .maxTokens)
        await stopping.value
    }

    @Test(
        "Stopping ends sessions that take too long, be the engine stuck",
        arguments: [Duration.zero, .milliseconds(5)]
    )
    func stoppingInTime(_ time: Duration) async throws {
        let engine = GatedEngine(.make(blocks: 100))
        let scheduler = Scheduler(engine: engine)
        let generation = try await scheduler.submit(.make([1], 30))
        await engine.stepArrives()
        await scheduler.stop(within: time)
        #expect(await generation.collect().summary?.reason == .shutdown)
        await expectIdle(scheduler)
        await engine.open()
    }
}
