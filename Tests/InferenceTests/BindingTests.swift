import EngineContract
import Foundation
import ModelFiles
import Testing

@testable import Inference

/// The forms in which files have the same weights, and what is said when they have others.
@Suite struct BindingTests {
    @Test(
        "One matrix for q, k and v, and one for gate and up, bind like several, and the other way round",
        arguments: ["llama-bf16", "qwen2-4bit", "gemma3_text-8bit", "phi4-mini-bf16"]
    )
    func fusedAndSeparate(name: String) async throws {
        var files = try ModelFixtureFiles(name)
        let isFused = name.hasPrefix("phi")
        for layer in 0..<4 where files.hasLayer(layer) {
            let (attention, mlp) = ("model.layers.\(layer).self_attn", "model.layers.\(layer).mlp")
            if isFused {
                // 4 heads of q and 2 each of k and v, of 16.
                try files.split("\(attention).qkv_proj", [("q_proj", 64), ("k_proj", 32), ("v_proj", 32)])
                try files.split("\(mlp).gate_up_proj", [("gate_proj", 64), ("up_proj", 64)])
            } else {
                try files.join(attention, ["q_proj", "k_proj", "v_proj"], "qkv_proj")
                try files.join(mlp, ["gate_proj", "up_proj"], "gate_up_proj")
            }
        }
        try await expectSameLogits(files, name)
    }

    @Test("Experts bind one by one, and stacked as transformers 5 has them")
    func experts() async throws {
        var files = try ModelFixtureFiles("qwen3_moe-bf16")
        for layer in 1..<3 {
            let experts = "model.layers.\(layer).mlp.experts"
            for index in 0..<6 { try files.join("\(experts).\(index)", ["gate_proj", "up_proj"], "gate_up_proj") }
            for name in ["gate_up_proj", "down_proj"] {
                try files.stack((0..<6).map { "\(experts).\($0).\(name).weight" }, as: "\(experts).\(name)")
            }
        }
        try await expectSameLogits(files, "qwen3_moe-bf16")
    }

    @Test(
        "A model that also sees pictures gives its language model",
        arguments: ["gemma3": "gemma3_text-4bit", "mistral3": "ministral3-4bit"],
        ["language_model.model.", "model.language_model."]
    )
    func languageModel(names: (String, String), prefix: String) async throws {
        var files = try ModelFixtureFiles(names.1)
        files.tensors = files.tensors.reduce(into: [:]) { result, tensor in
            let isHead = tensor.key.hasPrefix("lm_head")
            let head = prefix.hasPrefix("model.") ? tensor.key : "language_model.\(tensor.key)"
            result[isHead ? head : prefix + tensor.key.dropFirst("model.".count)] = tensor.value
        }
        files.tensors["vision_tower.patch.weight"] = RawTensor(type: "F32", shape: [1], bytes: [0, 0, 0, 0])
        let text = files.configuration
        files.configuration = [
            "model_type": names.0, "text_config": text, "quantization": text["quantization"] ?? [:],
        ]
        files.configuration["vision_config"] = ["hidden_size": 1152]
        try await expectSameLogits(files, names.1, leftOut: ["vision_tower"], bytes: 4)
    }

    @Test("Floats of 4 bits bind as MLX has them, too")
    func float4() async throws {
        var files = try ModelFixtureFiles("gpt_oss-mxfp4")
        for layer in 0..<3 { try files.convertFloat4("model.layers.\(layer).mlp.experts") }
        files.configuration["quantization"] = ["group_size": 32, "bits": 4, "mode": "mxfp4"]
        try await expectSameLogits(files, "gpt_oss-mxfp4")
    }

