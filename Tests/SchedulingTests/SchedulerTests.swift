import EngineContract
import Scheduling
import Testing

/// Sessions over a scripted engine whose next token is a hash of everything before it: a mistake in block tables,
/// sharing, preemption or cancellation shows as a wrong token.
@Suite struct SchedulerTests {
    private static let vocabulary = 1000

    private static func engine(blocks: Int, context: Int = 4096, delay: Duration? = nil, history: Bool = false)
        -> ScriptedEngine
    {
        let description = EngineDescription(
            modelID: "scripted",
            displayName: "scripted",
            architecture: "none",
            parameterCount: 0,
            quantization: "none",
            contextLength: context,
            vocabularySize: vocabulary,
            blockSize: 16,
            blockCount: blocks,
            kvBytesPerToken: 1,
            weightBytes: 0,
            threads: 1,
            kernelVariant: "none",
            isMock: true
        )
        return ScriptedEngine(description: description, stepDuration: delay, keepsHistory: history, script: next)
    }

    @Sendable private static func next(_ prefix: [Token]) -> Token {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for token in prefix { hash = (hash ^ UInt64(UInt32(bitPattern: token))) &* 0x100_0000_01b3 }
        return Token((hash >> 20) % UInt64(vocabulary))
    }

    private static func expected(_ prompt: [Token], _ count: Int) -> [Token] {
        var all = prompt
        for _ in 0..<count { all.append(next(all)) }
        return Array(all[prompt.count...])
    }

    private static func collect(_ generation: Generation) async -> (tokens: [Token], summary: GenerationSummary?) {
        var tokens: [Token] = []
        var summary: GenerationSummary?
        for await event in generation {
            switch event {
            case .token(let token): tokens.append(token)
            case .finished(let last): summary = last
            }
        }
        return (tokens, summary)
    }

    private static func idle(_ scheduler: Scheduler) async throws {
        for _ in 0..<500 {
            let figures = await scheduler.statistics()
            if figures.sessionsRunning == 0, figures.sessionsWaiting == 0 { break }
            try await Task.sleep(for: .milliseconds(5))
        }
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
        .timeLimit(.minutes(1)),
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
        let scheduler = Scheduler(engine: Self.engine(blocks: setting.blocks), configuration: configuration)
        let shared = (0..<70).map { Token($0 * 7 % 1000) }
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<32 {
                let own = (0..<(1 + index * 9 % 200)).map { Token(($0 * 31 + index * 17) % 1000) }
                let prompt = index % 3 == 0 ? shared + own.prefix(index) + [5] : own
                let count = 1 + index * 5 % 60
                group.addTask {
                    let request = GenerationRequest(
                        client: "c\(index % 4)",
                        prompt: prompt,
                        maxTokens: count,
                        stopTokens: []
                    )
                    guard let generation = try? await scheduler.submit(request) else {
                        Issue.record("not admitted")
                        return
                    }
                    let (tokens, summary) = await Self.collect(generation)
                    #expect(tokens == Self.expected(prompt, count))
                    #expect(summary?.reason == .maxTokens)
                    #expect(summary?.generatedTokens == count)
                }
            }
        }
        try await Self.idle(scheduler)
        if setting.blocks < 50 { #expect(await scheduler.statistics().preemptionsTotal > 0) }
    }

    @Test("A prompt seen before is not computed again, but for its last block")
    func prefixHits() async throws {
        let scheduler = Scheduler(engine: Self.engine(blocks: 100))
        let prompt = (0..<100).map { Token($0) }
        for expectedHit in [0, 96] {
            let request = GenerationRequest(client: "a", prompt: prompt, maxTokens: 20, stopTokens: [])
            let (tokens, summary) = await Self.collect(try await scheduler.submit(request))
            #expect(tokens == Self.expected(prompt, 20))
            #expect(summary?.cachedTokens == expectedHit)
        }
        let longer = prompt + Self.expected(prompt, 20) + [1, 2, 3]
        let request = GenerationRequest(client: "a", prompt: longer, maxTokens: 4, stopTokens: [])
        let generation = try await scheduler.submit(request)
        #expect(generation.cachedTokens == 112)
        #expect(await Self.collect(generation).tokens == Self.expected(longer, 4))
    }

