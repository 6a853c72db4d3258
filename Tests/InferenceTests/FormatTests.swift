import CKernels
import EngineContract
import Foundation
import Support
import Testing

@testable import Inference
@testable import ModelFiles

/// Weights in the forms of files: each against the package whose form it is.
@Suite struct FormatTests {
    @Test("Every form has the values that its own package gives it, to the bit, in every variant")
    func values() throws {
        for form in try FormatFixture.forms() + FormatFixture.forms(packing: true) {
            for variant in ck_variant.available {
                let compute = try Compute(variant: variant, threads: 1, precise: false)
                var values = [Float](repeating: 0, count: 512)
                withUnsafePointer(to: form.matrix.view) { ck_copy_rows(compute.handle, $0, 0, 2, &values) }
                #expect(identical(values, form.values), "\(form.name), \(variant.name)")
            }
        }
    }

    @Test(
        "Models in every form compute what transformers computes with the values they stand for",
        arguments: ["phi3-mlx", "f16.gguf", "q8_0.gguf", "q4_0-00001-of-00003.gguf", "k.gguf"]
    )
    func models(name: String) async throws {
        let isGGUF = name.hasSuffix(".gguf")
        let source = try ModelSource.at(Fixture.path(isGGUF ? "phi3-gguf/\(name)" : name))
        let reference =
            isGGUF ? "phi3-gguf/\(name.prefix { $0 != "." && $0 != "-" }).reference" : "\(name)/reference"
        let fixture = try Fixture(source: source, reference: reference)
        for precise in [false, true] {
            let engine = try Engine.make(fixture.model, precise: precise, activations: .int15)
            let logits = try await engine.logits(of: fixture.prompt)
            let bound: Float = precise || name == "f16.gguf" ? 1e-4 : 1e-3
            #expect(relativeDifference(logits, fixture.logits) < bound)
            #expect(try await engine.generate(fixture.prompt, count: fixture.answer.count) == fixture.answer)
        }
    }

    static let architectures = [
        "phi3", "llama", "qwen2", "qwen3", "qwen3moe", "gemma2", "gemma3", "granite", "smollm3", "mistral3", "olmo2",
        "olmo3", "seed_oss", "ernie4_5", "hunyuan-dense", "exaone4", "gpt-oss", "gemma4", "glm4moe", "deepseek2",
        "deepseek2-v2", "qwen3next", "qwen35", "qwen35moe", "lfm2", "lfm2moe", "granitemoe", "granitehybrid",
        "granitehybrid-dense", "nemotron_h", "nemotron_h_moe",
    ]

    @Test(
        "A GGUF file of each architecture computes what transformers computes with the weights it was made from",
        arguments: architectures
    )
    func architecture(name: String) async throws {
        let reference = try Safetensors(
            ModelSource.folder(Fixture.path("gguf")).requiredFile("\(name).reference.safetensors"),
            label: name
        ).tensors
        let prompt = try Fixture.values(reference, "prompt", Token.self)
        let engine = try Engine.make(
            loadModel(from: .at(Fixture.path("gguf/\(name).gguf")), packing: false),
            precise: true
        )
        let logits = try await engine.logits(of: prompt).suffix(4)
        #expect(relativeDifference(logits, try Fixture.rows(reference, "logits")) < 1e-4)
    }

    @Test("The description names the forms, those first that hold the most; unpacked, the memory is that of the file")
    func description() throws {
        let k = try loadModel(from: .at(Fixture.path("phi3-gguf/k.gguf")), packing: false)
        #expect(k.quantization == "Q6_K, IQ4_XS, Q3_K, Q4_K, Q5_K, Q5_0, Q2_K and IQ4_NL")
        #expect(k.modelID == "k")
        #expect(k.eosTokens == [94, 95])
        let file = try #require(try FileBytes(contentsOf: Fixture.path("phi3-gguf/k.gguf")))
        // The rest is metadata, and gaps between tensors.
        #expect(file.count - 8192 < k.weightBytes && k.weightBytes < file.count)
        let split = try loadModel(from: .at(Fixture.path("phi3-gguf/q4_0-00001-of-00003.gguf")))
        #expect(split.quantization == "Q4_0 and bfloat16")
        #expect(split.modelID == "q4_0")
    }

    @Test("Tensors of GGUF files have the names that the gguf package maps to theirs")
    func names() throws {
        let json = try ModelSource.folder(Fixture.path("phi3-gguf")).requiredFile("names.json")
        let all = try JSONDecoder().decode([String: [String: String]].self, from: Data(json.array))
        let families = FamilyRegistry.all.map { $0.names }
        let known = Set(families.flatMap { $0.gguf })
        #expect(Set(all.keys) == known)
        for (family, gguf) in families.flatMap({ family in family.gguf.map { (family, $0) } }) {
            let names = try #require(all[gguf])
            let builder = GGUFBuilder([], tensors: names.values.map { .init($0, [1], bytes: [0, 0, 0, 0]) })
            let model = try GGUFModel(path: "x", files: [("x", FileBytes(copying: builder.bytes))])
            let directory = try TensorDirectory(source: .gguf(model), names: family.ggufTensors)
            #expect(Set(directory.tensors.keys) == Set(names.keys))
            #expect(directory.tensors.allSatisfy { names[$0.key] == $0.value.origin })
        }
    }

    @Test("Rows of a Llama file are put in the order of the Hugging Face form")
    func rowOrder() throws {
        // Two heads of 4 and a row that belongs to none, in the order that the converter writes: i, i + 2 of each head.
        let hugging: [Float] = [0, 1, 2, 3, 10, 11, 12, 13, 20]
        let written: [Float] = [0, 2, 1, 3, 10, 12, 11, 13, 20]
        let tensor = Tensor(
            name: "q",
            type: .float32,
            shape: [9],
            bytes: written.withUnsafeBytes { FileBytes(copying: $0) },
            file: "x"
        )
        #expect(tensor.floats(InterleavedHeads(count: 2, size: 4)) == hugging)
        // Heads that do not fit are left alone: the shape is refused elsewhere.
        #expect(tensor.floats(InterleavedHeads(count: 3, size: 4)) == written)
        #expect(tensor.floats() == written)
    }
}