    @Test("Layers behind the model's and its draft head are left out, and the user is told")
    func furtherLayers() async throws {
        var files = try ModelFixtureFiles("glm4_moe-bf16")
        files.configuration["num_nextn_predict_layers"] = 2
        for name in ["eh_proj.weight", "input_layernorm.weight"] {
            files.tensors["model.layers.4.\(name)"] = RawTensor(type: "F32", shape: [1], bytes: [0, 0, 0, 0])
        }
        try await expectSameLogits(files, "glm4_moe-bf16", leftOut: ["layers.4"], bytes: 8)
    }

    @Test("A Gemma 4 that also sees and hears gives its language model, without what its last layers do not use")
    func languageModelWithSharedLayers() async throws {
        var files = try ModelFixtureFiles("gemma4_text-bf16")
        for name in ["k_proj", "v_proj", "k_norm"] {
            let tensor = try #require(
                files.tensors["model.layers.1.self_attn.\(name == "k_norm" ? name : "k_proj").weight"]
            )
            for layer in 4..<6 { files.tensors["model.layers.\(layer).self_attn.\(name).weight"] = tensor }
        }
        files.tensors = files.tensors.reduce(into: [:]) { result, tensor in
            result["model.language_model." + tensor.key.dropFirst("model.".count)] = tensor.value
        }
        for tower in ["vision_tower", "audio_tower"] {
            files.tensors["model.\(tower).x.weight"] = RawTensor(type: "F32", shape: [1], bytes: [0, 0, 0, 0])
        }
        var text = files.configuration
        // As transformers 5 writes it.
        text["global_head_dim"] = nil
        text["per_layer_config"] = ["1": ["head_dim": 32], "5": ["head_dim": 32]]
        text["use_bidirectional_attention"] = "vision"
        files.configuration = ["model_type": "gemma4", "text_config": text, "vision_config": [:], "audio_config": [:]]
        try await expectSameLogits(files, "gemma4_text-bf16", leftOut: ["vision_tower", "audio_tower"], bytes: 8)
    }

    @Test(
        "A Qwen 3.5 that also sees pictures gives its language model, and tells what it leaves out",
        arguments: ["bf16", "4bit"]
    )
    func hybridLanguageModel(form: String) async throws {
        var files = try ModelFixtureFiles("qwen3_5_text-\(form)")
        // As the hub has it, and as MLX.
        let prefix = form == "bf16" ? "model.language_model." : "language_model.model."
        files.tensors = files.tensors.reduce(into: [:]) { result, tensor in
            result[prefix + tensor.key.dropFirst("model.".count)] = tensor.value
        }
        for name in ["model.visual.patch.weight", "mtp.fc.weight"] {
            files.tensors[name] = RawTensor(type: "F32", shape: [2], bytes: [UInt8](repeating: 0, count: 8))
        }
        let text = files.configuration
        files.configuration = [
            "model_type": "qwen3_5", "text_config": text, "quantization": text["quantization"] ?? [:],
            "tie_word_embeddings": true,
        ]
        try await expectSameLogits(files, "qwen3_5_text-\(form)", leftOut: ["visual", "mtp"], bytes: 16)
    }

    @Test("A bias that config.json does not speak of is bound if the file has it")
    func unspokenBias() async throws {
        var files = try ModelFixtureFiles("llama-bf16")
        files.configuration["attention_bias"] = nil
        files.configuration["mlp_bias"] = nil
        try await expectSameLogits(files, "llama-bf16")
    }

    /// - Parameters:
    ///   - leftOut: parts of the files that the language model does without.
    ///   - bytes: of these.
    private func expectSameLogits(
        _ files: ModelFixtureFiles,
        _ name: String,
        leftOut: Set<String> = [],
        bytes: Int = 0
    ) async throws {
        let fixture = try Fixture(name)
        let expected = try await Engine.make(fixture.model).logits(of: fixture.prompt)
        let model = try loadModel(from: files.source)
        let logits = try await Engine.make(model).logits(of: fixture.prompt)
        #expect(identical(logits, expected))
        #expect(model.parameterCount == fixture.model.parameterCount)
        #expect(model.leftOut.parts == leftOut && model.leftOut.byteCount == bytes)
    }

    // MARK: Errors

    @Test(
        "Each missing tensor is an error that names the file and the tensor",
        arguments: ArchitectureTests.names.map { "\($0)-bf16" } + ["qwen3_moe-4bit"]
    )
    func missing(name: String) throws {
        let files = try ModelFixtureFiles(name)
        for tensor in files.tensors.keys {
            var files = files
            files.tensors[tensor] = nil
            let error = #expect(throws: ModelError.self) { try loadModel(from: files.source) }
            let message = error?.description ?? "no error"
            // Without scales, the packed weights are of the wrong type; without one expert's stack, so are its parts.
            let path = tensor.split(separator: ".").dropLast().joined(separator: ".")
            let isNamed = message.contains(path) || message.contains(path.replacing(".switch_mlp.", with: ".experts."))
            #expect(message.contains("model.safetensors"), "\(message)")
            #expect(isNamed || tensor.contains(".switch_mlp."), "\(tensor): \(message)")
        }
    }

    @Test(
        "Each tensor of another shape is an error that names the file, the tensor and what was expected",
        arguments: ArchitectureTests.names.map { "\($0)-4bit" }
    )
    func wrongShape(name: String) throws {
        let files = try ModelFixtureFiles(name)
        for (tensor, value) in files.tensors {
            var files = files
            // Twice the columns of the first half of the rows: as many bytes.
            var shape = value.shape
            if shape[0] == 1 { continue }
            shape[0] /= 2
            shape[shape.count - 1] *= shape.count == 1 ? 1 : 2
            let bytes = value.shape.count == 1 ? Array(value.bytes.prefix(value.bytes.count / 2)) : value.bytes
            files.tensors[tensor] = RawTensor(type: value.type, shape: shape, bytes: bytes)
            let error = #expect(throws: ModelError.self) { try loadModel(from: files.source) }
            let message = error?.description ?? "no error"
            #expect(message.contains("model.safetensors: tensor \(tensor)"), "\(message)")
            #expect(message.contains("expected"), "\(message)")
        }
    }

    @Test("An unknown architecture is an error that lists the known ones")
    func unknown() throws {
        var files = try ModelFixtureFiles("llama-bf16")
        files.configuration["model_type"] = "mamba"
        let error = #expect(throws: ModelError.self) { try loadModel(from: files.source) }
        #expect(
            error?.description == """
                config.json: model_type "mamba" is not supported; "deepseek_v2", "deepseek_v3", "ernie4_5", \
                "exaone4", "gemma2", "gemma3", "gemma3_text", "gemma4", "gemma4_text", "gemma4_unified", \
                "gemma4_unified_text", "glm4_moe", "glm4_moe_lite", "gpt_oss", "granite", "granitemoe", \
                "granitemoehybrid", "granitemoeshared", "hunyuan_v1_dense", "lfm2", "lfm2_moe", "llama", \
                "ministral3", "mistral", "mistral3", "nemotron_h", "olmo2", "olmo3", "phi3", "qwen2", "qwen3", \
                "qwen3_5", "qwen3_5_moe", "qwen3_5_moe_text", "qwen3_5_text", "qwen3_moe", "qwen3_next", "seed_oss", \
                "smollm3" are
                """
        )
    }
}

