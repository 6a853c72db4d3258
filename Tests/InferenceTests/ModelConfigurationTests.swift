import ModelFiles
import Platform
import Testing

@testable import Inference

/// What is read from `config.json`, and what is refused.
@Suite struct ModelConfigurationTests {
    private static let fields: [String: String] = [
        "model_type": "\"phi3\"", "hidden_size": "3072", "intermediate_size": "8192", "num_hidden_layers": "32",
        "num_attention_heads": "32", "num_key_value_heads": "32", "rms_norm_eps": "1e-05", "rope_theta": "10000.0",
        "rope_scaling": "null", "max_position_embeddings": "4096", "vocab_size": "32064", "sliding_window": "2047",
        "tie_word_embeddings": "false", "eos_token_id": "32000",
    ]

    func description(_ changes: [String: String?] = [:]) throws -> TransformerDescription {
        try configuration(changes).transformer
    }

    func configuration(
        _ changes: [String: String?] = [:],
        generation: String? = nil
    ) throws -> ModelConfiguration {
        var fields = Self.fields
        for (name, value) in changes { fields[name] = value }
        let json = "{" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ",") + "}"
        var files = ["config.json": FileBytes(copying: Array(json.utf8))]
        if let generation { files["generation_config.json"] = FileBytes(copying: Array(generation.utf8)) }
        return try ModelConfiguration(source: .memory(files))
    }

    @Test("Phi-3-mini's configuration is read")
    func phi3() throws {
        let configuration = try configuration(generation: "{\"eos_token_id\": [32000, 32001, 32007]}")
        let model = configuration.transformer
        #expect(configuration.modelType == "phi3")
        #expect(model.heads == AttentionHeads(count: 32, kvCount: 32, size: 96))
        #expect(model.rotary == [RotaryParameters(base: 10000, dimensions: 96)])
        #expect(model.layers.count == 32 && model.window == 2047 && model.widestWindow == 2047)
        #expect(configuration.eosTokens == [32000, 32001, 32007])
        #expect(configuration.quantization == MLXQuantization())
    }

    @Test("The newer form of the rotary parameters is read")
    func ropeParameters() throws {
        let parameters = "{\"rope_theta\": 500000, \"rope_type\": \"default\"}"
        let configuration = try configuration(["rope_parameters": parameters, "rope_theta": nil])
        #expect(configuration.transformer.rotary.map(\.base) == [500_000])
    }

    func description(json: String) throws -> TransformerDescription {
        let source = ModelSource.memory(["config.json": FileBytes(copying: Array(json.utf8))])
        return try ModelConfiguration(source: source).transformer
    }

    @Test("Phi-4-mini rotates three quarters of a head, with a factor for each pair")
    func phi4() throws {
        let factors = Array(repeating: 2.0, count: 48)
        let model = try description([
            "hidden_size": "3072", "num_attention_heads": "24", "num_key_value_heads": "8",
            "partial_rotary_factor": "0.75", "max_position_embeddings": "131072",
            "original_max_position_embeddings": "4096", "tie_word_embeddings": "true",
            "rope_scaling": "{\"type\": \"longrope\", \"short_factor\": \(factors), \"long_factor\": \(factors)}",
        ])
        #expect(model.tiesEmbeddings)
        #expect(model.rotary[0].dimensions == 96)
        guard case .longrope(factors, factors, 4096, let attentionFactor) = model.rotary[0].scaling else {
            Issue.record("\(model.rotary)")
            return
        }
        #expect(abs(attentionFactor - 1.1902380714) < 1e-9)
        // The length stands outside of the scaling, or is the default: what is said inside does not count.
        let inside = try description([
            "rope_scaling": """
            {"type": "longrope", "short_factor": \(factors), "long_factor": \(factors),
             "original_max_position_embeddings": 2048}
            """
        ])
        guard case .longrope(_, _, let length, _) = inside.rotary[0].scaling else {
            Issue.record("\(inside.rotary)")
            return
        }
        #expect(length == 4096)
    }

    @Test("YaRN's scales count where both are there and not 0, and are checked, as is what follows from them")
    func yarnScales() throws {
        func attentionFactor(_ scales: String) throws -> Double? {
            let scaling = "{\"rope_type\": \"yarn\", \"factor\": 1e6, \(scales)}"
            let model = try description(["model_type": "\"llama\"", "rope_scaling": scaling])
            guard case .yarn(_, let factor, _, _, _, _) = model.rotary.first?.scaling else { return nil }
            return factor
        }
        let usual = 0.1 * log(1e6) + 1
        for scales in [#""mscale": 0, "mscale_all_dim": 1"#, #""mscale": 2, "mscale_all_dim": 0.0"#, #""mscale": 2"#] {
            #expect(try attentionFactor(scales) == usual, "\(scales)")
        }
        #expect(try attentionFactor(#""mscale": 1, "mscale_all_dim": 1"#) == 1)
        for (scales, field) in [
            (#""mscale": 1e-4, "mscale_all_dim": 1"#, "mscale"), (#""mscale": -1, "mscale_all_dim": 1"#, "mscale"),
            (#""mscale": 1, "mscale_all_dim": 1001"#, "mscale_all_dim"),
            (#""mscale": 1000, "mscale_all_dim": 0.001"#, "attention_factor"),
        ] {
            let error = #expect(throws: ModelError.self) { try attentionFactor(scales) }
            #expect(error?.description.hasPrefix("config.json: rope_scaling.\(field) is ") == true, "\(scales)")
        }
    }

    @Test("A head's size that follows from others is checked")
    func headSize() {
        let sizes = ["hidden_size": "1048576", "num_attention_heads": "8", "num_key_value_heads": "8"]
        let error = #expect(throws: ModelError.self) { try description(sizes) }
        #expect(error == ModelError("config.json: head_dim is 131072; 1 to 65536 is expected"))
    }

    @Test("Llama 3.1's configuration is read")
    func llama() throws {
        let model = try description([
            "model_type": "\"llama\"", "sliding_window": nil, "rope_theta": "500000.0", "attention_bias": "false",
            "rope_scaling": """
            {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "rope_type": "llama3",
             "original_max_position_embeddings": 8192}
            """,
        ])
        let scaling = RotaryParameters.Scaling.llama3(
            factor: 8,
            lowFrequencyFactor: 1,
            highFrequencyFactor: 4,
            originalLength: 8192
        )
        #expect(model.rotary == [RotaryParameters(base: 500_000, dimensions: 96, scaling: scaling)])
        #expect(model.layers[31].attention?.bias == BiasPresence.none && model.window == nil)
        #expect(
            model.layers[31].feedForward == .dense(DenseDescription(size: 8192, activation: .silu, bias: .optional))
        )
    }

    @Test("A window counts for Qwen only where it is switched on, and for Mistral also where it is left out")
    func windows() throws {
        let qwen = ["model_type": "\"qwen2\"", "sliding_window": "4096", "max_window_layers": "21"]
        #expect(try description(qwen).window == nil)
        let windowed = try description(qwen.merging(["use_sliding_window": "true"]) { $1 })
        #expect(
            windowed.layers.map(\.attention?.window) == Array(repeating: nil, count: 21)
                + Array(repeating: 4096, count: 11)
        )
        #expect(windowed.window == 4096 && windowed.widestWindow == nil)
        let mistral: [String: String?] = ["model_type": "\"mistral\"", "sliding_window": nil]
        #expect(try description(mistral).widestWindow == 4096)
        #expect(try description(["model_type": "\"mistral\"", "sliding_window": "null"]).window == nil)
        // The switch is Qwen's: these families have no such field in the reference implementation.
        for family in ["mistral", "phi3", "gemma2", "gemma3_text"] {
            let off = ["model_type": "\"\(family)\"", "use_sliding_window": "false"]
            #expect(try description(off).window == 2047, "\(family)")
        }
    }

    @Test("Experts and the layers without them are read")
    func experts() throws {
        let model = try description([
            "model_type": "\"qwen3_moe\"", "num_local_experts": "128", "num_experts_per_tok": "8",
            "moe_intermediate_size": "768", "norm_topk_prob": "true", "decoder_sparse_step": "2",
            "mlp_only_layers": "[1]", "num_hidden_layers": "5", "head_dim": "128",
        ])
        let experts = ExpertsDescription(
            count: 128,
            chosenCount: 8,
            normalizesWeights: true,
            expert: DenseDescription(size: 768, activation: .silu)
        )
        let dense = FeedForwardKind.dense(DenseDescription(size: 8192, activation: .silu))
        #expect(model.layers.map(\.feedForward) == [dense, dense, dense, .experts(experts), dense])
        #expect(model.heads.size == 128 && model.mostExperts == 128)
    }

    @Test("Qwen 3.5 is read from text_config: which layers are delta nets, and what is rotated")
    func qwen35() throws {
        let json = """
            {"model_type": "qwen3_5_moe", "vision_config": {"hidden_size": 1152}, "tie_word_embeddings": true,
             "text_config": {"model_type": "qwen3_5_moe_text", "hidden_size": 2048, "num_hidden_layers": 8,
             "num_attention_heads": 16, "num_key_value_heads": 2, "head_dim": 256, "vocab_size": 248320,
             "max_position_embeddings": 262144, "hidden_act": "silu", "num_experts": 256, "num_experts_per_tok": 8,
             "moe_intermediate_size": 512, "shared_expert_intermediate_size": 512, "linear_conv_kernel_dim": 4,
             "linear_key_head_dim": 128, "linear_value_head_dim": 128, "linear_num_key_heads": 16,
             "linear_num_value_heads": 32, "full_attention_interval": 4, "attn_output_gate": true,
             "rope_parameters": {"rope_type": "default", "rope_theta": 10000000, "mrope_interleaved": true,
             "mrope_section": [11, 11, 10], "partial_rotary_factor": 0.25}}}
            """
        let model = try description(json: json)
        let net = GatedDeltaNetDescription(keyHeads: 16, valueHeads: 32, keySize: 128, valueSize: 128, taps: 4)
        let mixers = model.layers.map(\.mixer)
        let isNet = mixers.map { $0 == .gatedDeltaNet(net) }
        #expect(isNet == [true, true, true, false, true, true, true, false])
        #expect(model.layers[3].attention?.hasOutputGate == true && model.layers[3].attention?.hasHeadNorms == true)
        #expect(model.rotary == [RotaryParameters(base: 1e7, dimensions: 64)] && model.normOffset == 1)
        let experts = ExpertsDescription(
            count: 256,
            chosenCount: 8,
            normalizesWeights: true,
            expert: DenseDescription(size: 512, activation: .silu),
            sharedSize: 512,
            gatesShared: true
        )
        #expect(model.layers.allSatisfy { $0.feedForward == .experts(experts) })
        // 2 MiB for the heads of a layer, and three tokens of 8,192 channels.
        #expect(model.stateBytesPerSession == 6 * (32 * 128 * 128 + 3 * 8192) * 4)
    }

    @Test("Gemma 2's caps hold where they are left out, and not where they are null")
    func gemma2() throws {
        let json = """
            {"model_type": "gemma2", "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
             "num_attention_heads": 8, "num_key_value_heads": 4, "vocab_size": 256000, "hidden_act": "gelu",
             "max_position_embeddings": 8192, "attn_logit_softcapping": null}
            """
        let model = try description(json: json)
        #expect(model.heads.size == 256 && model.tiesEmbeddings)
        #expect(model.logitSoftCap == 30 && model.normEpsilon == 1e-6 && model.normOffset == 1)
        #expect(model.embeddingScale == 48)
        for (index, layer) in model.layers.enumerated() {
            #expect(
                layer.attention
                    == AttentionDescription(
                        scale: 1 / 16,
                        window: index % 2 == 0 ? 4096 : nil,
                        bias: .optional,
                        outputBias: .optional
                    )
            )
            #expect(layer.feedForward == .dense(DenseDescription(size: 9216, activation: .geluTanh)))
            #expect(layer.norms == .beforeAndAfter)
        }
        #expect(model.layers.count == 26)
    }

    @Test("A Gemma 3 with pictures is read from text_config, with what it leaves out")
    func gemma3() throws {
        let json = """
            {"model_type": "gemma3", "eos_token_id": [1, 106], "vision_config": {"hidden_size": 1152},
             "quantization": {"group_size": 64, "bits": 4},
             "text_config": {"model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240,
               "num_hidden_layers": 34, "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 1024}}
            """
        let configuration = try ModelConfiguration(
            source: .memory(["config.json": FileBytes(copying: Array(json.utf8))])
        )
        let model = configuration.transformer
        #expect(configuration.modelType == "gemma3" && model.layers.count == 34)
        #expect(model.heads == AttentionHeads(count: 8, kvCount: 4, size: 256))
        #expect(model.vocabularySize == 262_208 && model.contextLength == 131_072)
        #expect(
            model.rotary == [
                RotaryParameters(base: 1e6, dimensions: 256, scaling: .linear(factor: 8)),
                RotaryParameters(base: 10_000, dimensions: 256),
            ]
        )
        #expect(model.layers.prefix(7).map(\.attention?.window) == [1024, 1024, 1024, 1024, 1024, nil, 1024])
        #expect(model.layers.prefix(7).map(\.attention?.rotary) == [1, 1, 1, 1, 1, 0, 1])
        #expect(configuration.eosTokens == [1, 106])
        #expect(configuration.quantization["x"] == .init(bits: 4, groupSize: 64))
    }

    @Test("Rotary parameters by kind of layer are read, and the layers' kinds")
    func nestedRope() throws {
        let json = """
            {"model_type": "gemma3_text", "num_hidden_layers": 2, "layer_types": ["sliding_attention", "full_attention"],
             "rope_parameters": {"full_attention": {"factor": 4.0, "rope_theta": 2000000.0, "rope_type": "linear"},
               "sliding_attention": {"rope_theta": 20000.0, "rope_type": "default"}}}
            """
        let model = try description(json: json)
        #expect(
            model.rotary == [
                RotaryParameters(base: 2e6, dimensions: 256, scaling: .linear(factor: 4)),
                RotaryParameters(base: 20_000, dimensions: 256),
            ]
        )
        #expect(model.layers.map(\.attention?.window) == [4096, nil])
    }

    @Test("Granite's numbers multiply what they are named for, and divide the logits")
    func granite() throws {
        let granite = ["model_type": "\"granite\"", "sliding_window": nil]
        let model = try description(
            granite.merging([
                "embedding_multiplier": "12", "attention_multiplier": "0.0078125", "residual_multiplier": "0.22",
                "logits_scaling": "16",
            ]) { $1 }
        )
        #expect(model.embeddingScale == 12 && model.logitScale == 1 / 16)
        #expect(model.layers.allSatisfy { $0.residualScale == 0.22 && $0.attention?.scale == 0.0078125 })
        let plain = try description(granite)
        #expect(plain.embeddingScale == 1 && plain.logitScale == 1)
        #expect(plain.layers.allSatisfy { $0.residualScale == 1 && $0.attention?.scale == 1 })
    }

    @Test("Layers of SmolLM 3 without rotary positions are every fourth, or those that a list has a 0 for")
    func smolLM3() throws {
        let smol = ["model_type": "\"smollm3\"", "num_hidden_layers": "5"]
        func layers(_ changes: [String: String]) throws -> [AttentionDescription?] {
            try description(smol.merging(changes) { $1 }).layers.map(\.attention)
        }
        #expect(try layers([:]).map(\.?.rotary) == [0, 0, 0, nil, 0])
        #expect(try layers(["no_rope_layer_interval": "2"]).map(\.?.rotary) == [0, nil, 0, nil, 0])
        let listed = ["no_rope_layers": "[0, 1, 1, 0, 1, 0]"]
        #expect(try layers(listed).map(\.?.rotary) == [nil, 0, 0, nil, 0])
        // They are also the ones with a window, where one is switched on.
        #expect(try layers(listed).allSatisfy { $0?.window == nil })
        let windowed = try layers(listed.merging(["use_sliding_window": "true"]) { $1 })
        #expect(windowed.map(\.?.window) == [2047, nil, nil, 2047, nil])
    }

    @Test(
        "A configuration out of range or not supported is an error that names the field",
        arguments: [
            ("hidden_size", "0"), ("hidden_size", "-3072"), ("hidden_size", "9223372036854775807"),
            ("hidden_size", "3071"), ("num_hidden_layers", "1e9"), ("num_attention_heads", "0"),
            ("num_key_value_heads", "5"), ("num_key_value_heads", "64"), ("vocab_size", "\"many\""),
            ("rms_norm_eps", "-1"), ("rope_theta", "0"), ("rope_scaling", "{\"type\": \"longrope\"}"),
            ("rope_parameters", "{\"rope_type\": \"dynamic\"}"), ("partial_rotary_factor", "0.01"),
            ("hidden_act", "\"gelu\""), ("max_position_embeddings", "0"), ("sliding_window", "0"),
            ("layer_types", "[\"full_attention\"]"), ("use_bidirectional_attention", "true"),
            ("query_pre_attn_scalar", "0"), ("attn_logit_softcapping", "-50"), ("final_logit_softcapping", "1e300"),
            ("residual_multiplier", "0"), ("logits_scaling", "-1"), ("no_rope_layers", "[1, 0]"),
            ("no_rope_layer_interval", "0"), ("swiglu_limit", "0"), ("sliding_window_pattern", "\"LG\""),
            ("num_experts", "-1"), ("num_experts_per_tok", "0"), ("max_window_layers", "-1"),
            ("per_layer_config", "[]"), ("per_layer_config", "{\"1\": {\"num_key_value_heads\": 8}}"),
            ("rope_scaling", "{\"type\": \"mrope\"}"), ("rope_scaling", "{\"type\": \"linear\"}"),
            ("rope_scaling", "{\"type\": \"linear\", \"factor\": 0}"),
            ("rope_scaling", "{\"rope_type\": \"yarn\", \"factor\": 4, \"beta_fast\": -1}"),
            ("rope_scaling", "{\"rope_type\": \"yarn\", \"factor\": 1e9}"),
            ("rope_scaling", "{\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4}"),
            (
                "rope_scaling",
                "{\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4, \"high_freq_factor\": 4}"
            ),
            ("rope_scaling", "{\"type\": \"su\", \"short_factor\": [1, 1], \"long_factor\": [1, 1]}"),
            ("rope_scaling", "{\"type\": \"su\", \"short_factor\": \"many\"}"),
        ]
    )
    func refused(field: String, value: String) {
        // A family that has the field.
        let families = [
            "use_sliding_window": "qwen2", "layer_types": "qwen2", "max_window_layers": "qwen2",
            "query_pre_attn_scalar": "gemma2", "attn_logit_softcapping": "gemma2", "final_logit_softcapping": "gemma2",
            "num_experts": "qwen3_moe", "num_experts_per_tok": "qwen3_moe", "residual_multiplier": "granite",
            "logits_scaling": "granite", "swiglu_limit": "gpt_oss", "sliding_window_pattern": "exaone4",
            "no_rope_layers": "smollm3", "no_rope_layer_interval": "smollm3",
            "rope_scaling": "llama", "rope_parameters": "llama",
        ]
        let others = [
            "model_type": "\"\(families[field] ?? "phi3")\"", "num_experts": "4", "num_experts_per_tok": "2",
            "moe_intermediate_size": "8",
        ]
        let error = #expect(throws: ModelError.self) { try configuration(others.merging([field: value]) { $1 }) }
        #expect(error?.description.contains(field) == true, "\(error?.description ?? "no error")")
    }

    @Test(
        "Numbers that Python writes and JSON does not know are no error where nobody needs them",
        arguments: ["NaN", "Infinity", "-Infinity"]
    )
    func pythonNumbers(value: String) throws {
        let plain = try description()
        let text = "{\"a\": [\(value), \"\(value) \\\" \(value)\"], \"\(value)\": \(value)}"
        #expect(try description(["initializer_range": value, "other": text]) == plain)
        // Where one is needed, it is the field that is wrong.
        for field in ["rms_norm_eps", "rope_theta", "hidden_size", "vocab_size"] {
            let error = #expect(throws: ModelError.self) { try configuration([field: value]) }
            #expect(error?.description.contains(field) == true, "\(error?.description ?? "no error")")
        }
        for broken in ["NaNs", "Nan", "-NaN", "Infinit", "+Infinity", "--Infinity", "\"a\" NaN"] {
            #expect(throws: ModelError.self) { try configuration(["other": broken]) }
        }
    }

    @Test("A missing field is an error that names it")
    func missing() {
        let error = #expect(throws: ModelError.self) { try configuration(["vocab_size": nil]) }
        #expect(error == ModelError("config.json: vocab_size is missing"))
    }
}
