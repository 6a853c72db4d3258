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
        sampleIndex: Int = 0
    ) -> StepEntry {
        StepEntry(
            session: SessionID(1),
            tokens: tokens,
            startPosition: start,
            blocks: blocks,
            samples: true,
            sampling: sampling,
            sampleIndex: sampleIndex
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
        [entry(sampling: SamplingParameters(temperature: -1))],
        [entry(sampling: SamplingParameters(temperature: .nan))],
        [entry(sampling: SamplingParameters(temperature: 1, topP: 0))],
        [entry(sampling: SamplingParameters(temperature: 1, topK: -1))],
        [entry(sampleIndex: -1)],
    ]

    @Test("A malformed step is an error, and the engine goes on", arguments: malformed)
    func malformedSteps(entries: [StepEntry]) async throws {
        let engine = try Engine.make(Fixture("phi3-8bit").model)
        await #expect(throws: EngineError.self) { try await engine.step(Step(entries: entries)) }
        let result = try await engine.step(Step(entries: [Self.entry()]))
        #expect(result.samples.compactMap { $0 }.count == 1)
    }

    @Test("An empty step gives an empty result")
    func emptyStep() async throws {
        let engine = try Engine.make(Fixture("phi3-8bit").model)
        #expect(try await engine.step(Step(entries: [])).samples.isEmpty)
    }

    /// The float32 fixture with its last bytes replaced.
    private func model(endingIn value: Float, count: Int) throws -> LoadedModel {
        let folder = ModelSource.folder(try Fixture.path("phi3-float32"))
        var bytes = try folder.requiredFile("model.safetensors").array
        let end = [Float](repeating: value, count: count).withUnsafeBytes(Array.init)
        bytes.replaceSubrange((bytes.count - end.count)..., with: end)
        return try loadModel(
            from: .memory([
                "config.json": folder.requiredFile("config.json"),
                "tokenizer.json": folder.requiredFile("tokenizer.json"),
                "model.safetensors": FileBytes(copying: bytes),
            ])
        )
    }

    @Test("Weights that are not finite are refused when the model is loaded", arguments: [Float.nan, .infinity])
    func notFinite(value: Float) {
        let error = #expect(throws: ModelError.self) { try model(endingIn: value, count: 10_000) }
        #expect(error?.description.contains("not finite") == true)
    }

    @Test("Weights so large that numbers overflow end in an error, not in a token")
    func overflow() async throws {
        let engine = try Engine.make(model(endingIn: 3e38, count: 10_000))
        await #expect(throws: EngineError.self) { try await engine.step(Step(entries: [Self.entry()])) }
    }

    @Test("KV memory is planned from free memory, limits and sizes")
    func memoryPlan() throws {
        var configuration = try ModelConfiguration(source: .folder(Fixture.path("phi3-8bit")))
        configuration.contextLength = 1000
        let shape = KVShape(layers: 2, heads: 2, headSize: 16, blockSize: 16)
        #expect(shape.blockBytes == 8192)
        func plan(_ options: EngineOptions = EngineOptions(), free: Int) throws -> [Int] {
            let plan = try KVPlan(configuration: configuration, shape: shape, options: options, freeMemory: free)
            return [plan.contextLength, plan.blockCount]
        }
        // A full context takes 63 blocks of 8 KiB.
        #expect(try plan(free: 1 << 40) == [1000, 63 * 64])
        #expect(try plan(free: 8 << 20) == [1000, 256])
        #expect(try plan(free: 1 << 20) == [1000, 63])
        #expect(try plan(free: 1 << 18) == [128, 8])
        #expect(try plan(EngineOptions(kvMemoryBytes: 100_000), free: 1 << 40) == [192, 12])
        #expect(try plan(EngineOptions(contextLimit: 100), free: 1 << 40) == [100, 7 * 64])
        #expect(throws: ModelError.self) { try plan(EngineOptions(kvMemoryBytes: 8000), free: 1 << 40) }
        #expect(throws: ModelError.self) { try plan(EngineOptions(contextLimit: 0), free: 1 << 40) }
    }

    @Test("Engines end with their threads")
    func lifetime() async throws {
        let model = try Fixture("phi3-8bit").model
        for _ in 0..<20 {
            let engine = try Engine.make(model, threads: 3)
            _ = try await engine.step(Step(entries: [Self.entry()]))
        }
    }
}