/// A tensor as a safetensors file has it.
struct RawTensor {
    var type: String
    var shape: [Int]
    var bytes: [UInt8]
}

/// The files of a fixture, to be changed.
struct ModelFixtureFiles {
    var configuration: [String: Any]
    var tensors: [String: RawTensor]

    init(_ name: String) throws {
        let folder = ModelSource.folder(try Fixture.path(name))
        let config = Data(try folder.requiredFile("config.json").array)
        configuration = try #require(JSONSerialization.jsonObject(with: config) as? [String: Any])
        let file = try Safetensors(folder.requiredFile("model.safetensors"), label: name)
        tensors = file.tensors.mapValues {
            RawTensor(type: $0.type.rawValue, shape: $0.shape, bytes: $0.bytes.array)
        }
    }

    var source: ModelSource {
        get throws {
            var header: [String: [String: Any]] = [:]
            var data: [UInt8] = []
            for (name, tensor) in tensors {
                header[name] = [
                    "dtype": tensor.type, "shape": tensor.shape,
                    "data_offsets": [data.count, data.count + tensor.bytes.count],
                ]
                data += tensor.bytes
            }
            let text = try JSONSerialization.data(withJSONObject: header)
            let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
            return .memory([
                "config.json": FileBytes(copying: try JSONSerialization.data(withJSONObject: configuration)),
                "tokenizer.json": FileBytes(copying: Array("{}".utf8)),
                "model.safetensors": FileBytes(copying: length + text + data),
            ])
        }
    }

