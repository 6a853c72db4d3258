import CKernels
import EngineContract
import Foundation
import Testing

@testable import Inference
@testable import ModelFiles

/// Weights that are mapped, and whose file becomes shorter.
@Suite struct DamagedFileTests {
    /// The float32 fixture with its weights mapped from a file of its own.
    private func withMapped(_ body: (_ source: ModelSource, _ weights: String) async throws -> Void) async throws {
        let folder = ModelSource.folder(try Fixture.path("phi3-float32"))
        let weights = NSTemporaryDirectory() + "weights-\(UUID()).safetensors"
        defer { try? FileManager.default.removeItem(atPath: weights) }
        try Data(folder.requiredFile("model.safetensors").array).write(to: URL(fileURLWithPath: weights))
        let source = ModelSource.memory([
            "config.json": try folder.requiredFile("config.json"),
            "tokenizer.json": try folder.requiredFile("tokenizer.json"),
            "model.safetensors": try #require(try FileBytes(contentsOf: weights, maxReadBytes: 0)),
        ])
        try await body(source, weights)
    }

    private func step(_ prompt: [Token]) -> Step {
        Step(entries: [
            StepEntry(
                session: SessionID(1),
                tokens: prompt,
                startPosition: 0,
                blocks: (0..<20).map { BlockIndex($0) },
                samples: true,
                sampling: .greedy,
                sampleIndex: 0
            )
        ])
    }

    @Test("In use, every step fails from then on, naming the file; another engine goes on", arguments: [false, true])
    func inUse(isPrecise: Bool) async throws {
        let fixture = try Fixture("phi3-float32")
        try await withMapped { source, weights in
            let engine = try Engine.make(loadModel(from: source), precise: isPrecise)
            let other = try Engine.make(fixture.model, precise: isPrecise)
            let before = try await engine.step(step(fixture.prompt)).samples
            #expect(before == [[fixture.answer[0]]])
            #expect(truncate(weights, 4096) == 0)
            for _ in 0..<2 {
                let error = await #expect(throws: EngineError.self) { try await engine.step(step(fixture.prompt)) }
                #expect(error?.isLasting == true && error?.description.hasPrefix(weights) == true)
            }
            #expect(try await other.step(step(fixture.prompt)).samples == before)
        }
    }

    @Test("Whichever thread reads what is gone goes on")
    func threads() throws {
        let compute = try Compute(threads: 4, precise: false)
        let path = NSTemporaryDirectory() + "mapped-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: path) }
        for _ in 0..<20 {
            try Data(repeating: 1, count: 1 << 20).write(to: URL(fileURLWithPath: path))
            let bytes = try #require(try FileBytes(contentsOf: path, maxReadBytes: 0))
            #expect(truncate(path, 0) == 0)
            _ = ck_probe_read(compute.handle, bytes.bytes.baseAddress, bytes.count)
            #expect(bytes.mappedFile?.isDamaged == true)
        }
    }

    @Test("While it is loaded, that is an error that names the file")
    func whileLoading() async throws {
        try await withMapped { source, weights in
            let error = #expect(throws: ModelError.self) {
                try loadModel(from: source) { _ in truncate(weights, 4096) }
            }
            #expect(error?.description == "\(weights): cannot be read to its end; it became shorter while it was read")
        }
    }
}
