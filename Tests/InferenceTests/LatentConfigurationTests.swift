import Foundation
import ModelFiles
import Support
import Testing

@testable import Inference

/// What is read from the configurations of models with latent attention or with grouped experts, and what is refused.
@Suite struct LatentConfigurationTests {
    /// DeepSeek-V2-Lite's.
    private static let lite = """
        {"model_type": "deepseek_v2", "hidden_size": 2048, "intermediate_size": 10944, "moe_intermediate_size": 1408,
        "num_hidden_layers": 27, "num_attention_heads": 16, "num_key_value_heads": 16, "n_shared_experts": 2,
        "n_routed_experts": 64, "routed_scaling_factor": 1.0, "kv_lora_rank": 512, "q_lora_rank": null,
        "qk_rope_head_dim": 64, "v_head_dim": 128, "qk_nope_head_dim": 128, "topk_method": "greedy", "n_group": 1,
        "topk_group": 1, "num_experts_per_tok": 6, "moe_layer_freq": 1, "first_k_dense_replace": 1,
        "norm_topk_prob": false, "scoring_func": "softmax", "hidden_act": "silu", "max_position_embeddings": 163840,
        "rms_norm_eps": 1e-6, "vocab_size": 102400, "rope_theta": 10000, "attention_bias": false,
        "rope_scaling": {"type": "yarn", "factor": 40, "beta_fast": 32, "beta_slow": 1, "mscale": 0.707,
        "mscale_all_dim": 0.707, "original_max_position_embeddings": 4096}}
        """

