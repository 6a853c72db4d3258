import CKernels
import EngineContract
import ModelFiles
import Testing

@testable import Inference

/// What an engine refuses, and how it plans its memory.
@Suite struct EngineTests {
    private static func entry(
        tokens: [Token] = [1, 2, 3],
        start: Int = 0,
        blocks: [BlockIndex] = [0],
        sampling: SamplingParameters = .greedy,
        sampleIndex: Int = 0,
        samples: Bool = true,
        draftCount: Int = 0,
        seen: [Token] = []
    ) -> StepEntry {
        StepEntry(
            session: SessionID(1),
            tokens: tokens,
            startPosition: start,
            blocks: blocks,
            samples: samples,
            sampling: sampling,
            sampleIndex: sampleIndex,
            draftCount: draftCount,
            seen: seen
        )
    }

    private static let malformed: [[StepEntry]] = [
        [entry(tokens: [])],
        [entry(tokens: [-1])],
        [entry(tokens: [200])],
        [entry(start: -1)],
        [entry(start: .max, blocks: [0])],
        [entry(start: 511, blocks: Array(repeating: 0, count: 40))],
        [entry(start: 14)],
        [entry(blocks: [])],
        [entry(blocks: [-1])],
        [entry(blocks: [.max])],
        [entry(start: 14, blocks: [3, 3])],
        [entry(blocks: [4]), entry(blocks: [4])],
        [entry(start: 16, blocks: [4, 5]), entry(blocks: [4])],
        [entry(sampling: SamplingParameters(temperature: -1))],
        [entry(sampling: SamplingParameters(temperature: .nan))],
        [entry(sampling: SamplingParameters(temperature: 1, topP: 0))],
        [entry(sampling: SamplingParameters(temperature: 1, topK: -1))],
        [entry(sampling: SamplingParameters(temperature: 1, minP: -0.1))],
        [entry(sampling: SamplingParameters(temperature: 1, minP: .nan))],
        [entry(sampling: SamplingParameters(repetitionPenalty: 0))],
        [entry(sampling: SamplingParameters(repetitionPenalty: .nan))],
        [entry(sampling: SamplingParameters(repetitionPenalty: 2), seen: [200])],
        [entry(sampleIndex: -1)],
        [entry(sampleIndex: .max)],
        [entry(draftCount: -1)],
        [entry(draftCount: 3)],
        [entry(samples: false, draftCount: 1)],
    ]

    @Test("A malformed step is an error, and the engine goes on", arguments: malformed)
    func malformedSteps(entries: [StepEntry]) async throws {
        let engine = try Engine.make(Fixture("phi3-8bit").model)
        await #expect(throws: EngineError.self) { try await engine.step(Step(entries: entries)) }
        let result = try await engine.step(Step(entries: [Self.entry()]))
        #expect(result.samples.map(\.count) == [1])
    }

