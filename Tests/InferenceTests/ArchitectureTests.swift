import EngineContract
import Foundation
import ModelFiles
import Testing

@testable import Inference

/// Every architecture in every form of weights against `transformers` on the same weights.
@Suite struct ArchitectureTests {
    /// As the script names them: what they are is in their config.json.
    static let names = [
        "phi3-128k", "phi4-mini", "llama", "mistral", "qwen2", "qwen3", "qwen3_moe", "gemma2", "gemma3_text", "granite",
        "smollm3", "ministral3", "olmo2", "olmo3", "seed_oss", "ernie4_5", "hunyuan_v1_dense", "exaone4", "gpt_oss",
        "gemma4_text", "gemma4_moe", "glm4_moe", "deepseek_v2", "deepseek_v3", "glm4_moe_lite", "qwen3_next",
        "qwen3_5_text", "qwen3_5_moe_text", "lfm2", "lfm2_moe", "granitemoe", "granitemoehybrid",
        "granitemoehybrid_dense", "nemotron_h", "nemotron_h_moe",
    ]
    static let forms = ["bf16", "8bit", "4bit"]

    @Test("Logits agree with transformers to 1e-4 relative, and 64 greedy tokens are the same", arguments: names, forms)
    func precise(name: String, form: String) async throws {
        let fixture = try Fixture("\(name)-\(form)")
        let engine = try Engine.make(fixture.model, precise: true)
        #expect(try await Comparison(fixture, engine).largestError < 1e-4)
        // By which the memory that a model needs is known before it is read.
        #expect(fixture.model.mostColumns <= fixture.model.transformer.description.maxColumns)
        #expect(try await engine.generate(fixture.prompt, count: fixture.answer.count) == fixture.answer)
    }

    @Test(
        "With inputs of 15 bits, greedy tokens are the same wherever the reference is not close to a tie",
        arguments: names
    )
    func fast(name: String) async throws {
        for form in Self.forms.dropFirst() {
            let fixture = try Fixture("\(name)-\(form)")
            let comparison = try await Comparison(fixture, Engine.make(fixture.model, activations: .int15))
            #expect(comparison.farDisagreements == 0, "\(form)")
            #expect(comparison.divergence < 1e-3, "\(form)")
        }
    }

    @Test("In a context of the original length, longrope takes the factors for short contexts", arguments: forms)
    func shortFactors(form: String) async throws {
        for name in ["phi3-128k", "phi4-mini"] {
            let fixture = try Fixture("\(name)-\(form)")
            let engine = try Engine.make(fixture.model, precise: true, contextLimit: 32)
            let logits = try await engine.logits(of: fixture.short)
            #expect(relativeDifference(logits, fixture.shortLogits) < 1e-4)
        }
    }

    @Test(
        "gpt-oss in its own form of 4 bits agrees with transformers to 1e-4, and near ties apart with packed weights, too"
    )
    func float4() async throws {
        let fixture = try Fixture("gpt_oss-mxfp4")
        #expect(fixture.model.quantization.contains("MXFP4"))
        let engine = try Engine.make(fixture.model, precise: true)
        #expect(try await Comparison(fixture, engine).largestError < 1e-4)
        #expect(try await engine.generate(fixture.prompt, count: fixture.answer.count) == fixture.answer)
        let comparison = try await Comparison(fixture, Engine.make(fixture.model, activations: .int15))
        #expect(comparison.farDisagreements == 0 && comparison.divergence < 1e-3)
    }

