import ModelFiles
import Testing

/// What is read from `config.json`, and what is refused.
@Suite struct ModelConfigurationTests {
    private static let fields: [String: String] = [
        "model_type": "\"phi3\"", "hidden_size": "3072", "intermediate_size": "8192", "num_hidden_layers": "32",
        "num_attention_heads": "32", "num_key_value_heads": "32", "rms_norm_eps": "1e-05", "rope_theta": "10000.0",
        "rope_scaling": "null", "max_position_embeddings": "4096", "vocab_size": "32064", "sliding_window": "2047",
        "tie_word_embeddings": "false", "eos_token_id": "32000",
    ]

    private func configuration(
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
        #expect(configuration.modelType == "phi3")
        #expect(configuration.headSize == 96)
        #expect(configuration.rope == RotaryParameters(base: 10000, dimensions: 96))
        #expect(configuration.slidingWindow == 2047)
        #expect(configuration.eosTokens == [32000, 32001, 32007])
        #expect(configuration.quantization == nil)
    }

    @Test("Quantisation has exceptions by layer")
    func quantization() throws {
        let quantization = """
            {"group_size": 64, "bits": 4, "mode": "affine", "lm_head": {"group_size": 32, "bits": 8}, "norm": false}
            """
        let configuration = try configuration(["quantization": quantization])
        #expect(configuration.quantization(of: "x") == .init(bits: 4, groupSize: 64))
        #expect(configuration.quantization(of: "lm_head") == .init(bits: 8, groupSize: 32))
        #expect(configuration.quantization(of: "norm") == nil)
    }

    @Test("Quantisation may stand under its other name alone, beside fields of other tools")
    func quantizationConfig() throws {
        let quantization = "{\"group_size\": 32, \"bits\": 3, \"modules\": null, \"x\": [1.5], \"head\": true}"
        let configuration = try configuration(["quantization_config": quantization])
        #expect(configuration.quantization(of: "head") == .init(bits: 3, groupSize: 32))
    }

    @Test("The newer form of the rotary parameters is read")
    func ropeParameters() throws {
        let parameters = "{\"rope_theta\": 500000, \"rope_type\": \"default\"}"
        #expect(try configuration(["rope_parameters": parameters, "rope_theta": nil]).rope.base == 500_000)
    }

    private func configuration(json: String) throws -> ModelConfiguration {
        try ModelConfiguration(source: .memory(["config.json": FileBytes(copying: Array(json.utf8))]))
    }

    @Test("Phi-4-mini turns three quarters of a head, with a factor for each pair")
    func phi4() throws {
        let factors = Array(repeating: 2.0, count: 48)
        let configuration = try configuration([
            "hidden_size": "3072", "num_attention_heads": "24", "num_key_value_heads": "8",
            "partial_rotary_factor": "0.75", "max_position_embeddings": "131072",
            "original_max_position_embeddings": "4096", "tie_word_embeddings": "true",
            "rope_scaling": "{\"type\": \"longrope\", \"short_factor\": \(factors), \"long_factor\": \(factors)}",
        ])
        #expect(configuration.tiesEmbeddings)
        #expect(configuration.rope.dimensions == 96)
        guard case .longrope(factors, factors, 4096, let attentionFactor) = configuration.rope.scaling else {
            Issue.record("\(configuration.rope.scaling)")
            return
        }
        #expect(abs(attentionFactor - 1.1902380714) < 1e-9)
    }

