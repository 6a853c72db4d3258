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
        #expect(configuration.ropeBase == 10000)
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
        #expect(try configuration(["rope_parameters": parameters, "rope_theta": nil]).ropeBase == 500_000)
    }

    @Test(
        "A configuration out of range or not supported is an error that names the field",
        arguments: [
            ("hidden_size", "0"), ("hidden_size", "-3072"), ("hidden_size", "9223372036854775807"),
            ("hidden_size", "3071"), ("num_hidden_layers", "1e9"), ("num_attention_heads", "0"),
            ("num_key_value_heads", "5"), ("num_key_value_heads", "64"), ("vocab_size", "\"many\""),
            ("rms_norm_eps", "-1"), ("rope_theta", "0"), ("rope_scaling", "{\"type\": \"longrope\"}"),
            ("rope_parameters", "{\"rope_type\": \"yarn\"}"), ("partial_rotary_factor", "0.5"),
            ("hidden_act", "\"gelu\""), ("max_position_embeddings", "0"), ("sliding_window", "0"),
            ("quantization", "{\"bits\": 4}"), ("quantization", "{\"bits\": 7, \"group_size\": 64}"),
            ("quantization_config", "{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 64}"),
            ("quantization", "{\"bits\": 4, \"group_size\": 0}"),
            ("quantization", "{\"bits\": 4, \"group_size\": 32, \"mode\": \"mxfp4\"}"),
        ]
    )
    func refused(field: String, value: String) {
        let error = #expect(throws: ModelError.self) { try configuration([field: value]) }
        #expect(error?.description.contains(field) == true, "\(error?.description ?? "no error")")
    }

    @Test("A missing field is an error that names it")
    func missing() {
        let error = #expect(throws: ModelError.self) { try configuration(["vocab_size": nil]) }
        #expect(error == ModelError("config.json: \"vocab_size\" is missing"))
    }
}