    @Test("Rotary frequencies of every kind of scaling are those of transformers")
    func rotaryFrequencies() throws {
        struct Case: Decodable {
            var short: [Double]
            var long: [Double]
            var amplitude: Double
        }
        let file = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("rotary.json")))
        let cases = try JSONDecoder().decode([Case].self, from: file)
        let objects = try #require(JSONSerialization.jsonObject(with: file) as? [[String: Any]])
        #expect(cases.count == 7)
        for (index, expected) in cases.enumerated() {
            let config = try JSONSerialization.data(withJSONObject: #require(objects[index]["config"]))
            let configuration = try ModelConfiguration(source: .memory(["config.json": FileBytes(copying: config)]))
            let rotary = RotaryEmbedding(configuration.transformer.rotary[0])
            for (length, theirs) in [(4096, expected.short), (131_072, expected.long)] {
                let ours = rotary.frequencies(contextLength: length)
                #expect(isClose(ours, theirs) { 1e-6 * $0 }, "case \(index)")
            }
            let table = RotaryTable()
            rotary.fill(table, positions: [0], contextLength: 4096)
            #expect(abs(Double(table.cosines.buffer(1)[0]) - expected.amplitude) < 1e-6)
        }
    }

    @Test("The table of the README", .enabled(if: ProcessInfo.processInfo.environment["PENSIEVE_TABLE"] != nil))
    func table() async throws {
        print("| model | weights | mode | logits' error | greedy, given the reference's text | greedy | divergence |")
        print("|---|---|---|---|---|---|---|")
        for name in Self.names {
            for form in Self.forms { try await row(name, Fixture("\(name)-\(form)")) }
        }
        try await row("gpt_oss", Fixture("gpt_oss-mxfp4"))
        try await row("phi3", Fixture("phi3-mlx"))
        for name in ["f16.gguf", "q8_0.gguf", "q4_0-00001-of-00003.gguf", "k.gguf"] {
            let reference = "phi3-gguf/\(name.prefix { $0 != "." && $0 != "-" }).reference"
            try await row("phi3", Fixture(source: .at(Fixture.path("phi3-gguf/\(name)")), reference: reference))
        }
        for name in FormatTests.architectures {
            let source = try ModelSource.at(Fixture.path("gguf/\(name).gguf"))
            try await row(name, Fixture(source: source, reference: "gguf/\(name).reference"))
        }
    }

    /// Prints what a fixture comes to, with packed weights in both modes.
    private func row(_ name: String, _ fixture: Fixture) async throws {
        for precise in fixture.model.quantization.contains("float") ? [true] : [true, false] {
            let engine = try Engine.make(fixture.model, precise: precise)
            let comparison = try await Comparison(fixture, engine)
            let answer = try await engine.generate(fixture.prompt, count: fixture.answer.count)
            let same = zip(answer, fixture.answer).prefix { $0 == $1 }.count
            print(
                "| \(name) | \(fixture.model.quantization) | \(precise ? "precise" : "fast") "
                    + String(format: "| %.1e ", comparison.largestError)
                    + "| \(comparison.agreements)/\(fixture.logits.count) "
                    + (answer.isEmpty ? "| – " : "| \(same)/\(answer.count) ")
                    + String(format: "| %.1e |", comparison.divergence)
            )
        }
    }
}

/// How an engine's logits differ from the reference's, each after the reference's own tokens.
struct Comparison {
    /// Of the reference's two largest logits, relative to the largest size of one: above this, a disagreement is an error.
    static let bound: Float = 0.02

    /// The largest relative difference of a row.
    private(set) var largestError: Float = 0
    /// Rows whose largest logit is the reference's.
    private(set) var agreements = 0
    /// Rows whose largest logit is another, though the reference's two largest are farther apart than the bound.
    private(set) var farDisagreements = 0
    /// The mean Kullback-Leibler divergence, in nats, of our probabilities from the reference's.
    private(set) var divergence = 0.0

    init(_ fixture: Fixture, _ engine: Engine) async throws {
        let isOfAnswer = fixture.logits.count == fixture.answer.count
        let tokens = isOfAnswer ? fixture.prompt + fixture.answer.dropLast() : fixture.prompt
        let logits = try await engine.logits(of: tokens).suffix(fixture.logits.count)
        try #require(logits.count == fixture.logits.count && !logits.isEmpty)
        for (ours, theirs) in zip(logits, fixture.logits) {
            largestError = max(largestError, relativeDifference(ours, theirs))
            divergence += Self.divergence(theirs, ours) / Double(fixture.logits.count)
            let order = theirs.sorted(by: >)
            if try Self.mostProbable(ours) == Self.mostProbable(theirs) {
                agreements += 1
            } else if order[0] - order[1] > Self.bound * (try #require(theirs.map(abs).max())) {
                farDisagreements += 1
            }
        }
    }

    /// The place of the largest of finite logits.
    static func mostProbable(_ logits: [Float]) throws -> Int {
        let isFinite = logits.allSatisfy { $0.isFinite }
        try #require(isFinite)
        return try #require(logits.indices.max { (logits[$0], $1) < (logits[$1], $0) })
    }

    /// Not a number, which is below no bound, if a logit is none or there is not one of ours for each of theirs.
    static func divergence(_ theirs: [Float], _ ours: [Float]) -> Double {
        func logarithms(_ logits: [Float]) -> [Double] {
            let largest = Double(logits.max() ?? 0)
            let total = log(logits.reduce(0) { $0 + exp(Double($1) - largest) })
            return logits.map { Double($0) - largest - total }
        }
        guard theirs.count == ours.count, !theirs.isEmpty else { return .nan }
        return zip(logarithms(theirs), logarithms(ours)).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
    }
}