    @Test("Llama 3.1's configuration is read")
    func llama() throws {
        let configuration = try configuration([
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
        #expect(configuration.rope == RotaryParameters(base: 500_000, dimensions: 96, scaling: scaling))
        #expect(configuration.attentionBias == false && configuration.mlpBias == nil)
        #expect(configuration.slidingWindow == nil)
    }

    @Test("A window counts for Qwen only where it is switched on, and for Mistral also where it is left out")
    func windows() throws {
        let qwen = ["model_type": "\"qwen2\"", "sliding_window": "4096", "max_window_layers": "21"]
        #expect(try configuration(qwen).slidingWindow == nil)
        let windowed = try configuration(qwen.merging(["use_sliding_window": "true"]) { $1 })
        #expect(windowed.slidingWindow == 4096 && windowed.maxWindowLayers == 21)
        let mistral: [String: String?] = ["model_type": "\"mistral\"", "sliding_window": nil]
        #expect(try configuration(mistral).slidingWindow == 4096)
        #expect(try configuration(["model_type": "\"mistral\"", "sliding_window": "null"]).slidingWindow == nil)
    }

    @Test("Experts and the layers without them are read")
    func experts() throws {
        let configuration = try configuration([
            "model_type": "\"qwen3_moe\"", "num_local_experts": "128", "num_experts_per_tok": "8",
            "moe_intermediate_size": "768", "norm_topk_prob": "true", "decoder_sparse_step": "2",
            "mlp_only_layers": "[1]", "num_hidden_layers": "5", "head_dim": "128",
        ])
        let experts = ModelConfiguration.Experts(
            count: 128,
            chosenCount: 8,
            intermediateSize: 768,
            normalizesWeights: true,
            denseLayers: [0, 1, 2, 4]
        )
        #expect(configuration.experts == experts)
        #expect(configuration.headSize == 128)
    }

    @Test("Gemma 2's caps hold where they are left out, and not where they are null")
    func gemma2() throws {
        let json = """
            {"model_type": "gemma2", "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
             "num_attention_heads": 8, "num_key_value_heads": 4, "vocab_size": 256000, "hidden_act": "gelu",
             "max_position_embeddings": 8192, "attn_logit_softcapping": null}
            """
        let configuration = try configuration(json: json)
        #expect(configuration.attentionSoftCap == nil && configuration.logitSoftCap == 30)
        #expect(configuration.headSize == 256 && configuration.attentionScalar == 256)
        #expect(configuration.slidingWindow == 4096 && configuration.tiesEmbeddings)
        #expect(configuration.activation == .geluTanh && configuration.normEpsilon == 1e-6)
    }

    @Test("A Gemma 3 with pictures is read from text_config, with what it leaves out")
    func gemma3() throws {
        let json = """
            {"model_type": "gemma3", "eos_token_id": [1, 106], "vision_config": {"hidden_size": 1152},
             "quantization": {"group_size": 64, "bits": 4},
             "text_config": {"model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240,
               "num_hidden_layers": 34, "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 1024}}
            """
        let configuration = try configuration(json: json)
        #expect(configuration.modelType == "gemma3" && configuration.layerCount == 34)
        #expect(configuration.headCount == 8 && configuration.kvHeadCount == 4 && configuration.headSize == 256)
        #expect(configuration.vocabularySize == 262_208 && configuration.contextLength == 131_072)
        #expect(configuration.rope == RotaryParameters(base: 1e6, dimensions: 256, scaling: .linear(factor: 8)))
        #expect(configuration.localRope == RotaryParameters(base: 10_000, dimensions: 256))
        #expect(configuration.slidingWindow == 1024 && configuration.slidingWindowPattern == 6)
        #expect(configuration.eosTokens == [1, 106] && configuration.quantization != nil)
    }

    @Test("Rotary parameters by kind of layer are read, and the layers' kinds")
    func nestedRope() throws {
        let json = """
            {"model_type": "gemma3_text", "num_hidden_layers": 2, "layer_types": ["sliding_attention", "full_attention"],
             "rope_parameters": {"full_attention": {"factor": 4.0, "rope_theta": 2000000.0, "rope_type": "linear"},
               "sliding_attention": {"rope_theta": 20000.0, "rope_type": "default"}}}
            """
        let configuration = try configuration(json: json)
        #expect(configuration.rope == RotaryParameters(base: 2e6, dimensions: 256, scaling: .linear(factor: 4)))
        #expect(configuration.localRope == RotaryParameters(base: 20_000, dimensions: 256))
        #expect(configuration.windowedLayers == [true, false])
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
            ("num_experts", "-1"), ("num_experts_per_tok", "0"), ("max_window_layers", "-1"),
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
            ("quantization", "{\"bits\": 4}"), ("quantization", "{\"bits\": 7, \"group_size\": 64}"),
            ("quantization_config", "{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 64}"),
            ("quantization", "{\"bits\": 4, \"group_size\": 0}"),
            ("quantization", "{\"bits\": 4, \"group_size\": 32, \"mode\": \"mxfp4\"}"),
        ]
    )
    func refused(field: String, value: String) {
        let others = ["num_experts": "4", "num_experts_per_tok": "2", "moe_intermediate_size": "8"]
        let error = #expect(throws: ModelError.self) { try configuration(others.merging([field: value]) { $1 }) }
        #expect(error?.description.contains(field) == true, "\(error?.description ?? "no error")")
    }

    @Test(
        "Numbers that Python writes and JSON does not know are no error where nobody needs them",
        arguments: ["NaN", "Infinity", "-Infinity"]
    )
    func pythonNumbers(value: String) throws {
        let plain = try configuration()
        let text = "{\"a\": [\(value), \"\(value) \\\" \(value)\"], \"\(value)\": \(value)}"
        #expect(try configuration(["initializer_range": value, "other": text]) == plain)
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
        #expect(error == ModelError("config.json: \"vocab_size\" is missing"))
    }
}
