import EngineContract
import Testing

@testable import Inference

/// The forward pass against `transformers` on the same weights.
@Suite struct ReferenceTests {
    @Test(
        "Logits agree with transformers to 1e-4 relative, with inputs of 15 bits to 1e-3, with fewer to 0.1",
        arguments: ["phi3-float32", "phi3-8bit", "phi3-4bit"],
        [Activations?.none] + Activations.allCases
    )
    func logitsAgree(name: String, activations: Activations?) async throws {
        let fixture = try Fixture(name)
        let engine = try Engine.make(
            fixture.model,
            precise: activations == nil,
            activations: activations ?? .standard
        )
        let logits = try await engine.logits(of: fixture.prompt)
        let isExact = activations == nil || name == "phi3-float32"
        let bound: Float = isExact ? 1e-4 : activations == .int15 ? 1e-3 : 0.1
        #expect(relativeDifference(logits, fixture.logits) < bound)
    }

    @Test(
        "Greedy tokens equal those of transformers",
        arguments: ["phi3-float32", "phi3-8bit", "phi3-4bit"],
        [16, 64]
    )
    func greedyTokensAgree(name: String, blockSize: Int) async throws {
        let fixture = try Fixture(name)
        let engine = try Engine.make(fixture.model, precise: true, blockSize: blockSize)
        #expect(try await engine.generate(fixture.prompt, count: fixture.answer.count) == fixture.answer)
    }

    @Test("A sliding window hides what transformers hides")
    func slidingWindow() async throws {
        let fixture = try Fixture("phi3-window", weights: "phi3-float32")
        let engine = try Engine.make(fixture.model)
        let logits = try await engine.logits(of: fixture.prompt)
        #expect(relativeDifference(logits, fixture.logits) < 1e-4)
        #expect(try await engine.generate(fixture.prompt, count: fixture.answer.count) == fixture.answer)
    }

    @Test("The description counts real parameters and names the form of the weights")
    func description() async throws {
        let plain = try Engine.make(Fixture("phi3-float32").model).description
        let packed = try Engine.make(Fixture("phi3-4bit").model).description
        #expect(plain.parameterCount == 99_648)
        #expect(packed.parameterCount == plain.parameterCount)
        #expect(plain.quantization == "float32")
        #expect(packed.quantization == "MLX 4-bit, group 32")
        #expect(plain.contextLength == 512)
        #expect(try Fixture("phi3-8bit").model.eosTokens == [198, 199])
    }
}
