import EngineContract
import Platform
import Support
import Testing

@testable import Inference

/// KV blocks that leave an engine and come back to another.
@Suite struct BlockTransferTests {
    @Test(
        "Blocks of one engine serve another of the same identity, to the bit",
        arguments: ["phi3-4bit", "gemma2-bf16", "mistral-8bit", "gemma4_text-4bit"]
    )
    func anotherEngine(name: String) async throws {
        let fixture = try Fixture(name)
        let first = try Engine.make(fixture.model, threads: 1)
        let logits = try await first.logits(of: fixture.prompt)
        let second = try Engine.make(try Fixture(name).model, threads: 2)
        #expect(first.blockIdentity == second.blockIdentity)
        // The first two blocks of 16, into other places.
        var restored: [RestoredBlock] = []
        for (source, target) in [(BlockIndex(0), BlockIndex(7)), (1, 3)] {
            restored.append(RestoredBlock(block: target, contents: try await first.contents(of: source)))
        }
        try await second.restore(restored)
        let entry = StepEntry(
            session: SessionID(1),
            tokens: Array(fixture.prompt[32...]),
            startPosition: 32,
            blocks: [7, 3] + (10..<30).map { BlockIndex($0) },
            samples: true,
            sampling: .greedy,
            sampleIndex: 0
        )
        let row = try #require(try await second.logits(of: Step(entries: [entry]))[0])
        #expect(identical(row, try #require(logits.last)))
    }

    @Test(
        "A state of one engine, with the blocks before it, serves another, to the bit",
        arguments: ["qwen3_next-4bit", "qwen3_5_text-bf16", "qwen3_5_moe_text-8bit", "lfm2-4bit"]
    )
    func stateOfAnotherEngine(name: String) async throws {
        let fixture = try Fixture(name)
        func entry(from start: Int, blocks: [BlockIndex], _ state: StateUse) -> StepEntry {
            StepEntry(
                session: SessionID(1),
                tokens: Array(fixture.prompt[start...]),
                startPosition: start,
                blocks: blocks + (10..<30).map { BlockIndex($0) },
                samples: true,
                sampling: .greedy,
                sampleIndex: 0,
                state: state
            )
        }
        let (first, second) = (try Engine.make(fixture.model, threads: 1), try Engine.make(try Fixture(name).model))
        #expect(first.blockIdentity == second.blockIdentity)
        let snapshot = StateUse.Snapshot(slot: 2, tokens: 32)
        let whole = entry(from: 0, blocks: [0, 1], StateUse(slot: 0, source: nil, snapshots: [snapshot]))
        let expected = try #require(try await first.logits(of: Step(entries: [whole]))[0])
        for (source, target) in [(BlockIndex(0), BlockIndex(7)), (1, 3)] {
            let block = RestoredBlock(block: target, contents: try await first.contents(of: source))
            try await second.restore([block])
        }
        let state = try await first.contents(ofState: 2)
        #expect(state.count == first.description.stateMemory?.slotBytes)
        try await second.restore(state: 5, state)
        let rest = entry(from: 32, blocks: [7, 3], StateUse(slot: 0, source: 5))
        let row = try #require(try await second.logits(of: Step(entries: [rest]))[0])
        #expect(identical(row, expected))
        // Another state gives other logits.
        try await second.restore(state: 5, try await first.contents(ofState: 0))
        let other = try #require(try await second.logits(of: Step(entries: [rest]))[0])
        #expect(!identical(other, expected))
    }

    @Test("Slots that are not there, and states of another size, are errors")
    func stateRefusals() async throws {
        let engine = try Engine.make(Fixture("lfm2-4bit").model)
        let contents = try await engine.contents(ofState: 0)
        for slot in [StateSlot(-1), 64, .max] {
            await #expect(throws: EngineError.self) { try await engine.contents(ofState: slot) }
            await #expect(throws: EngineError.self) { try await engine.restore(state: slot, contents) }
        }
        await #expect(throws: EngineError.self) { try await engine.restore(state: 0, contents.dropLast()) }
        let stateless = try Engine.make(Fixture("phi3-4bit").model)
        await #expect(throws: EngineError.self) { try await stateless.contents(ofState: 0) }
        await #expect(throws: EngineError.self) { try await stateless.restore(state: 0, []) }
    }

