import EngineContract
import Testing

@testable import Inference

/// KV blocks that leave an engine and come back to another.
@Suite struct BlockTransferTests {
    @Test(
        "Blocks of one engine serve another of the same identity, to the bit",
        arguments: ["phi3-4bit", "gemma2-bf16", "mistral-8bit"]
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