    @Test("Blocks behind the window may be gone, and written by others; blocks in it may not be missing")
    func blocksOutOfWindow() async throws {
        let fixture = try Fixture("mistral-bf16")
        let engine = try Engine.make(fixture.model)
        #expect(engine.description.window == 20)
        #expect(try Engine.make(Fixture("gemma2-bf16").model).description.window == nil)
        // Blocks 0 to 2 are enough, round and round: a window of 20 and the next token lie in three of 16.
        func entry(_ tokens: [Token], start: Int, outOfWindow: Int) -> StepEntry {
            let last = (start + tokens.count - 1) / 16
            let blocks = (0...last).map { $0 < outOfWindow ? StepEntry.outOfWindow : BlockIndex($0 % 3) }
            return Self.entry(tokens: tokens, start: start, blocks: blocks)
        }
        func outOfWindow(_ start: Int) -> Int { max(0, start + 1 - 20) / 16 }
        var answer: [Token] = []
        for (position, token) in fixture.prompt.enumerated() {
            let step = Step(entries: [entry([token], start: position, outOfWindow: outOfWindow(position))])
            answer = [try #require(try await engine.step(step).samples[0].first)]
        }
        for position in fixture.prompt.count..<(fixture.prompt.count + fixture.answer.count - 1) {
            let step = Step(entries: [
                entry([answer[answer.count - 1]], start: position, outOfWindow: outOfWindow(position))
            ])
            answer.append(try #require(try await engine.step(step).samples[0].first))
        }
        #expect(answer == fixture.answer)
        await #expect(throws: EngineError.self) {
            try await engine.step(Step(entries: [entry([1], start: 34, outOfWindow: 1)]))
        }
        #expect(try await engine.step(Step(entries: [entry([1], start: 35, outOfWindow: 1)])).samples.count == 1)
    }

    @Test("An empty step gives an empty result")
    func emptyStep() async throws {
        let engine = try Engine.make(Fixture("phi3-8bit").model)
        #expect(try await engine.step(Step(entries: [])).samples.isEmpty)
    }

    /// The float32 fixture with some of its weights replaced, counted in floats from the first or, if negative, the last.
    private func model(setting value: Float, at index: Int, count: Int) throws -> LoadedModel {
        let folder = ModelSource.folder(try Fixture.path("phi3-float32"))
        var bytes = try folder.requiredFile("model.safetensors").array
        let start = index < 0 ? bytes.count + 4 * index : 8 + Int(bytes[0]) + Int(bytes[1]) << 8 + 4 * index
        let values = [Float](repeating: value, count: count).withUnsafeBytes(Array.init)
        bytes.replaceSubrange(start..<(start + 4 * count), with: values)
        return try loadModel(
            from: .memory([
                "config.json": folder.requiredFile("config.json"),
                "tokenizer.json": folder.requiredFile("tokenizer.json"),
                "model.safetensors": FileBytes(copying: bytes),
            ])
        )
    }

    @Test("A session whose logits are not finite fails alone")
    func overflowOfOne() async throws {
        // The head comes first. One row that has its first weights so large that some tokens' logits overflow.
        let engine = try Engine.make(model(setting: 3e38, at: 0, count: 2))
        var (overflowing, healthy): (Token?, Token?)
        for token in Token(2)..<40 {
            let result = try await engine.step(Step(entries: [Self.entry(tokens: [token])]))
            if result.failures.isEmpty { healthy = token } else { overflowing = token }
        }
        let entry = Self.entry(tokens: [try #require(healthy)])
        let alone = try await engine.step(Step(entries: [entry]))
        let other = Self.entry(tokens: [try #require(overflowing)], blocks: [1])
        let result = try await engine.step(Step(entries: [other, entry]))
        #expect(result.samples == [[]] + alone.samples)
        #expect(result.failures.keys.sorted() == [0])
        // What it left in its block is nothing to whoever has that next.
        let next = Self.entry(tokens: entry.tokens, blocks: [1])
        #expect(try await engine.step(Step(entries: [next])).samples == alone.samples)
    }

    @Test("Guesses are sampled after as far as their logits are finite")
    func overflowOfGuess() async throws {
        let engine = try Engine.make(model(setting: 3e38, at: 0, count: 2))
        var (overflowing, healthy): (Token?, Token?)
        for token in Token(2)..<40 {
            let result = try await engine.step(Step(entries: [Self.entry(tokens: [token])]))
            if result.failures.isEmpty { healthy = token } else { overflowing = token }
        }
        let tokens = [try #require(healthy), try #require(overflowing)]
        let guessed = try await engine.step(Step(entries: [Self.entry(tokens: tokens, draftCount: 1)]))
        #expect(guessed.failures.isEmpty)
        let alone = try await engine.step(Step(entries: [Self.entry(tokens: [tokens[0]])]))
        let after = try await engine.step(Step(entries: [Self.entry(tokens: [tokens[1]], start: 1)]))
        #expect(guessed.samples == [alone.samples[0] + after.samples[0]])
    }

    @Test("Weights that are not finite are refused when the model is loaded", arguments: [Float.nan, .infinity])
    func notFinite(value: Float) {
        // A matrix's, and the last norm's.
        for (index, name) in [(0, "lm_head.weight"), (-1, "model.norm.weight")] {
            let error = #expect(throws: ModelError.self) { try model(setting: value, at: index, count: 1) }
            #expect(error?.description.contains("not finite") == true)
            #expect(error?.description.contains(name) == true)
        }
    }

    @Test("KV memory is planned from free memory, limits and sizes")
    func memoryPlan() throws {
        let model = try ModelConfiguration(source: .folder(Fixture.path("phi3-8bit"))).transformer
        var contextLength = 1000
        var shape = KVShape(
            layers: Array(repeating: .init(heads: 2, headSize: 16), count: 2),
            blockSize: 16,
            type: .f32
        )
        #expect(shape.blockBytes == 8192)
        let bytes = KVType.allCases.map { model.kvBytesPerToken($0) / model.layers.count }
        let numbers = 2 * model.heads.keySize
        #expect(bytes == [4 * numbers, 2 * numbers, 2 * numbers, numbers + 8 * model.heads.kvCount])
        func plan(_ options: EngineOptions = EngineOptions(), free: Int) throws -> [Int] {
            let plan = try KVPlan(contextLength: contextLength, shape: shape, options: options, freeMemory: free)
            return [plan.contextLength, plan.blockCount]
        }
        // A full context takes 63 blocks of 8 KiB.
        #expect(try plan(free: 1 << 40) == [1000, 63 * 64])
        #expect(try plan(free: 8 << 20) == [1000, 256])
        #expect(try plan(free: 1 << 20) == [1000, 63])
        #expect(try plan(free: 1 << 18) == [128, 8])
        #expect(try plan(EngineOptions(kvMemoryBytes: 100_000), free: 1 << 40) == [192, 12])
        #expect(try plan(EngineOptions(contextLimit: 100), free: 1 << 40) == [100, 7 * 64])
        // Of much free memory, what sessions of usual length need, or one full context.
        contextLength = 8192
        #expect(try plan(free: 1 << 40) == [8192, 65_536 / 16])
        contextLength = 100_000
        #expect(try plan(free: 1 << 40) == [100_000, 6250])
        #expect(throws: ModelError.self) { try plan(EngineOptions(kvMemoryBytes: 8000), free: 1 << 40) }
        #expect(throws: ModelError.self) { try plan(EngineOptions(contextLimit: 0), free: 1 << 40) }
        shape.layers = []
        #expect(throws: ModelError("a model of which no layer has keys and values is not supported")) {
            try plan(free: 1 << 40)
        }
        #expect(throws: ModelError.self) { try plan(EngineOptions(kvMemoryBytes: 100_000), free: 1 << 40) }
    }

    @Test("Engines end with their threads")
    func lifetime() async throws {
        let model = try Fixture("phi3-8bit").model
        for _ in 0..<20 {
            let engine = try Engine.make(model, threads: 3)
            _ = try await engine.step(Step(entries: [Self.entry()]))
        }
    }

    @Test("An engine runs the kernels that it is told to, and refuses those that this CPU lacks, naming those it has")
    func kernels() async throws {
        let model = try Fixture("phi3-4bit").model
        let available = ck_variant.available.map(\.name)
        for name in EngineOptions.kernelNames {
            let make = {
                try Engine(model: model, options: EngineOptions(threads: 1, kvMemoryBytes: 1 << 22, kernels: name))
            }
            if available.contains(name) {
                #expect(try make().description.kernelVariant == name)
            } else {
                let error = #expect(throws: ModelError.self) { try make() }
                #expect(error?.description.contains(available.joined(separator: ", ")) == true)
            }
        }
    }
}
