import EngineContract
import Testing

@testable import Scheduling

/// Models whose sessions have a state beside keys and values: what is reused, and who has which slot.
@Suite(.timeLimit(.minutes(5))) struct StateTests {
    private let script = Script()

    private func scheduler(blocks: Int = 400, slots: Int, budget: Int = 256) -> (Scheduler, GatedEngine) {
        let engine = GatedEngine(.make(blocks: blocks, stateSlots: slots))
        var configuration = SchedulerConfiguration()
        configuration.stepTokenBudget = budget
        return (Scheduler(engine: engine, configuration: configuration), engine)
    }

    /// - Returns: how many of the prompt's tokens were reused.
    private func answer(_ prompt: [Token], _ count: Int, on scheduler: Scheduler) async throws -> Int {
        let (tokens, summary) = await (try scheduler.submit(.make(prompt, count))).collect()
        #expect(tokens == script.answer(to: prompt, count: count))
        await scheduler.untilEmpty()
        #expect(await scheduler.checkIntegrity() == nil)
        #expect(await scheduler.statistics().stateSlotsInUse == 0)
        return try #require(summary).cachedTokens
    }

    private func text(_ count: Int, from first: Int = 0) -> [Token] {
        (0..<count).map { Token(($0 * 7 + first) % 1000) }
    }

    struct Setting: Sendable, CustomTestStringConvertible {
        var blocks: Int
        var budget: Int
        var slots: Int
        var testDescription: String { "\(blocks) blocks, budget \(budget), \(slots) slots" }
    }

    @Test(
        "32 sessions of mixed lengths get what each gets alone: chunked, preempted, from snapshots",
        arguments: [
            Setting(blocks: 4000, budget: 256, slots: 64), Setting(blocks: 4000, budget: 7, slots: 40),
            Setting(blocks: 40, budget: 64, slots: 12), Setting(blocks: 26, budget: 300, slots: 5),
            Setting(blocks: 60, budget: 2, slots: 1),
        ]
    )
    func sameAsAlone(_ setting: Setting) async throws {
        let (scheduler, engine) = scheduler(blocks: setting.blocks, slots: setting.slots, budget: setting.budget)
        try await MixedSessions.expectSameAsAlone(script, on: scheduler, engine)
        await scheduler.untilEmpty()
        let statistics = await scheduler.statistics()
        #expect(statistics.stateSlotsInUse == 0 && statistics.blocksInUse == 0)
        #expect(statistics.stateSlotsTotal == setting.slots)
        #expect(await scheduler.checkIntegrity() == nil)
        if setting.blocks < 50 { #expect(statistics.preemptionsTotal > 0) }
        if setting.slots > 1 { #expect(statistics.prefixHitTokensTotal > 0) }
    }

    @Test("Each turn of a conversation continues near the end of the last answer")
    func conversation() async throws {
        let (scheduler, engine) = scheduler(slots: 16)
        await engine.open()
        var turns = text(300)
        #expect(try await answer(turns, 50, on: scheduler) == 0)
        for turn in 0..<5 {
            let before = turns.count + 50
            turns += script.answer(to: turns, count: 50) + text(30, from: 1 + turn)
            // All but the block that the answer's end, whose last token was never computed, lies in.
            #expect(try await answer(turns, 50, on: scheduler) == (before - 1) / 16 * 16)
        }
    }

    @Test("A turn whose last answer is told otherwise continues from the prompt that was before it")
    func strippedAnswer() async throws {
        let (scheduler, engine) = scheduler(slots: 16)
        await engine.open()
        let prompt = text(300)
        _ = try await answer(prompt, 80, on: scheduler)
        // The last tokens of a prompt, which open the answer, may be others too.
        let next = prompt.dropLast(6) + [900, 901] + text(40, from: 3)
        #expect(try await answer(Array(next), 10, on: scheduler) == (300 - 8) / 16 * 16)
    }

    @Test("Where two texts part is noticed by the second, and the third continues there")
    func branch() async throws {
        let (scheduler, engine) = scheduler(slots: 16)
        await engine.open()
        let system = text(160)
        #expect(try await answer(system + text(50, from: 1), 5, on: scheduler) == 0)
        #expect(try await answer(system + text(60, from: 2), 5, on: scheduler) == 0)
        #expect(try await answer(system + text(70, from: 3), 5, on: scheduler) == 160)
    }

    @Test("Long prompts have snapshots on the way, at the same places whatever their length about is")
    func longPrompts() {
        #expect(SnapshotBorders(promptTokens: 8, blockSize: 16, slots: 64).borders == [])
        #expect(SnapshotBorders(promptTokens: 24, blockSize: 16, slots: 64).borders == [1])
        #expect(SnapshotBorders(promptTokens: 1200, blockSize: 16, slots: 64).borders == [32, 64, 74])
        #expect(SnapshotBorders(promptTokens: 1200, blockSize: 16, slots: 7).borders == [74])
        let long = SnapshotBorders(promptTokens: 5000, blockSize: 16, slots: 64).borders
        #expect(long == [64, 128, 192, 256, 312])
        let longest = SnapshotBorders(promptTokens: 100_000, blockSize: 16, slots: 1000).borders
        #expect(longest.count <= SnapshotBorders.most + 1 && longest.last == 6249)
        var borders = SnapshotBorders(promptTokens: 100, blockSize: 16, slots: 8)
        for border in [3, 0, 3, 9] { borders.insert(border) }
        #expect(borders.borders == [3, 5, 9])
    }

    @Test("A beginning that many sessions share is computed once up to a snapshot, also when they come together")
    func sharedAtOnce() async throws {
        let (scheduler, engine) = scheduler(slots: 40, budget: 40)
        let shared = text(1100)
        var generations: [Generation] = []
        for index in 0..<5 {
            let request = GenerationRequest.make(shared + [Token(500 + index)], 1, client: "c\(index)")
            generations.append(try await scheduler.submit(request))
        }
        await engine.open()
        for (index, generation) in generations.enumerated() {
            #expect(await generation.collect().tokens == script.answer(to: shared + [Token(500 + index)], count: 1))
        }
        let computed = await engine.history.flatMap(\.values).reduce(0, +)
        // 1,088 tokens, and each session's rest.
        #expect(computed == 1088 + 5 * 13)
    }

    @Test("A session that repeats its text takes several tokens a step; drafts that are wrong cost a slot for a while")
    func drafts() async throws {
        // Repeats six tokens, but for some places at which it surprises.
        let surprising: @Sendable ([Token]) -> Token = { text in
            text.count % 37 == 0 ? 600 + Token(text.count) : Token(text.count % 6)
        }
        let prompt = (0..<24).map { Token($0 % 6) }
        let engine = ScriptedEngine(
            description: .make(blocks: 400, stateSlots: 8),
            keepsHistory: true,
            script: surprising
        )
        let scheduler = Scheduler(engine: engine)
        let (tokens, _) = await (try scheduler.submit(.make(prompt, 200))).collect()
        var expected = prompt
        while expected.count < 224 { expected.append(surprising(expected)) }
        #expect(tokens == Array(expected.dropFirst(24)))
        await scheduler.untilEmpty()
        let statistics = await scheduler.statistics()
        #expect(statistics.acceptedTokensTotal > 100)
        #expect(statistics.acceptedTokensTotal < statistics.draftedTokensTotal)
        #expect(await engine.history.count < 100)
        #expect(statistics.stateSlotsInUse == 0)
        #expect(await scheduler.checkIntegrity() == nil)
        // The next turn continues at the end of the answer, or a block or two before it.
        let (_, summary) = await (try scheduler.submit(.make(expected + [7], 1))).collect()
        #expect(try #require(summary).cachedTokens >= 176)
    }

    @Test("With one slot, sessions run one after another")
    func oneSlot() async throws {
        let (scheduler, engine) = scheduler(slots: 1)
        var generations: [Generation] = []
        for index in 0..<4 { generations.append(try await scheduler.submit(.make(text(20, from: index), 5))) }
        await engine.open()
        for (index, generation) in generations.enumerated() {
            #expect(await generation.collect().tokens == script.answer(to: text(20, from: index), count: 5))
        }
        #expect(await engine.history.allSatisfy { $0.count == 1 })
    }

    @Test("Idle slots go back to the system, those of snapshots with their blocks")
    func idle() throws {
        var kv = KVCacheManager(blocks: 20, blockSize: 4, stateSlots: 3)
        var sequence = SequenceState(prompt: text(24), blockSize: 4)
        kv.planBorders(of: &sequence)
        kv.takeState(for: &sequence)
        let hasBlocks = kv.allocateBlocks(for: &sequence, tokens: 24)
        #expect(hasBlocks)
        kv.planSnapshots(of: &sequence, tokens: 24)
        #expect(sequence.stateUse(24) == StateUse(slot: 0, source: nil, snapshots: [.init(slot: 1, tokens: 16)]))
        kv.markComputed(24, of: &sequence)
        kv.commitState(of: &sequence)
        kv.releaseBlocks(of: &sequence)
        #expect(kv.states?.snapshotCount == 1 && kv.states?.sessionCount == 0 && kv.problem(with: []) == nil)
        for _ in 0..<3 { kv.advanceTick() }
        let idle = (kv.takeIdleFreeStates(since: 2), kv.takeIdleFreeStates(since: 2))
        #expect(idle.0.sorted() == [0] && idle.1 == [])
        kv.evict(kv.idleEvictable(since: 2, limit: 100))
        #expect(kv.states?.snapshotCount == 0)
        for _ in 0..<3 { kv.advanceTick() }
        let freed = kv.takeIdleFreeStates(since: 2)
        #expect(freed == [1] && kv.problem(with: []) == nil)
    }
}

/// The accounting of slots by itself.
@Suite struct StateSlotsTests {
    @Test("The least recently used snapshot gives way, but none that somebody is about to begin from")
    func eviction() throws {
        var slots = StateSlots(count: 3)
        for block in BlockIndex(0)..<3 {
            let slot = slots.take()
            slots.keep(try #require(slot), at: block)
        }
        #expect(slots.snapshotCount == 3 && slots.availableCount == 3)
        let source = slots.use(0)
        let begun = try #require(source)
        #expect(slots.availableCount == 2)
        let taken = [slots.take(), slots.take(), slots.take()]
        #expect(taken[2] == nil && Set(taken.compactMap(\.self)).count == 2)
        #expect(slots.hasSnapshot(at: 0) && !slots.hasSnapshot(at: 1) && !slots.hasSnapshot(at: 2))
        // Given up while somebody begins from it, it stays until then.
        slots.remove(0)
        #expect(slots.availableCount == 0 && slots.problem(held: taken.compactMap(\.self) + [begun], cached: []) == nil)
        slots.release(begun)
        let last = slots.take()
        #expect(last == begun)
    }

    @Test("Of two snapshots of one block one is kept; one that was of use is not replaced")
    func replacing() throws {
        var slots = StateSlots(count: 4)
        let taken = (slots.take(), slots.take())
        let (first, second) = (try #require(taken.0), try #require(taken.1))
        slots.keep(first, at: 7)
        slots.keep(second, at: 7)
        #expect(slots.snapshotCount == 1 && slots.availableCount == 4)
        slots.replace(7, in: second)
        #expect(slots.hasSnapshot(at: 7))
        let source = slots.use(7)
        slots.release(try #require(source))
        slots.replace(7, in: first)
        #expect(slots.hasSnapshot(at: 7) && slots.problem(held: [], cached: [7]) == nil)
        #expect(slots.problem(held: [first], cached: [7])?.contains("references") == true)
        #expect(slots.problem(held: [], cached: [])?.contains("snapshot") == true)
        slots.remove(7)
        #expect(slots.snapshotCount == 0)
    }
}