    @Test("Sessions cancelled at random moments leave no block behind", .timeLimit(.minutes(1)))
    func cancellation() async throws {
        let scheduler = Scheduler(engine: Self.engine(blocks: 50, delay: .microseconds(200)))
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<60 {
                group.addTask {
                    let prompt = (0..<(10 + index * 3)).map { Token($0 % 1000) }
                    let request = GenerationRequest(client: "c", prompt: prompt, maxTokens: 300, stopTokens: [])
                    guard let generation = try? await scheduler.submit(request) else { return }
                    let reader = Task { await Self.collect(generation) }
                    try? await Task.sleep(for: .milliseconds(index % 12))
                    if index % 2 == 0 { generation.cancel() } else { reader.cancel() }
                    _ = await reader.value
                }
            }
        }
        try await Self.idle(scheduler)
        let prompt: [Token] = [1, 2, 3]
        let request = GenerationRequest(client: "c", prompt: prompt, maxTokens: 5, stopTokens: [])
        #expect(await Self.collect(try await scheduler.submit(request)).tokens == Self.expected(prompt, 5))
    }

    @Test("What does not fit, or comes too late, is refused at the door")
    func refusals() async throws {
        var configuration = SchedulerConfiguration()
        configuration.maxRunningSessions = 1
        configuration.maxWaitingSessions = 1
        let engine = Self.engine(blocks: 8, context: 100, delay: .milliseconds(20))
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        func request(_ count: Int, first: Token = 1) -> GenerationRequest {
            let prompt = [first] + Array(repeating: 2, count: max(0, count - 1))
            return GenerationRequest(client: "c", prompt: count == 0 ? [] : prompt, maxTokens: 50, stopTokens: [])
        }
        await #expect(throws: AdmissionError.promptTooLong(tokens: 100, maximum: 99)) {
            try await scheduler.submit(request(100))
        }
        await #expect(throws: AdmissionError.emptyPrompt) { try await scheduler.submit(request(0)) }
        await #expect(throws: AdmissionError.invalidToken(1000)) { try await scheduler.submit(request(3, first: 1000)) }
        let one = try await scheduler.submit(request(99))
        try await Task.sleep(for: .milliseconds(10))
        let two = try await scheduler.submit(request(10))
        await #expect(throws: AdmissionError.queueFull(retryAfterSeconds: 2)) {
            try await scheduler.submit(request(10))
        }
        #expect(await Self.collect(one).summary?.reason == .contextFull)
        two.cancel()
        await scheduler.stop(within: .zero)
        await #expect(throws: AdmissionError.shuttingDown) { try await scheduler.submit(request(10)) }
    }

    @Test("A slow reader pauses its own session and nobody else's")
    func backPressure() async throws {
        var configuration = SchedulerConfiguration()
        configuration.deliveryWindow = 8
        let scheduler = Scheduler(engine: Self.engine(blocks: 100), configuration: configuration)
        let slow = try await scheduler.submit(
            GenerationRequest(client: "slow", prompt: [1], maxTokens: 100, stopTokens: [])
        )
        let fast = try await scheduler.submit(
            GenerationRequest(client: "fast", prompt: [2], maxTokens: 100, stopTokens: [])
        )
        #expect(await Self.collect(fast).tokens.count == 100)
        #expect(await scheduler.statistics().tokensGeneratedTotal <= 108)
        #expect(await Self.collect(slow).tokens == Self.expected([1], 100))
        try await Self.idle(scheduler)
    }

    @Test("A reader that never reads loses its session")
    func stalledReader() async throws {
        var configuration = SchedulerConfiguration()
        configuration.deliveryWindow = 4
        configuration.readerStallLimit = .milliseconds(50)
        let scheduler = Scheduler(engine: Self.engine(blocks: 100), configuration: configuration)
        let generation = try await scheduler.submit(
            GenerationRequest(client: "c", prompt: [1], maxTokens: 100, stopTokens: [])
        )
        try await Self.idle(scheduler)
        guard case .failed = await Self.collect(generation).summary?.reason else {
            Issue.record("it was not ended")
            return
        }
    }

    @Test("Decoding sessions are in every step while a long prompt is computed")
    func decodeComesFirst() async throws {
        var configuration = SchedulerConfiguration()
        configuration.stepTokenBudget = 16
        let engine = Self.engine(blocks: 400, delay: .milliseconds(1), history: true)
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        let reader = try await scheduler.submit(
            GenerationRequest(client: "a", prompt: [1], maxTokens: 120, stopTokens: [])
        )
        let long = try await scheduler.submit(
            GenerationRequest(client: "b", prompt: Array(repeating: 3, count: 1500), maxTokens: 1, stopTokens: [])
        )
        async let first = Self.collect(reader)
        async let second = Self.collect(long)
        #expect(await first.tokens == Self.expected([1], 120))
        #expect(await second.tokens.count == 1)
        let steps = await engine.history.prefix(120)
        #expect(steps.allSatisfy { $0[reader.id] == 1 })
        #expect(steps.allSatisfy { $0.values.reduce(0, +) <= 16 })
    }

    @Test("An engine's error ends the sessions of its step and no others")
    func engineError() async throws {
        let engine = Self.engine(blocks: 100)
        let scheduler = Scheduler(engine: engine)
        await engine.failNextStep(EngineError("broken"))
        let request = GenerationRequest(client: "c", prompt: [1], maxTokens: 3, stopTokens: [])
        #expect(await Self.collect(try await scheduler.submit(request)).summary?.reason == .failed("broken"))
        #expect(await Self.collect(try await scheduler.submit(request)).tokens == Self.expected([1], 3))
        try await Self.idle(scheduler)
    }

    @Test("Stopping lets sessions finish for a time and then ends them")
    func stopping() async throws {
        let scheduler = Scheduler(engine: Self.engine(blocks: 100, delay: .milliseconds(5)))
        let short = try await scheduler.submit(
            GenerationRequest(client: "a", prompt: [1], maxTokens: 3, stopTokens: [])
        )
        let long = try await scheduler.submit(
            GenerationRequest(client: "a", prompt: [2], maxTokens: 900, stopTokens: [])
        )
        async let first = Self.collect(short)
        async let second = Self.collect(long)
        await scheduler.stop(within: .milliseconds(200))
        #expect(await first.summary?.reason == .maxTokens)
        #expect(await second.summary?.reason == .shutdown)
        #expect(await scheduler.statistics().blocksInUse == 0)
    }
}
