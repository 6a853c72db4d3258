import EngineContract
import Scheduling
import Testing

/// Blocks that outlive a Scheduler.
@Suite(.timeLimit(.minutes(5))) struct StoreTests {
    private let script = Script()

    private struct Life {
        let engine: ScriptedEngine
        let scheduler: Scheduler

        init(
            _ store: MemoryStore,
            blocks: Int = 100,
            stateSlots: Int? = nil,
            script: Script = Script(),
            configuration: SchedulerConfiguration = SchedulerConfiguration()
        ) {
            let description = EngineDescription.make(blocks: blocks, window: script.window, stateSlots: stateSlots)
            engine = ScriptedEngine(description: description, keepsHistory: true, script: script.next)
            let stored = StoredBlocks(engine: engine, store: store)
            scheduler = Scheduler(engine: engine, configuration: configuration, stored: stored)
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

    @Test("What a disk that hangs does not give is computed, until it answers again", arguments: [nil, 8])
    func hungReads(stateSlots: Int?) async throws {
        let store = MemoryStore()
        let text = (0..<320).map { Token($0) }
        let others = [320, 640].map { more in text.map { $0 + more } }
        let borders: Set = stateSlots == nil ? [] : [20]
        for text in [text] + others { store.add(text, blockSize: 16, statesAfter: borders) }
        var configuration = SchedulerConfiguration()
        configuration.storeReadLimit = .milliseconds(50)
        let life = Life(store, stateSlots: stateSlots, configuration: configuration)
        store.hang()
        for index in 0..<3 {
            let prompt = (index == 1 ? others[0] : text) + [Token(500 + index)]
            let (tokens, summary) = await (try life.scheduler.submit(.make(prompt, 4))).collect()
            #expect(tokens == script.answer(to: prompt, count: 4))
            // The third finds what the first has computed.
            #expect(summary?.cachedTokens == (index == 2 ? 320 : 0))
        }
        #expect(store.readCount == 0)
        store.goOn()
        // The reads that nobody waits for any more end soon.
        while store.readCount == 0 { try await Task.sleep(for: .milliseconds(1)) }
        try await Task.sleep(for: .milliseconds(50))
        let prompt = others[1] + [7]
        let (tokens, summary) = await (try life.scheduler.submit(.make(prompt, 4))).collect()
        #expect(tokens == script.answer(to: prompt, count: 4) && summary?.cachedTokens == 320)
        #expect(await life.scheduler.checkIntegrity() == nil)
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

    // MARK: Models with states

    @Test("With states, too, a conversation goes on in the next life where it ended in this one")
    func nextLifeWithStates() async throws {
        let store = MemoryStore()
        let prompt = (0..<100).map { Token($0) }
        let first = Life(store, stateSlots: 8)
        let answer = await (try first.scheduler.submit(.make(prompt, 20))).collect().tokens
        // Up to the last block that ends in the answer: near the end of the prompt and there are states.
        #expect(await first.end() == 7)
        #expect(store.names.count == 7 && store.stateNames.count == 2)

        let second = Life(store, stateSlots: 8)
        let turn = prompt + answer + [5]
        let (tokens, summary) = await (try second.scheduler.submit(.make(turn, 4))).collect()
        #expect(tokens == script.answer(to: turn, count: 4))
        #expect(summary?.cachedTokens == 112)
        #expect(await second.computed == 121 - 112 + 3)
        #expect(await second.scheduler.statistics().prefixHitTokensTotal == 112)
        #expect(store.readCount == 7 && store.stateReadCount == 1)
        // Now it is a snapshot like others.
        let (_, again) = await (try second.scheduler.submit(.make(turn.dropLast() + [6, 7], 1))).collect()
        #expect(again?.cachedTokens == 112 && store.stateReadCount == 1)
        // A text that leaves the other in its answer continues near the end of the prompt.
        let (_, other) = await (try second.scheduler.submit(.make(prompt + [900, 901], 1))).collect()
        #expect(other?.cachedTokens == 80 && store.readCount == 7 && store.stateReadCount == 2)
        #expect(await second.end() >= 7)
    }

    @Test("Blocks of the cache and of the store continue each other up to a state")
    func mixed() async throws {
        let store = MemoryStore()
        let text = (0..<321).map { Token($0) }
        let life = Life(store, stateSlots: 8)
        _ = await (try life.scheduler.submit(.make(Array(text.prefix(100)), 1))).collect()
        store.add(text, blockSize: 16, statesAfter: [3, 15])
        #expect(await (try life.scheduler.submit(.make(text, 1))).collect().summary?.cachedTokens == 240)
        // The first six were there; those behind the state are of no use.
        #expect(store.readCount == 9 && store.stateReadCount == 1)
        #expect(await life.end() > 0)
    }

    @Test(
        "Where a state or a block is damaged, a text continues from the deepest state before it",
        arguments: [true, false]
    )
    func damagedState(isState: Bool) async throws {
        let store = MemoryStore()
        let text = (0..<321).map { Token($0) }
        store.add(text, blockSize: 16, statesAfter: [4, 9, 20])
        // They are there until they are read.
        let names = store.names.sorted { $0.count < $1.count }
        store.damage(isState ? .state : .block, of: names[isState ? 19 : 16])
        let life = Life(store, stateSlots: 8)
        let (tokens, summary) = await (try life.scheduler.submit(.make(text, 3))).collect()
        #expect(tokens == script.answer(to: text, count: 3) && summary?.cachedTokens == 144)
        #expect(store.stateReadCount == 1)
        #expect(await life.computed == 321 - 144 + 2)
        #expect(await life.end() > 0)
    }

    @Test("Blocks without a state behind them are not read, and all is computed where no slot is free")
    func noState() async throws {
        let text = (0..<321).map { Token($0) }
        for (slots, borders) in [(8, Set<Int>()), (1, [20])] {
            let store = MemoryStore()
            store.add(text, blockSize: 16, statesAfter: borders)
            let life = Life(store, stateSlots: slots)
            let (tokens, summary) = await (try life.scheduler.submit(.make(text, 3))).collect()
            #expect(tokens == script.answer(to: text, count: 3) && summary?.cachedTokens == 0)
            #expect(store.readCount == (slots == 1 ? 20 : 0))
            #expect(await life.end() == 0 || slots > 1)
        }
    }

    @Test("What many sessions share is read once, with its state")
    func sharedState() async throws {
        let store = MemoryStore()
        let text = (0..<320).map { Token($0) }
        store.add(text, blockSize: 16, statesAfter: [20])
        let life = Life(store, stateSlots: 40)
        var generations: [Generation] = []
        for index in 0..<8 {
            generations.append(try await life.scheduler.submit(.make(text + [Token(500 + index)], 1)))
        }
        for (index, generation) in generations.enumerated() {
            let (tokens, summary) = await generation.collect()
            #expect(tokens == script.answer(to: text + [Token(500 + index)], count: 1))
            #expect(summary?.cachedTokens == 320)
        }
        #expect(store.readCount == 20 && store.stateReadCount == 1)
        #expect(await life.computed == 8)
        #expect(await life.end() == 20)
    }

    @Test("Where two texts part is noticed also where the first one is in the store: the third continues there")
    func branchFromStore() async throws {
        let store = MemoryStore()
        let system = (0..<160).map { Token($0) }
        store.add(system + (0..<48).map { Token(300 + $0) }, blockSize: 16, statesAfter: [13])
        let life = Life(store, stateSlots: 16)
        for (first, cached) in [(Token(400), 0), (500, 160)] {
            let text = system + (0..<60).map { first + $0 }
            let (tokens, summary) = await (try life.scheduler.submit(.make(text, 2))).collect()
            #expect(tokens == script.answer(to: text, count: 2) && summary?.cachedTokens == cached)
        }
        #expect(await life.end() > 10)
    }

    @Test("Of texts with states, those used last are saved as far as there is room, each up to a state")
    func capacityWithStates() async throws {
        // Each prompt takes two blocks and a state: there is room for two prompts, and not for a third.
        let store = MemoryStore(capacity: 7)
        let life = Life(store, stateSlots: 16)
        let prompts = (0..<4).map { index in (0..<41).map { Token(100 * index + $0) } }
        for prompt in prompts { _ = await (try life.scheduler.submit(.make(prompt, 1))).collect() }
        #expect(await life.end() == 4)
        #expect(store.names.count == 4 && store.stateNames.count == 2)
        // The end of what was used least recently is what the store removes first.
        #expect(store.lastUses.map { $0.split(separator: "|").count } == [2, 1, 2, 1])
        let last = Life(store, stateSlots: 16)
        var hits: [Int?] = []
        for prompt in prompts {
            hits.append(await (try last.scheduler.submit(.make(prompt, 1))).collect().summary?.cachedTokens)
        }
        #expect(hits == [0, 0, 32, 32])
        #expect(await last.end() > 0)
    }
}
