import EngineContract
import Scheduling
import Testing

/// Blocks that outlive a Scheduler.
@Suite(.timeLimit(.minutes(5))) struct StoreTests {
    private let script = Script()

    private struct Life {
        let engine: ScriptedEngine
        let scheduler: Scheduler

        init(_ store: MemoryStore, blocks: Int = 100, script: Script = Script()) {
            let description = EngineDescription.make(blocks: blocks, window: script.window)
            engine = ScriptedEngine(description: description, keepsHistory: true, script: script.next)
            scheduler = Scheduler(engine: engine, stored: StoredBlocks(engine: engine, store: store))
        }

        /// Tokens computed in all steps.
        var computed: Int {
            get async { await engine.history.flatMap(\.values).reduce(0, +) }
        }

        func end() async -> Int {
            await scheduler.stop(within: .seconds(3600))
            #expect(await scheduler.checkIntegrity() == nil)
            return await scheduler.saveBlocks()
        }
    }

    @Test("A conversation goes on in the next life where it ended in this one")
    func nextLife() async throws {
        let store = MemoryStore()
        let prompt = (0..<100).map { Token($0) }
        let first = Life(store)
        let answer = await (try first.scheduler.submit(.make(prompt, 20))).collect().tokens
        // 119 tokens are computed: the last one sampled is not.
        #expect(await first.end() == 7)

        let second = Life(store)
        let generation = try await second.scheduler.submit(.make(prompt + answer + [5], 4))
        let (tokens, summary) = await generation.collect()
        #expect(tokens == script.answer(to: prompt + answer + [5], count: 4))
        #expect(summary?.cachedTokens == 112)
        #expect(await second.computed == 121 - 112 + 3)
        #expect(await second.scheduler.statistics().prefixHitTokensTotal == 112)
        #expect(await second.end() == 7)
        #expect(store.names.count == 7)
        // The beginning of the text is what the store removes last.
        #expect(store.lastUses.map(\.count) == store.names.map(\.count).sorted(by: >))
    }

    @Test("What many sessions share is read once")
    func shared() async throws {
        let store = MemoryStore()
        let text = (0..<320).map { Token($0) }
        store.add(text, blockSize: 16)
        let life = Life(store)
        var generations: [Generation] = []
        for index in 0..<8 {
            generations.append(try await life.scheduler.submit(.make(text + [Token(500 + index)], 1)))
        }
        for (index, generation) in generations.enumerated() {
            let (tokens, summary) = await generation.collect()
            #expect(tokens == script.answer(to: text + [Token(500 + index)], count: 1))
            #expect(summary?.cachedTokens == 320)
        }
        #expect(store.readCount == 20)
        #expect(await life.computed == 8)
    }

    @Test("A block that cannot be read is computed, and those behind it")
    func broken() async throws {
        let store = MemoryStore(failures: 100)
        let text = (0..<100).map { Token($0) }
        store.add(text, blockSize: 16)
        let life = Life(store)
        let (tokens, summary) = await (try life.scheduler.submit(.make(text, 3))).collect()
        #expect(tokens == script.answer(to: text, count: 3) && summary?.cachedTokens == 0)
    }

    @Test("What was used last is saved where there is not room for all")
    func capacity() async throws {
        let store = MemoryStore(capacity: 3)
        let life = Life(store)
        let prompts = (0..<4).map { index in (0..<33).map { Token(100 * index + $0) } }
        for prompt in prompts { _ = await (try life.scheduler.submit(.make(prompt, 1))).collect() }
        #expect(await life.end() == 3)
        let last = Life(store)
        var hits: [Int?] = []
        for prompt in prompts {
            hits.append(await (try last.scheduler.submit(.make(prompt, 1))).collect().summary?.cachedTokens)
        }
        #expect(hits == [0, 0, 16, 32])
    }

    @Test("Nothing is saved while the Scheduler runs, nor once somebody is in a hurry")
    func hurry() async throws {
        let store = MemoryStore()
        let life = Life(store)
        _ = await (try life.scheduler.submit(.make(Array(repeating: 1, count: 40), 1))).collect()
        #expect(await life.scheduler.saveBlocks() == 0)
        await life.scheduler.stopSaving()
        #expect(await life.end() == 0)
        #expect(store.names.isEmpty)
    }
}
