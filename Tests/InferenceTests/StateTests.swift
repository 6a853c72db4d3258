import EngineContract
import ModelFiles
import Scheduling
import Testing

@testable import Inference

/// Models with recurrent layers: their state memory, and what the Scheduler does with it.
@Suite(.timeLimit(.minutes(10))) struct StateTests {
    private static let models = [
        "qwen3_next-4bit", "qwen3_5_text-bf16", "qwen3_5_moe_text-8bit", "lfm2-4bit", "lfm2_moe-8bit",
        "granitemoehybrid-4bit", "nemotron_h-bf16", "nemotron_h_moe-8bit",
    ]

    private static func entry(
        _ state: StateUse?,
        session: UInt64 = 1,
        start: Int = 0,
        block: BlockIndex = 0,
        tokens: [Token] = [3, 4, 5],
        draftCount: Int = 0
    ) -> StepEntry {
        StepEntry(
            session: SessionID(session),
            tokens: tokens,
            startPosition: start,
            blocks: [block],
            samples: true,
            sampling: .greedy,
            sampleIndex: 0,
            draftCount: draftCount,
            state: state
        )
    }

    private static func use(
        _ slot: StateSlot,
        from source: StateSlot? = nil,
        _ snapshots: [(slot: StateSlot, tokens: Int)] = []
    ) -> StateUse {
        StateUse(slot: slot, source: source, snapshots: snapshots.map { .init(slot: $0.slot, tokens: $0.tokens) })
    }

    private static let malformed: [[StepEntry]] = [
        [entry(nil)],
        [entry(use(-1))],
        [entry(use(64))],
        [entry(use(0, from: 0))],
        [entry(use(0), start: 3)],
        [entry(use(0, from: 64), start: 3)],
        [entry(use(0, from: nil, [(64, 1)]))],
        [entry(use(0, from: nil, [(1, 0)]))],
        [entry(use(0, from: nil, [(1, 4)]))],
        [entry(use(0, from: nil, [(1, 2), (2, 1)]))],
        [entry(use(0, from: nil, [(0, 1)]))],
        [entry(use(0, from: 1, [(1, 1)]), start: 3)],
        [entry(use(0)), entry(use(0), session: 2, block: 1)],
        [entry(use(0)), entry(use(2, from: 0), session: 2, start: 3, block: 1)],
        [entry(use(0, from: nil, [(5, 1)])), entry(use(2, from: 5), session: 2, start: 3, block: 1)],
    ]

    @Test("A step that is malformed in its states is an error, and the engine goes on", arguments: malformed)
    func malformedSteps(entries: [StepEntry]) async throws {
        let engine = try Engine.make(Fixture("qwen3_5_text-4bit").model)
        #expect(engine.description.stateMemory?.slotCount == 64)
        await #expect(throws: EngineError.self) { try await engine.step(Step(entries: entries)) }
        let entries = [Self.entry(Self.use(0)), Self.entry(Self.use(1), session: 2, block: 1)]
        #expect(try await engine.step(Step(entries: entries)).samples.map(\.count) == [1, 1])
    }

    @Test("A model without recurrent layers has no state, and takes none")
    func noState() async throws {
        let engine = try Engine.make(Fixture("llama-4bit").model)
        #expect(engine.description.stateMemory == nil)
        await #expect(throws: EngineError.self) {
            try await engine.step(Step(entries: [Self.entry(Self.use(0))]))
        }
    }

    @Test("Only layers of attention have KV memory, and states have as much as their layers need")
    func memory() throws {
        let model = try ModelConfiguration(source: .folder(Fixture.path("qwen3_next-bf16"))).transformer
        let mixers = model.layers.map { $0.attention != nil }
        #expect(mixers == [false, true, false, false])
        #expect(model.kvBytesPerToken(.f32) == 2 * 32 * 4)
        // Convolution inputs of 3 tokens, and 4 heads of [16, 80].
        let floats = 3 * (2 * 32 + 4 * 80) + 4 * 16 * 80
        let shape = try #require(StateShape(model))
        #expect(shape.offsets == [0, floats, 2 * floats])
        #expect(shape.slotBytes == (4 * 3 * floats + 4095) / 4096 * 4096)
        #expect(model.widestWindow == nil)
        func slots(_ options: EngineOptions, free: Int) throws -> [Int?] {
            let plan = try StatePlan(slotBytes: 1000, options: options, freeMemory: free)
            return [plan.slotCount, plan.kvMemoryBytes]
        }
        #expect(try slots(EngineOptions(), free: 80_000) == [10, nil])
        #expect(try slots(EngineOptions(), free: 10) == [1, nil])
        #expect(try slots(EngineOptions(), free: 1 << 40) == [64, nil])
        #expect(try slots(EngineOptions(kvMemoryBytes: 40_000), free: 0) == [20, 20_000])
        #expect(try slots(EngineOptions(kvMemoryBytes: 40_000, stateSlots: 3), free: 0) == [3, 37_000])
        #expect(throws: ModelError.self) { try slots(EngineOptions(stateSlots: 0), free: 0) }
    }

    @Test("Nemotron's feed-forward layers keep nothing, and its state spaces as much as they need")
    func stateSpaces() throws {
        let model = try ModelConfiguration(source: .folder(Fixture.path("nemotron_h-bf16"))).transformer
        #expect(model.layers.map { $0.stateFloats > 0 } == [true, false, false, true])
        #expect(model.kvBytesPerToken(.f32) == 2 * 32 * 4)
        // Convolution inputs of 3 tokens, and 4 heads of [32, 80].
        let floats = 3 * (4 * 80 + 2 * 2 * 32) + 4 * 32 * 80
        #expect(StateShape(model)?.offsets == [0, floats])
    }

    @Test(
        "A snapshot before drafts, of which one is wrong, continues as if there had been none",
        arguments: ["qwen3_next-8bit", "granitemoehybrid-8bit", "nemotron_h-4bit"]
    )
    func drafts(name: String) async throws {
        let fixture = try Fixture(name)
        let engine = try Engine.make(fixture.model)
        let answer = try await engine.generate([3, 4, 5], count: 3)
        let wrong = Self.entry(
            Self.use(1, from: nil, [(2, 3)]),
            tokens: [3, 4, 5, answer[0], answer[1] ^ 1],
            draftCount: 2
        )
        let samples = try await engine.step(Step(entries: [wrong])).samples
        #expect(samples[0].prefix(2) == answer.prefix(2) && samples[0].count == 3)
        let next = Self.entry(Self.use(1, from: 2), start: 3, tokens: [answer[0], answer[1]])
        #expect(try await engine.step(Step(entries: [next])).samples == [[answer[2]]])
    }

    @Test("Slots that were given back are as good as new")
    func released() async throws {
        let fixture = try Fixture("qwen3_5_text-8bit")
        let engine = try Engine.make(fixture.model)
        let before = try await engine.logits(of: fixture.prompt)
        await engine.release(states: [0, 1, 63, 64, -1])
        await engine.trim()
        #expect(identical(try await engine.logits(of: fixture.prompt), before))
    }

    @Test(
        "Served together, chunked, preempted and continued from snapshots, sessions say what each says alone",
        arguments: models
    )
    func served(name: String) async throws {
        let fixture = try Fixture(name)
        let alone = try Engine.make(fixture.model)
        var options = EngineOptions(threads: 2, kvType: .f32)
        // Blocks for about a third of the sessions, slots for six and their snapshots.
        options.kvMemoryBytes = 24 * 16 * fixture.model.configuration.transformer.kvBytesPerToken(.f32)
        options.kvMemoryBytes? += 12 * (fixture.model.configuration.transformer.stateBytesPerSession ?? 0)
        options.stateSlots = 12
        var configuration = SchedulerConfiguration()
        configuration.stepTokenBudget = 37
        configuration.maxRunningSessions = 6
        let scheduler = Scheduler(
            engine: try Engine(model: fixture.model, options: options),
            configuration: configuration
        )
        #expect(scheduler.engineDescription.blockCount == 24)
        var prompts: [[Token]] = []
        for index in 0..<14 {
            let shared = index % 2 == 0 ? fixture.prompt : Array(fixture.prompt.reversed())
            prompts.append(Array(shared.prefix(33 + index)) + [Token(3 + index)])
        }
        for round in 0..<2 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, prompt) in prompts.enumerated() {
                    let request = GenerationRequest(client: "c", prompt: prompt, maxTokens: 40, stopTokens: [])
                    let generation = try await scheduler.submit(request)
                    group.addTask {
                        var tokens: [Token] = []
                        for await case .token(let token) in generation { tokens.append(token) }
                        let expected = try await alone.generate(prompt, count: 40)
                        #expect(tokens == expected, "round \(round), session \(index)")
                    }
                }
                try await group.waitForAll()
            }
        }
        await scheduler.untilEmpty()
        let statistics = await scheduler.statistics()
        #expect(statistics.preemptionsTotal > 0 && statistics.prefixHitTokensTotal > 0)
        #expect(statistics.stateSlotsInUse == 0 && statistics.stateSnapshots > 0)
        #expect(await scheduler.checkIntegrity() == nil)
    }
}