    func hasLayer(_ layer: Int) -> Bool { tensors["model.layers.\(layer).input_layernorm.weight"] != nil }

    /// Makes one matrix of the rows of several, with all that belongs to them.
    mutating func join(_ path: String, _ parts: [String], _ name: String) throws {
        for suffix in ["weight", "scales", "biases", "bias"] {
            let rows = parts.compactMap { tensors.removeValue(forKey: "\(path).\($0).\(suffix)") }
            guard var joined = rows.first else { continue }
            joined.shape[0] = rows.reduce(0) { $0 + $1.shape[0] }
            joined.bytes = rows.flatMap(\.bytes)
            tensors["\(path).\(name).\(suffix)"] = joined
        }
    }

    /// The other way round; `path` ends in the name of the one.
    mutating func split(_ path: String, _ parts: [(name: String, rows: Int)]) throws {
        let removed = tensors.removeValue(forKey: "\(path).weight")
        let whole = try #require(removed)
        let parent = path.split(separator: ".").dropLast().joined(separator: ".")
        let rowSize = whole.bytes.count / whole.shape[0]
        var first = 0
        for part in parts {
            let bytes = Array(whole.bytes[(first * rowSize)..<((first + part.rows) * rowSize)])
            tensors["\(parent).\(part.name).weight"] = RawTensor(
                type: whole.type,
                shape: [part.rows, whole.shape[1]],
                bytes: bytes
            )
            first += part.rows
        }
    }

    /// Gives the experts of gpt-oss the names and forms that MLX has for them.
    mutating func convertFloat4(_ path: String) throws {
        for (name, parts) in [("gate_up_proj", ["gate_proj", "up_proj"]), ("down_proj", ["down_proj"])] {
            for (suffix, own) in [("_blocks", "weight"), ("_scales", "scales"), ("_bias", "bias")] {
                let removed = tensors.removeValue(forKey: "\(path).\(name)\(suffix)")
                let stack = try #require(removed)
                let rows = stack.shape[0] * stack.shape[1]
                let rowSize = stack.bytes.count / rows
                for (first, part) in parts.enumerated() {
                    let bytes = stride(from: first, to: rows, by: parts.count).flatMap {
                        stack.bytes[($0 * rowSize)..<(($0 + 1) * rowSize)]
                    }
                    var shape = Array(stack.shape.prefix(2)) + (suffix == "_scales" ? [rowSize] : [])
                    if suffix == "_blocks" { shape.append(rowSize / 4) }
                    shape[1] /= parts.count
                    let type = suffix == "_blocks" ? "U32" : stack.type
                    tensors["\(path).\(part).\(own)"] = RawTensor(type: type, shape: shape, bytes: bytes)
                }
            }
        }
    }

    /// Makes one tensor of several of the same shape.
    mutating func stack(_ names: [String], as name: String) throws {
        let parts = try names.map { try #require(tensors[$0]) }
        for name in names { tensors[name] = nil }
        tensors[name] = RawTensor(
            type: parts[0].type,
            shape: [parts.count] + parts[0].shape,
            bytes: parts.flatMap(\.bytes)
        )
    }
}