    @Test("Whatever changes the numbers changes the identity; threads and memory do not")
    func identity() throws {
        let model = try Fixture("phi3-4bit").model
        let own = try Engine(model: model, options: EngineOptions(threads: 1, kvMemoryBytes: 1 << 22)).blockIdentity
        #expect(
            try Engine(model: model, options: EngineOptions(threads: 2, kvMemoryBytes: 2 << 22)).blockIdentity == own
        )
        let others = [
            try Engine.make(Fixture("phi3-8bit").model), try Engine.make(model, precise: true),
            try Engine.make(model, blockSize: 32), try Engine.make(model, contextLimit: 100),
            try Engine.make(Fixture("phi3-window", weights: "phi3-float32").model),
            try Engine.make(Fixture("phi3-float32").model),
        ]
        #expect(Set(others.map(\.blockIdentity) + [own]).count == others.count + 1)
    }

    @Test("Blocks whose memory was given back are as good as new, and their neighbours as they were")
    func released() async throws {
        let fixture = try Fixture("phi3-8bit")
        let engine = try Engine.make(fixture.model, kvType: .int8)
        let logits = try await engine.logits(of: fixture.prompt)
        let used = (fixture.prompt.count + 15) / 16
        // Neighbours at both ends, and blocks that there are not.
        let neighbours = [0, BlockIndex(used)]
        for block in neighbours {
            let pattern = (0..<engine.blockBytes).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ Int(block)) }
            try await engine.restore([RestoredBlock(block: block, contents: pattern)])
        }
        let before = [try await engine.contents(of: neighbours[0]), try await engine.contents(of: neighbours[1])]
        await engine.release((1..<BlockIndex(used)).reversed() + [-1, .max])
        await engine.trim()
        #expect(try await [engine.contents(of: neighbours[0]), engine.contents(of: neighbours[1])] == before)
        let again = try await engine.logits(of: fixture.prompt)
        #expect(again.count == logits.count && !again.isEmpty && zip(again, logits).allSatisfy { identical($0, $1) })
    }

    @Test("Memory of blocks that is given back is no longer this process's")
    func releasedMemory() throws {
        // Blocks of 10 KiB: pages lie across their borders.
        let shape = KVShape(layers: [.init(heads: 1, headSize: 80)], blockSize: 16, type: .f32)
        #expect(shape.blockBytes == 10 << 10)
        let memory = try KVMemory(shape: shape, blockCount: 4000)
        func resident() -> Int {
            let start = memory.contents(of: 0).baseAddress
            let pages = memory.byteCount / 4096
            var states = [UInt8](repeating: 0, count: pages + 1)
            #expect(mincore(start, memory.byteCount, &states) == 0)
            return states.count { $0 & 1 == 1 }
        }
        for block in 0..<4000 {
            memory.contents(of: block).initializeMemory(as: UInt8.self, repeating: UInt8(block & 63))
        }
        let before = resident()
        var generator = SeededGenerator(seed: 1)
        memory.release((1000..<3000).shuffled(using: &generator))
        #expect(resident() <= before - 2000 * 10 / 4 + 1)
        for block in [0, 999, 3000, 3999] {
            #expect(memory.contents(of: block).allSatisfy { $0 == UInt8(block & 63) }, "block \(block)")
        }
        // A single block has at least one whole page.
        memory.release([10])
        #expect(memory.contents(of: 10).contains(0) && !memory.contents(of: 9).contains(0))
    }

    @Test("Blocks that are not there, and contents of another size, are errors")
    func refusals() async throws {
        let engine = try Engine.make(Fixture("phi3-4bit").model)
        let contents = try await engine.contents(of: 0)
        #expect(contents.count == engine.blockBytes)
        let count = BlockIndex(engine.description.blockCount)
        for block in [-1, count, .max] {
            await #expect(throws: EngineError.self) { try await engine.contents(of: block) }
            await #expect(throws: EngineError.self) {
                try await engine.restore([RestoredBlock(block: block, contents: contents)])
            }
        }
        await #expect(throws: EngineError.self) {
            try await engine.restore([RestoredBlock(block: 0, contents: contents.dropLast())])
        }
    }
}
