import EngineContract
import Scheduling
import Testing

/// Who goes first, and that nobody waits for somebody else's reader.
@Suite(.timeLimit(.minutes(5))) struct FairnessTests {
    private let script = Script()

    @Test("Decoding sessions are in every step while a long prompt is computed")
    func decodeComesFirst() async throws {
        var configuration = SchedulerConfiguration()
        configuration.stepTokenBudget = 16
        let engine = GatedEngine(.make(blocks: 400))
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        let reader = try await scheduler.submit(.make([1], 120, client: "a"))
        let long = try await scheduler.submit(.make(Array(repeating: 3, count: 1500), 1, client: "b"))
        await engine.open()
        async let first = reader.collect()
        async let second = long.collect()
        #expect(await first.tokens == script.answer(to: [1], count: 120))
        #expect(await second.tokens.count == 1)
        let steps = await engine.history
        #expect(steps.prefix(120).allSatisfy { $0[reader.id] == 1 })
        #expect(steps.allSatisfy { $0.values.reduce(0, +) <= 16 })
        #expect(steps.count(where: { $0[long.id] != nil }) >= 1500 / 16)
    }

    @Test("A short prompt does not wait for long ones before it")
    func shortBehindLong() async throws {
        var configuration = SchedulerConfiguration()
        configuration.stepTokenBudget = 64
        let engine = GatedEngine(.make(blocks: 400))
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        var long: [Generation] = []
        for index in 0..<2 {
            long.append(try await scheduler.submit(.make(Array(repeating: Token(index), count: 1500), 1)))
        }
        let short = try await scheduler.submit(.make(Array(repeating: 3, count: 12), 1))
        await engine.open()
        for generation in long + [short] { #expect(await generation.collect().tokens.count == 1) }
        let steps = await engine.history
        let last = try #require(steps.lastIndex { $0[short.id] != nil })
        #expect(last <= 2)
        // Nothing of the budget is lost: 3,012 tokens take 48 steps, and the first may have begun with one session.
        #expect(steps.count <= 49)
    }

    /// Names the sessions in the order in which they first ran.
    private func order(_ engine: GatedEngine, _ names: [SessionID: String]) async -> [String] {
        var seen: Set<SessionID> = []
        return await engine.history.flatMap { step in
            step.keys.sorted().filter { seen.insert($0).inserted }.map { names[$0, default: "?"] }
        }
    }

    /// Submits sessions of these clients while the first one's step is at the gate, and runs them one at a time.
    private func orderOfTurns(_ clients: [String]) async throws -> [String] {
        var configuration = SchedulerConfiguration()
        configuration.maxRunningSessions = 1
        let engine = GatedEngine(.make(blocks: 100))
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        var names: [SessionID: String] = [:]
        var generations: [Generation] = []
        for (index, client) in clients.enumerated() {
            let generation = try await scheduler.submit(.make([Token(index)], 2, client: client))
            names[generation.id] = "\(client)\(index)"
            generations.append(generation)
            if index == 0 { await engine.stepArrives() }
        }
        await engine.open()
        for generation in generations { #expect(await generation.collect().tokens.count == 2) }
        return await order(engine, names)
    }

    @Test("Clients take turns, however many requests each of them sends")
    func turns() async throws {
        let order = try await orderOfTurns(["a", "a", "a", "a", "a", "b", "b", "c"])
        #expect(order == ["a0", "a1", "b5", "c7", "a2", "b6", "a3", "a4"])
    }

    @Test("Clients that come anew do not go before those that wait")
    func newcomers() async throws {
        let order = try await orderOfTurns(["a", "a", "b", "c", "d", "e", "f"])
        #expect(order == ["a0", "a1", "b2", "c3", "d4", "e5", "f6"])
    }

    @Test("A prompt that waits for memory lets smaller ones pass, but not for ever")
    func passing() async throws {
        let engine = GatedEngine(.make(blocks: 20))
        let scheduler = Scheduler(engine: engine)
        let holder = try await scheduler.submit(.make(Array(repeating: 1, count: 120), 1000))
        await engine.stepArrives()
        let big = try await scheduler.submit(.make(Array(repeating: 2, count: 240), 1))
        var small: [Generation] = []
        for index in 0..<100 { small.append(try await scheduler.submit(.make([3, Token(index)], 1))) }
        await engine.open()
        #expect(await holder.collect().summary?.reason == .contextFull)
        #expect(await big.collect().summary?.reason == .maxTokens)
        for generation in small { #expect(await generation.collect().tokens.count == 1) }
        let earlier = await engine.history.prefix { $0[big.id] == nil }.flatMap(\.keys)
        let passed = Set(earlier).subtracting([holder.id])
        #expect(passed.count == 32)
    }

    @Test("A slow reader pauses its own session and nobody else's")
    func backPressure() async throws {
        var configuration = SchedulerConfiguration()
        configuration.deliveryWindow = 8
        let engine = ScriptedEngine(description: .make(blocks: 100), script: script.next)
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        let slow = try await scheduler.submit(.make([1], 100, client: "slow"))
        let fast = try await scheduler.submit(.make([2], 100, client: "fast"))
        #expect(await fast.collect().tokens.count == 100)
        #expect(await scheduler.statistics().tokensGeneratedTotal <= 108)
        #expect(await slow.collect().tokens == script.answer(to: [1], count: 100))
        await scheduler.untilEmpty()
        #expect(await scheduler.checkIntegrity() == nil)
    }

    @Test("Sessions whose readers lag give seats and memory to others, and go on later", arguments: [1, 8])
    func laggingReaders(seats: Int) async throws {
        var configuration = SchedulerConfiguration()
        configuration.deliveryWindow = 4
        configuration.maxRunningSessions = seats
        let engine = ScriptedEngine(description: .make(blocks: 8), script: script.next)
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        var lagging: [Generation] = []
        for index in 0..<4 { lagging.append(try await scheduler.submit(.make([Token(index)], 40))) }
        // Needs all memory there is.
        let prompt = Array(repeating: Token(9), count: 120)
        #expect(await (try scheduler.submit(.make(prompt, 8))).collect().tokens == script.answer(to: prompt, count: 8))
        for (index, generation) in lagging.enumerated() {
            #expect(await generation.collect().tokens == script.answer(to: [Token(index)], count: 40))
        }
        await scheduler.untilEmpty()
        #expect(await scheduler.checkIntegrity() == nil)
    }

    @Test("A reader that never reads loses its session")
    func stalledReader() async throws {
        var configuration = SchedulerConfiguration()
        configuration.deliveryWindow = 4
        configuration.readerStallLimit = .milliseconds(20)
        let engine = ScriptedEngine(description: .make(blocks: 100), script: script.next)
        let scheduler = Scheduler(engine: engine, configuration: configuration)
        let generation = try await scheduler.submit(.make([1], 100))
        await scheduler.untilEmpty()
        guard case .failed = await generation.collect().summary?.reason else {
            Issue.record("it was not ended")
            return
        }
    }
}
