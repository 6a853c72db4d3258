import EngineContract
import Foundation
import ModelFiles
import Testing

@testable import Inference

/// What the types of KV memory cost in the built-in model, in text of its own. Matmul is precise: with rounded inputs,
/// the smallest change of any number makes others round otherwise.
@Suite struct KVTypeTests {
    /// How the logits with a type differ from those with float32.
    struct Difference {
        /// The mean Kullback-Leibler divergence in nats, and the largest.
        var divergence = 0.0
        var largest = 0.0
        /// The share of tokens after which the most probable one is the same.
        var agreement = 0.0
    }

    private static func model() throws -> LoadedModel {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..")
        return try loadModel(
            from: .folder(root.appending(path: "Sources/BuiltinModel/model").standardized.path),
            packing: false
        )
    }

    /// A text that the model writes, sampled.
    private static func text(_ engine: Engine, length: Int, seed: UInt64) async throws -> [Token] {
        let start = Token(seed % 200) + 10
        return try await [start]
            + engine.generate(
                [start],
                count: length - 1,
                sampling: SamplingParameters(temperature: 1, topP: 1, topK: 0, seed: seed)
            )
    }

    private static func difference(_ texts: [[Token]], _ model: LoadedModel, _ type: KVType) async throws -> Difference
    {
        let (exact, engine) = (
            try Engine.make(model, precise: true), try Engine.make(model, precise: true, kvType: type)
        )
        var result = Difference()
        let count = Double(texts.reduce(0) { $0 + $1.count })
        for text in texts {
            let (theirs, ours) = (try await exact.logits(of: text), try await engine.logits(of: text))
            try #require(theirs.count == text.count && ours.count == text.count)
            for (their, our) in zip(theirs, ours) {
                let divergence = Comparison.divergence(their, our)
                result.divergence += divergence / count
                result.largest = divergence > result.largest || divergence.isNaN ? divergence : result.largest
                result.agreement += try Comparison.mostProbable(their) == Comparison.mostProbable(our) ? 1 / count : 0
            }
        }
        return result
    }

    @Test("The standard type hardly changes the built-in model's probabilities")
    func standard() async throws {
        let model = try Self.model()
        let text = try await Self.text(Engine.make(model), length: 250, seed: 7)
        let difference = try await Self.difference([text], model, .standard)
        #expect(difference.divergence < 2e-3)
        #expect(difference.agreement > 0.97)
    }

    @Test("The table of KV types", .enabled(if: ProcessInfo.processInfo.environment["PENSIEVE_TABLE"] != nil))
    func table() async throws {
        let model = try Self.model()
        print("| length | KV | divergence, nats | largest | same most probable token |")
        print("|---|---|---|---|---|")
        for (length, count) in [(250, 16), (2000, 4)] {
            var texts: [[Token]] = []
            for seed in 0..<UInt64(count) {
                texts.append(try await Self.text(Engine.make(model), length: length, seed: seed))
            }
            for type in KVType.allCases {
                let difference = try await Self.difference(texts, model, type)
                print(
                    "| \(count) × \(length) | \(type.rawValue) | "
                        + String(format: "%.1e | %.1e | ", difference.divergence, difference.largest)
                        + String(format: "%.2f %% |", 100 * difference.agreement)
                )
            }
        }
    }
}
