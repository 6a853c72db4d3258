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

    @Test(
        "Granite 4's layers are state spaces and attention, by old and new names; without experts one network is left"
    )
    func graniteHybrid() throws {
        let granite: [String: String?] = [
            "model_type": "\"granitemoehybrid\"", "hidden_size": "1536", "num_hidden_layers": "3",
            "num_attention_heads": "12", "num_key_value_heads": "4", "intermediate_size": "512", "sliding_window": nil,
            "layer_types": #"["mamba", "attention", "linear_attention"]"#, "mamba_n_heads": "48", "mamba_n_groups": "1",
            "mamba_d_state": "128", "mamba_d_head": "64", "mamba_conv_bias": "true", "mamba_proj_bias": "false",
            "num_local_experts": "64", "num_experts_per_tok": "6", "shared_intermediate_size": "1024",
            "position_embedding_type": "\"nope\"", "residual_multiplier": "0.22",
        ]
        func description(_ changes: [String: String?]) throws -> TransformerDescription {
            try self.description(granite.merging(changes) { $1 })
        }
        var space = StateSpaceDescription(heads: 48, headSize: 64, stateSize: 128, groups: 1, taps: 4)
        space.convolutionBias = .required
        let model = try description([:])
        #expect(model.layers.map { $0.mixer == .stateSpace(space) } == [true, false, true])
        #expect(model.layers[1].attention?.rotary == nil && model.layers.allSatisfy { $0.residualScale == 0.22 })
        let expert = DenseDescription(size: 512, activation: .silu, isFused: true)
        let experts = ExpertsDescription(
            count: 64,
            chosenCount: 6,
            normalizesWeights: true,
            expert: expert,
            sharedSize: 1024
        )
        #expect(model.layers.allSatisfy { $0.feedForward == .experts(experts) })
        let dense = try description([
            "num_local_experts": "0", "num_experts_per_tok": "0", "mamba_d_head": "\"auto\"", "mamba_expand": "3",
            "position_embedding_type": "\"rope\"", "time_step_limit": #"[0.001, {"__float__": "Infinity"}]"#,
        ])
        space.headSize = 96
        space.steps = 0.001 ... .infinity
        #expect(dense.layers[2].mixer == .stateSpace(space) && dense.layers[1].attention?.rotary == 0)
        let network = DenseDescription(size: 1024, activation: .silu, isFused: true)
        #expect(dense.layers.allSatisfy { $0.feedForward == .dense(network) })
        for (field, value) in [
            ("layer_types", #"["mamba"]"#), ("layer_types", #"["mamba", "moe", "mamba"]"#), ("mamba_n_groups", "5"),
            ("mamba_d_state", "20"), ("mamba_d_head", "40"), ("mamba_d_head", "-1"), ("mamba_n_heads", "1e9"),
            ("mamba_d_conv", "1"), ("time_step_limit", "[1]"), ("time_step_limit", "[2, 1]"),
            ("time_step_limit", "[-1, 1]"), ("time_step_limit", "[NaN, 1]"), ("num_experts_per_tok", "65"),
        ] {
            let error = #expect(throws: ModelError.self) { try description([field: value]) }
            #expect(error?.description.contains(field) == true, "\(field): \(error?.description ?? "no error")")
        }
    }

    @Test("Granite 3 may have a network beside its experts")
    func graniteExperts() throws {
        let granite: [String: String?] = [
            "model_type": "\"granitemoeshared\"", "num_local_experts": "40", "num_experts_per_tok": "8",
            "intermediate_size": "512", "attention_multiplier": "0.015625",
        ]
        let model = try description(granite)
        guard case .experts(let experts) = model.layers.first?.feedForward else {
            Issue.record("\(model.layers)")
            return
        }
        #expect(experts.count == 40 && experts.chosenCount == 8 && experts.sharedSize == nil)
        #expect(model.layers[0].attention?.scale == 0.015625)
        let shared = try description(granite.merging(["shared_intermediate_size": "1024"]) { $1 })
        guard case .experts(let experts) = shared.layers.first?.feedForward else {
            Issue.record("\(shared.layers)")
            return
        }
        #expect(experts.sharedSize == 1024)
    }

    @Test("Nemotron's layers are each one thing, by letters or a list")
    func nemotron() throws {
        let nemotron: [String: String?] = [
            "model_type": "\"nemotron_h\"", "hidden_size": "2688", "num_hidden_layers": "4", "num_key_value_heads": "2",
            "hybrid_override_pattern": "\"ME*-\"", "intermediate_size": "1856", "rms_norm_eps": nil,
            "layer_norm_epsilon": "1e-4", "n_groups": "8", "mamba_num_heads": "64", "mamba_head_dim": "64",
            "ssm_state_size": "128", "conv_kernel": "4", "mlp_hidden_act": "\"relu2\"", "n_routed_experts": "128",
            "num_experts_per_tok": "6", "moe_intermediate_size": "1856", "routed_scaling_factor": "2.5",
            "moe_shared_expert_intermediate_size": "3712", "moe_latent_size": "1024", "mlp_bias": "false",
            "use_conv_bias": "true", "use_bias": "false", "time_step_limit": "[0.0, Infinity]",
        ]
        let model = try description(nemotron)
        var space = StateSpaceDescription(heads: 64, headSize: 64, stateSize: 128, groups: 8, taps: 4)
        space.convolutionBias = .required
        #expect(model.layers[0] == LayerDescription(mixer: .stateSpace(space)) && model.normEpsilon == 1e-4)
        #expect(model.layers[2].attention?.rotary == nil && model.layers[2].feedForward == nil && model.rotary.isEmpty)
        #expect(model.heads == AttentionHeads(count: 32, kvCount: 2, size: 128))
        let dense = DenseDescription(size: 1856, activation: .squaredReLU)
        #expect(model.layers[3] == LayerDescription(feedForward: .dense(dense)))
        var router = RouterDescription(scoring: .sigmoid, hasCorrection: true)
        router.weightScale = 2.5
        let experts = ExpertsDescription(
            count: 128,
            chosenCount: 6,
            normalizesWeights: true,
            expert: dense,
            router: router,
            sharedSize: 3712,
            latentSize: 1024
        )
        #expect(model.layers[1] == LayerDescription(feedForward: .experts(experts)))
        // What experts see in place of the hidden state may be wider than that.
        #expect(model.maxColumns == 4096)
        #expect(try description(nemotron.merging(["moe_latent_size": "16384"]) { $1 }).maxColumns == 16384)
        for list in [
            #"["mamba", "moe", "attention", "mlp"]"#, #"["linear_attention", "moe", "full_attention", "mlp"]"#,
        ] {
            let listed = ["hybrid_override_pattern": nil, "num_hidden_layers": nil, "layers_block_type": list]
            #expect(try description(nemotron.merging(listed) { $1 }) == model)
        }
        for (field, value) in [
            ("hybrid_override_pattern", "\"ME*\""), ("hybrid_override_pattern", "\"MEX-\""),
            ("mlp_hidden_act", "\"silu\""), ("mamba_hidden_act", "\"gelu\""), ("layers_block_type", "[]"),
            ("mamba_head_dim", "40"), ("moe_latent_size", "1"), ("n_group", "3"),
        ] {
            let error = #expect(throws: ModelError.self) { try description(nemotron.merging([field: value]) { $1 }) }
            #expect(error?.description.contains(field) == true, "\(field): \(error?.description ?? "no error")")
        }
    }

    @Test("LFM 2's experts follow some dense layers, and are chosen by corrected scores")
    func lfm2Experts() throws {
        let lfm: [String: String?] = [
            "model_type": "\"lfm2_moe\"", "hidden_size": "2048", "num_hidden_layers": "4", "num_key_value_heads": "8",
            "intermediate_size": "7168", "layer_types": #"["conv", "conv", "full_attention", "conv"]"#,
            "tie_word_embeddings": nil, "rope_theta": "1000000.0",
        ]
        let model = try description(lfm)
        let router = RouterDescription(scoring: .sigmoid, hasCorrection: true, leastSum: 1e-6)
        let experts = FeedForwardKind.experts(
            ExpertsDescription(
                count: 32,
                chosenCount: 4,
                normalizesWeights: true,
                expert: DenseDescription(size: 1792, activation: .silu),
                router: router
            )
        )
        let dense = FeedForwardKind.dense(DenseDescription(size: 7168, activation: .silu))
        #expect(model.layers.map(\.feedForward) == [dense, dense, experts, experts] && model.tiesEmbeddings)
        #expect(model.layers.map { $0.attention != nil } == [false, false, true, false])
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
