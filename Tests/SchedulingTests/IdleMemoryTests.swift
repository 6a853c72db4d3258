import EngineContract
import Scheduling
import Synchronization
import Testing

/// Memory that goes back to the system when nobody uses it.
@Suite(.timeLimit(.minutes(5))) struct IdleMemoryTests {
    private let script = Script()
    private let prompt = (0..<200).map { Token($0) }

    /// A scripted engine that counts what it is told to give back.
    private actor CountingEngine: InferenceEngine, BlockTransfer {
        nonisolated let description: EngineDescription
        private let engine: ScriptedEngine
        private(set) var released: [BlockIndex] = []
        private(set) var trims = 0

        init(_ script: Script, stateSlots: Int? = nil) {
            description = .make(blocks: 100, stateSlots: stateSlots)
            engine = ScriptedEngine(description: description, script: script.next)
        }

        func step(_ step: Step) async throws(EngineError) -> StepResult { try await engine.step(step) }
        func release(_ blocks: [BlockIndex]) async {
            released += blocks
            await engine.release(blocks)
        }
        func trim() { trims += 1 }

        nonisolated var blockIdentity: String { engine.blockIdentity }
        nonisolated var blockBytes: Int { engine.blockBytes }
        func contents(of block: BlockIndex) async throws(EngineError) -> [UInt8] { await engine.contents(of: block) }
        func restore(_ blocks: [RestoredBlock]) async throws(EngineError) { try await engine.restore(blocks) }
        func contents(ofState slot: StateSlot) async throws(EngineError) -> [UInt8] {
            await engine.contents(ofState: slot)
        }
        func restore(state slot: StateSlot, _ contents: [UInt8]) async throws(EngineError) {
            await engine.restore(state: slot, contents)
        }
    }

    private func configuration(cache: Duration?, memory: Duration) -> SchedulerConfiguration {
        var configuration = SchedulerConfiguration()
        (configuration.cacheIdleLimit, configuration.memoryIdleLimit) = (cache, memory)
        return configuration
    }

    /// Waits for something that comes with time.
    private func wait(_ condition: () async -> Bool) async {
        for _ in 0..<3000 {
            if await condition() { return }
            try? await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("it did not come")
    }

    @Test("Cached blocks that nobody used for long go back to the system, and then all is computed again, the same")
    func cache() async throws {
        let engine = CountingEngine(script)
        let scheduler = Scheduler(
            engine: engine,
            configuration: configuration(cache: .milliseconds(100), memory: .milliseconds(20))
        )
        for round in 0..<3 {
            let (tokens, summary) = await (try scheduler.submit(.make(prompt, 20))).collect()
            #expect(tokens == script.answer(to: prompt, count: 20))
            #expect(summary?.cachedTokens == 0)
            // 219 tokens were computed, in 14 blocks, 13 of them full.
            await wait { await engine.released.count == 14 * (round + 1) }
            #expect(await scheduler.statistics().blocksCached == 0)
            #expect(await scheduler.checkIntegrity() == nil)
        }
        await wait { await engine.trims == 3 }
    }

    @Test("What is used again in time stays; memory that is no cache goes all the same")
    func kept() async throws {
        let engine = CountingEngine(script)
        let scheduler = Scheduler(engine: engine, configuration: configuration(cache: nil, memory: .milliseconds(20)))
        for round in 0..<3 {
            let (tokens, summary) = await (try scheduler.submit(.make(prompt, 20))).collect()
            #expect(tokens == script.answer(to: prompt, count: 20))
            #expect(summary?.cachedTokens == (round == 0 ? 0 : 192))
            // The last block, which is not full, is of no use to anybody.
            await wait { await engine.trims == round + 1 }
            #expect(await scheduler.statistics().blocksCached == 13)
        }
        await wait { await !engine.released.isEmpty }
        #expect(await scheduler.statistics().blocksCached == 13)
    }

    @Test("With a store, cached blocks are saved before they go, and the states at their ends", arguments: [nil, 8])
    func stored(stateSlots: Int?) async throws {
        let (engine, store) = (CountingEngine(script, stateSlots: stateSlots), MemoryStore())
        let scheduler = Scheduler(
            engine: engine,
            configuration: configuration(cache: .milliseconds(50), memory: .milliseconds(20)),
            stored: StoredBlocks(engine: engine, store: store)
        )
        for round in 0..<2 {
            let (tokens, summary) = await (try scheduler.submit(.make(prompt, 20))).collect()
            #expect(tokens == script.answer(to: prompt, count: 20))
            #expect(summary?.cachedTokens == (round == 0 ? 0 : 192))
            await wait { await scheduler.statistics().blocksCached == 0 }
            // They are written when they have gone.
            await wait { store.names.count == 13 }
        }
        // Near the end of the prompt, and at that of the answer.
        #expect(store.stateNames.count == (stateSlots == nil ? 0 : 2))
    }

    @Test("No step waits for a disk that hangs while cached blocks are saved")
    func hungWrites() async throws {
        let (engine, store) = (CountingEngine(script), MemoryStore())
        let scheduler = Scheduler(
            engine: engine,
            configuration: configuration(cache: .milliseconds(20), memory: .milliseconds(20)),
            stored: StoredBlocks(engine: engine, store: store)
        )
        store.hang()
        #expect(
            await (try scheduler.submit(.make(prompt, 20))).collect().tokens == script.answer(to: prompt, count: 20)
        )
        await wait { await scheduler.statistics().blocksCached < 13 }
        for first in 300..<310 {
            let other = [Token(first)] + prompt
            #expect(
                await (try scheduler.submit(.make(other, 5))).collect().tokens == script.answer(to: other, count: 5)
            )
        }
        #expect(store.names.isEmpty)
        store.goOn()
        await wait { await scheduler.statistics().blocksCached == 0 }
        await wait { store.names.count > 13 }
        #expect(await scheduler.checkIntegrity() == nil)
    }

    @Test("An error that lasts is told once, and is what the Scheduler says of itself")
    func lastingFailure() async throws {
        let engine = ScriptedEngine(description: .make(blocks: 100), script: script.next)
        let told = Mutex<[String]>([])
        let scheduler = Scheduler(engine: engine, onFailure: { reason in told.withLock { $0.append(reason) } })
        await engine.failNextStep(EngineError("once"))
        #expect(await (try scheduler.submit(.make(prompt, 2))).collect().summary?.reason == .failed("once"))
        #expect(await scheduler.failure == nil)
        for _ in 0..<2 {
            await engine.failNextStep(EngineError("for ever", isLasting: true))
            #expect(await (try scheduler.submit(.make(prompt, 2))).collect().summary?.reason == .failed("for ever"))
        }
        #expect(await scheduler.failure == "for ever")
        #expect(told.withLock { $0 } == ["for ever"])
    }
}
