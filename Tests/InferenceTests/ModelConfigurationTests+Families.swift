import ModelFiles
import Testing

@testable import Inference

/// What is particular to families.
extension ModelConfigurationTests {
    @Test(
        "Ministral 3's queries grow with their position; a Mistral 3 of which the language model is a Mistral has none"
    )
    func ministral3() throws {
        let text = """
            "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 9,
            "num_key_value_heads": 1, "max_position_embeddings": 4096
            """
        let rotary = """
            "rope_parameters": {"rope_type": "yarn", "type": "yarn", "rope_theta": 1e6, "factor": 16.0, "mscale": 1.0,
             "mscale_all_dim": 1.0, "original_max_position_embeddings": 1024, "llama_4_scaling_beta": 0.1}
            """
        let own = try description(json: "{\"model_type\": \"ministral3\", \(text), \(rotary)}")
        #expect(own.heads.size == 128 && own.normEpsilon == 1e-5 && own.window == nil && !own.interleavesHeadRows)
        #expect(own.rotary.first?.queryGrowth == RotaryParameters.QueryGrowth(beta: 0.1, length: 1024))
        guard case .yarn(16, 1, 32, 1, 1024, true) = own.rotary.first?.scaling else {
            Issue.record("\(own.rotary)")
            return
        }
        func whole(_ kind: String, _ more: String) throws -> TransformerDescription {
            let part = "{\"model_type\": \"\(kind)\", \(text), \(more)}"
            return try description(json: "{\"model_type\": \"mistral3\", \"text_config\": \(part)}")
        }
        #expect(try whole("ministral3", rotary) == own)
        let older = try whole("mistral", "\"head_dim\": 128, \"sliding_window\": null, \"rope_theta\": 1e9")
        #expect(older.rotary == [RotaryParameters(base: 1e9, dimensions: 128)] && older.paths.count == 3)
        #expect(throws: ModelError("config.json: rope_parameters is missing")) { try whole("ministral3", "\"a\": 1") }
    }

    @Test(
        "OLMo 2 has norms of all heads and none before blocks; OLMo 3 also windows, outside of which rotation is stretched"
    )
    func olmo() throws {
        let fields: [String: String?] = ["model_type": "\"olmo2\"", "rope_theta": nil]
        let older = try description(fields)
        #expect(older.layers.allSatisfy { $0.norms == .after && $0.attention?.headNorms == .ofAllHeads })
        #expect(older.window == nil && older.rotary == [RotaryParameters(base: 10_000, dimensions: 96)])
        let scaling = "{\"rope_type\": \"yarn\", \"factor\": 8.0, \"original_max_position_embeddings\": 512}"
        let newer = try description(
            fields.merging(["model_type": "\"olmo3\"", "sliding_window": nil, "rope_scaling": scaling]) { $1 }
        )
        #expect(newer.layers.prefix(5).map(\.attention?.window) == [4096, 4096, 4096, nil, 4096])
        #expect(newer.layers.prefix(5).map(\.attention?.rotary) == [1, 1, 1, 0, 1])
        #expect(
            newer.rotary.map(\.base) == [500_000, 500_000]
                && newer.rotary.last?.scaling == RotaryParameters.Scaling.none
        )
        #expect(newer.rotary.first?.scaling != RotaryParameters.Scaling.none)
    }

    @Test("Switches of biases, and bases that are raised, are those of their families")
    func dense() throws {
        let seed = try description(["model_type": "\"seed_oss\"", "attention_bias": "true", "mlp_bias": "false"])
        #expect(seed.heads.size == 128)
        #expect(
            seed.layers.first?.attention?.bias == .required && seed.layers.first?.attention?.outputBias == .optional
        )
        let ernie = try description(["model_type": "\"ernie4_5\"", "use_bias": "true", "rope_theta": nil])
        #expect(ernie.interleavesHeadRows && ernie.rotary.first?.base == 500_000)
        #expect(
            ernie.layers.first?.feedForward == .dense(DenseDescription(size: 8192, activation: .silu, bias: .required))
        )
        let hunyuan = ["model_type": "\"hunyuan_v1_dense\"", "head_dim": "128", "rope_scaling": "null"]
        #expect(try description(hunyuan).rotary == [RotaryParameters(base: 10_000, dimensions: 128)])
        let raised = try description(
            hunyuan.merging(["rope_scaling": "{\"type\": \"dynamic\", \"alpha\": 1000.0, \"factor\": 1.0}"]) { $1 }
        )
        let base = try #require(raised.rotary.first?.base)
        #expect(abs(base - 11_158_839.9) < 1)
        #expect(raised.layers.first?.attention?.headNorms == .ofRotatedHeads)
        #expect(throws: ModelError.self) {
            try description(hunyuan.merging(["rope_scaling": "{\"type\": \"dynamic\", \"factor\": 2.0}"]) { $1 })
        }
    }

    @Test("EXAONE 4 rotates only where a window is, or everywhere where none is")
    func exaone4() throws {
        let fields: [String: String?] = ["model_type": "\"exaone4\"", "num_hidden_layers": "4"]
        let windowed = try description(fields).layers.map(\.attention)
        #expect(windowed.map(\.?.window) == [2047, 2047, 2047, nil] && windowed.map(\.?.rotary) == [0, 0, 0, nil])
        let plain = try description(fields.merging(["sliding_window": "null"]) { $1 })
        #expect(
            plain.layers.allSatisfy { $0.attention?.rotary == 0 && $0.attention?.window == nil && $0.norms == .after }
        )
        let spelt = ["sliding_window_pattern": "\"LG\"", "layer_types": #"["full_attention", "sliding_attention"]"#]
        let two = try description(fields.merging(spelt) { $1 }.merging(["num_hidden_layers": "2"]) { $1 })
        #expect(two.layers.map(\.attention?.window) == [nil, 2047])
    }

    @Test("gpt-oss has sinks, biases, windows in every other layer, and clamped experts")
    func gptOss() throws {
        let model = try description([
            "model_type": "\"gpt_oss\"", "num_hidden_layers": "4", "num_local_experts": "32",
            "num_experts_per_tok": "4",
            "head_dim": "64", "hidden_size": "2880", "intermediate_size": "2880", "sliding_window": nil,
            "num_attention_heads": "64", "num_key_value_heads": "8",
            "rope_scaling": """
            {"beta_fast": 32.0, "beta_slow": 1.0, "factor": 32.0, "original_max_position_embeddings": 4096,
             "rope_type": "yarn", "truncate": false}
            """,
            "quantization_config": #"{"modules_to_not_convert": ["lm_head"], "quant_method": "mxfp4"}"#,
        ])
        #expect(model.layers.map(\.attention?.window) == [128, nil, 128, nil])
        #expect(model.layers.allSatisfy { $0.attention?.hasSinks == true && $0.attention?.bias == .required })
        guard case .experts(let experts) = model.layers.first?.feedForward else {
            Issue.record("\(model.layers)")
            return
        }
        #expect(experts.count == 32 && experts.chosenCount == 4 && experts.normalizesWeights)
        #expect(experts.expert.activation == .clamped(slope: 1.702, limit: 7) && experts.expert.bias == .required)
        guard case .yarn(32, _, 32, 1, 4096, false) = model.rotary.first?.scaling else {
            Issue.record("\(model.rotary)")
            return
        }
    }
}