    private func description(_ json: String, _ changes: [String: Any?] = [:]) throws -> TransformerDescription {
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8))
        var fields = try #require(object as? [String: Any])
        for (name, value) in changes { fields[name] = value }
        let bytes = try JSONSerialization.data(withJSONObject: fields)
        return try ModelConfiguration(source: .memory(["config.json": FileBytes(copying: bytes)])).transformer
    }

    private func experts(_ model: TransformerDescription) throws -> ExpertsDescription {
        guard case .experts(let experts)? = model.layers.last?.feedForward else { throw ModelError("no experts") }
        return experts
    }

    @Test("DeepSeek-V2-Lite keeps 576 numbers of a token, and YaRN raises the scale of its attention")
    func deepSeekLite() throws {
        let model = try description(Self.lite)
        let latent = try #require(model.latentAttention)
        #expect(latent.queryRank == nil && latent.rank == 512 && latent.keySize == 576 && latent.isInterleaved)
        #expect(latent.querySize == 192 && latent.valueSize == 128)
        let raised = 0.0707 * log(40) + 1
        #expect(abs(Double(latent.scale) - raised * raised / 192.0.squareRoot()) < 1e-7)
        #expect(model.heads == AttentionHeads(count: 16, kvCount: 1, size: 576))
        #expect(model.kvBytesPerToken(.int8) == 27 * 584 && model.kvBytesPerToken(.f16) == 27 * 1152)
        #expect(model.rotary[0].dimensions == 64)
        #expect(model.layers.map { $0.feedForward?.expertCount } == [0] + Array(repeating: 64, count: 26))
        let experts = try experts(model)
        #expect(experts.chosenCount == 6 && experts.sharedSize == 2816 && !experts.normalizesWeights)
        #expect(experts.router == RouterDescription())
        #expect(model.maxColumns == 10944 && model.widestWindow == nil)
    }

    @Test("DeepSeek V2's weights of experts are divided by their sum or scaled, not both, and a single one is scaled")
    func deepSeekNormalizes() throws {
        func router(_ normalizes: Bool, chosen: Int) throws -> ExpertsDescription {
            try experts(
                description(
                    Self.lite,
                    ["norm_topk_prob": normalizes, "num_experts_per_tok": chosen, "routed_scaling_factor": 16.0]
                )
            )
        }
        let (plain, divided, single) = (
            try router(false, chosen: 6), try router(true, chosen: 6), try router(true, chosen: 1)
        )
        #expect(!plain.normalizesWeights && plain.router.weightScale == 16)
        #expect(divided.normalizesWeights && divided.router.weightScale == 1)
        #expect(!single.normalizesWeights && single.router.weightScale == 16)
    }

    @Test("What DeepSeek V3's configuration leaves out is what the reference takes")
    func deepSeekDefaults() throws {
        let fields = [
            "kv_lora_rank", "q_lora_rank", "qk_rope_head_dim", "v_head_dim", "qk_nope_head_dim", "n_group",
            "topk_group",
            "first_k_dense_replace", "norm_topk_prob", "routed_scaling_factor", "rope_scaling",
        ]
        let removed: [(String, Any?)] = fields.map { ($0, nil) } + [("model_type", "deepseek_v3")]
        let model = try description(Self.lite, Dictionary(uniqueKeysWithValues: removed))
        let latent = try #require(model.latentAttention)
        #expect(latent.queryRank == 1536 && latent.keySize == 576 && latent.querySize == 192)
        #expect(latent.scale == 1 / Float(192).squareRoot())
        let experts = try experts(model)
        #expect(experts.normalizesWeights)
        let router = RouterDescription(
            scoring: .sigmoid,
            hasCorrection: true,
            groups: 8,
            chosenGroups: 4,
            weightScale: 2.5
        )
        #expect(experts.router == router)
        #expect(model.layers.map { $0.feedForward?.expertCount }.prefix(4) == [0, 0, 0, 64])
    }

    @Test(
        "A configuration out of range or not supported is an error that names the field",
        arguments: [
            ("kv_lora_rank", "500"), ("kv_lora_rank", "1024"), ("qk_rope_head_dim", "128"), ("qk_rope_head_dim", "0"),
            ("qk_nope_head_dim", "0"), ("v_head_dim", "-1"), ("n_routed_experts", "0"), ("n_group", "3"),
            ("num_experts_per_tok", "65"), ("routed_scaling_factor", "0"), ("norm_topk_prob", "2"),
            ("topk_method", "\"noaux_tc\""), ("num_attention_heads", "0"), ("partial_rotary_factor", "0.5"),
            ("first_k_dense_replace", "-1"), ("n_shared_experts", "-1"),
        ]
    )
    func refused(field: String, value: String) throws {
        let number = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
        let error = #expect(throws: ModelError.self) { try description(Self.lite, [field: number]) }
        #expect(error?.description.contains(field) == true, "\(error?.description ?? "no error")")
    }

    @Test("Groups whose experts are fewer than a token's are refused, and so are ones of one expert by their best two")
    func groups() throws {
        let grouped: [String: Any] = ["topk_method": "group_limited_greedy", "n_group": 16, "topk_group": 1]
        #expect(throws: ModelError.self) { try description(Self.lite, grouped) }
        #expect(try experts(description(Self.lite, grouped.merging(["topk_group": 2]) { $1 })).router.groups == 16)
        let single: [String: Any] = ["model_type": "deepseek_v3", "n_group": 64, "topk_group": 32]
        #expect(throws: ModelError.self) { try description(Self.lite, single) }
    }

    // MARK: GGUF

    /// - Parameter corrected: the layers that have a correction.
    private func description(
        _ metadata: [String: GGUFBuilder.Value],
        corrected: [Int] = []
    ) throws -> TransformerDescription {
        let common: [String: GGUFBuilder.Value] = [
            "context_length": .uint32(4096), "embedding_length": .uint32(64), "feed_forward_length": .uint32(128),
            "block_count": .uint32(4), "attention.head_count": .uint32(4), "attention.head_count_kv": .uint32(1),
            "attention.layer_norm_rms_epsilon": .float32(1e-5), "attention.kv_lora_rank": .uint32(32),
            "attention.key_length": .uint32(48), "attention.value_length": .uint32(32),
            "attention.key_length_mla": .uint32(40), "attention.value_length_mla": .uint32(24),
            "rope.dimension_count": .uint32(16), "expert_count": .uint32(8), "expert_used_count": .uint32(2),
            "expert_feed_forward_length": .uint32(32), "leading_dense_block_count": .uint32(1),
        ]
        let values = common.merging(metadata) { $1 }.map { ("deepseek2.\($0)", $1) }
        func tensor(_ name: String, _ shape: [UInt64]) -> GGUFBuilder.Tensor {
            .init(name, shape, bytes: [UInt8](repeating: 0, count: 4 * Int(shape.reduce(1, *))))
        }
        let builder = GGUFBuilder(
            [("general.architecture", .string("deepseek2"))] + values,
            tensors: [tensor("token_embd.weight", [64, 10])]
                + corrected.map { tensor("blk.\($0).exp_probs_b.bias", [8]) }
        )
        let model = try GGUFModel(path: "x.gguf", files: [("x.gguf", FileBytes(copying: builder.bytes))])
        return try ModelConfiguration(source: .gguf(model)).transformer
    }

    @Test("A GGUF file has sizes of heads by keys of their own, or in older files by the usual ones")
    func ggufSizes() throws {
        let latent = try #require(try description([:]).latentAttention)
        #expect(latent.queryRank == nil && latent.rank == 32 && latent.rotarySize == 16)
        #expect(latent.plainSize == 24 && latent.valueSize == 24 && latent.isInterleaved)
        // Heads may not take the keys of latent vectors for theirs.
        let other = try description(["attention.key_length_mla": .uint32(48), "attention.q_lora_rank": .uint32(20)])
        #expect(other.latentAttention?.plainSize == 32 && other.latentAttention?.queryRank == 20)
    }

    @Test("A GGUF file with corrections has a router by sigmoid; layers that predict several tokens are not counted")
    func ggufRouter() throws {
        #expect(try experts(description([:])).router.scoring == .softmax)
        let metadata: [String: GGUFBuilder.Value] = [
            "nextn_predict_layers": .uint32(1), "expert_weights_norm": .bool(true),
            "expert_weights_scale": .float32(2.5),
            "expert_shared_count": .uint32(2),
        ]
        let model = try description(metadata, corrected: [1, 2])
        let experts = try experts(model)
        #expect(model.layers.map { $0.feedForward?.expertCount } == [0, 8, 8])
        #expect(experts.router.scoring == .sigmoid && experts.router.hasCorrection && experts.normalizesWeights)
        #expect(experts.router.weightScale == 2.5 && experts.sharedSize == 64)
        #expect(throws: ModelError.self) { try description(["nextn_predict_layers": .uint32(4)]) }
    }

    @Test("The tenth of YaRN's multiplier in a GGUF file raises the scale of attention, and no cosines")
    func ggufYarn() throws {
        let model = try description([
            "rope.scaling.type": .string("yarn"), "rope.scaling.factor": .float32(40),
            "rope.scaling.original_context_length": .uint32(1024), "rope.scaling.yarn_log_multiplier": .float32(0.0707),
        ])
        let raised = 0.0707 * log(40) + 1
        let scale = Double(try #require(model.latentAttention).scale)
        #expect(abs(scale - raised * raised / 40.0.squareRoot()) < 1e-6)
        guard case .yarn(40, attentionFactor: 1, _, _, _, _) = model.rotary[0].scaling else {
            Issue.record("\(model.rotary[0])")
            return
        }
    }
}
