import ModelFiles
import Platform

/// DeepSeek V2 and V3 (arXiv 2405.04434, 2412.19437) and GLM-4.7-Flash: latent attention, and experts in groups, of which V2
/// chooses by softmax and the others by sigmoid with a correction. YaRN also raises the scale of attention. The layer
/// behind the others is a draft head.
///
/// GGUF files have all three under one name; whether there is a correction tells them apart.
enum DeepSeek: ModelFamily {
    static let names = FamilyNames(
        huggingFace: ["deepseek_v3", "deepseek_v2", "glm4_moe_lite"],
        gguf: "deepseek2",
        ggufTensors: GroupedExperts.tensorNames.merging(latentNames) { $1 }
    )

    private static let latentNames = [
        "attn_q_a": "self_attn.q_a_proj",
        "attn_q_a_norm": "self_attn.q_a_layernorm",
        "attn_q_b": "self_attn.q_b_proj",
        "attn_kv_a_mqa": "self_attn.kv_a_proj_with_mqa",
        "attn_kv_a_norm": "self_attn.kv_a_layernorm",
        "attn_kv_b": "self_attn.kv_b_proj",
        "attn_k_b": "self_attn.k_b_proj",
        "attn_v_b": "self_attn.v_b_proj",
    ]

    private enum Kind: String {
        case v2 = "deepseek_v2"
        case v3 = "deepseek_v3"
        case flash = "glm4_moe_lite"
    }

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        let kind = try kind(of: fields)
        var latent = try latentAttention(fields, kind)
        let count = try fields.int("num_attention_heads", gguf: "attention.head_count", 1...65_536)
        let heads = AttentionHeads(count: count, kvCount: 1, size: latent.keySize)
        var model = try TransformerDescription(fields, .init(normEpsilon: kind == .flash ? 1e-5 : 1e-6), heads: heads)
        try addRotary(fields, to: &model, &latent)
        let experts = try experts(fields, kind)
        let isDense = try denseLayers(fields, kind)
        model.layers = try GroupedExperts.feedForwards(fields, experts, dense: isDense).map {
            LayerDescription(mixer: .latentAttention(latent), feedForward: $0)
        }
        model.draftHead = try GroupedExperts.draftHead(fields, model)
        return model
    }

    private static func kind(of fields: ModelFields) throws(ModelError) -> Kind {
        guard let gguf = fields.gguf else { return Kind(rawValue: try fields.architecture) ?? .v3 }
        let first = try GroupedExperts.denseLayers(fields, ifAbsent: 0)
        return gguf.hasTensor("blk.\(first).exp_probs_b.bias") ? .v3 : .v2
    }

    // MARK: Attention

    /// Without the raised scale.
    private static func latentAttention(
        _ fields: ModelFields,
        _ kind: Kind
    ) throws(ModelError) -> LatentAttentionDescription {
        let sizes = 1...65_536
        let usual = fields.isGGUF ? nil : kind == .flash ? (192, 256) : (128, 128)
        let rotated = try fields.int(
            "qk_rope_head_dim",
            gguf: "rope.dimension_count",
            2...64,
            default: fields.isGGUF ? nil : 64
        )
        let rank = try fields.int(
            "kv_lora_rank",
            gguf: "attention.kv_lora_rank",
            16...512,
            default: fields.isGGUF ? nil : 512
        )
        guard rank % 16 == 0, rotated % 16 == 0 else {
            throw fields.error(
                "kv_lora_rank",
                gguf: "attention.kv_lora_rank",
                "is \(rank), beside \(rotated) rotated dimensions; multiples of 16 are expected"
            )
        }
        return LatentAttentionDescription(
            queryRank: try fields.optionalInt(
                "q_lora_rank",
                gguf: "attention.q_lora_rank",
                1...(1 << 20),
                ifAbsent: fields.isGGUF ? nil : kind == .flash ? 768 : 1536
            ),
            rank: rank,
            plainSize: try plainSize(fields, rotated: rotated, usual: usual?.0),
            rotarySize: rotated,
            valueSize: try fields.int(
                "v_head_dim",
                gguf: ggufKey(fields, "attention.value_length"),
                sizes,
                default: usual?.1
            ),
            scale: 0,
            isInterleaved: try fields.optionalBool("rope_interleave") ?? true,
            bias: try fields.bias("attention_bias")
        )
    }

    private static func plainSize(_ fields: ModelFields, rotated: Int, usual: Int?) throws(ModelError) -> Int {
        guard fields.isGGUF else { return try fields.int("qk_nope_head_dim", 1...65_536, default: usual) }
        let key = ggufKey(fields, "attention.key_length")
        return try fields.int(gguf: key, (rotated + 1)...65_536) - rotated
    }

    /// Newer files have the sizes of heads under a key of their own, and those of latent vectors under the usual one.
    private static func ggufKey(_ fields: ModelFields, _ key: String) -> String {
        fields.gguf?.metadata["deepseek2.\(key)_mla"] == nil ? key : key + "_mla"
    }

    /// Adds the rotary positions, and the scale of attention.
    private static func addRotary(
        _ fields: ModelFields,
        to model: inout TransformerDescription,
        _ attention: inout LatentAttentionDescription
    ) throws(ModelError) {
        var ends = model
        ends.heads.size = attention.rotarySize
        var rotary = try fields.rotary(of: ends)
        guard rotary.dimensions == attention.rotarySize else {
            throw fields.error("partial_rotary_factor", "is not 1; only 1 is supported")
        }
        attention.scale = 1 / Float(attention.querySize).squareRoot()
        if let (factor, multiplier) = try stretch(fields), case .yarn = rotary.scaling {
            let raised = factor > 1 ? 0.1 * multiplier * log(factor) + 1 : 1
            attention.scale = Float(raised * raised / Double(attention.querySize).squareRoot())
            // GGUF files do not have `mscale`, and the models' is the other one.
            if fields.isGGUF { rotary.changeYaRN(attentionFactor: 1) }
        }
        model.rotary = [rotary]
    }

    /// The factor of YaRN, and `mscale_all_dim` if it is not 0.
    private static func stretch(_ fields: ModelFields) throws(ModelError) -> (factor: Double, multiplier: Double)? {
        guard let nested = try fields.rotaryScaling else { return nil }
        let range = -1e3...1e3
        let multiplier = try nested.optionalDouble("mscale_all_dim", gguf: "yarn_log_multiplier", range) ?? 0
        guard multiplier != 0 else { return nil }
        let factor = try nested.double("factor", gguf: "factor", 1e-3...1e6)
        // llama.cpp's converter puts a tenth of it there.
        return (factor, fields.isGGUF ? 10 * multiplier : multiplier)
    }

    // MARK: Experts

    private static func experts(_ fields: ModelFields, _ kind: Kind) throws(ModelError) -> ExpertsDescription {
        guard kind == .v2 else {
            let isV3 = kind == .v3
            return try GroupedExperts.describe(
                fields,
                .init(
                    scoring: .sigmoid,
                    normalizes: true,
                    weightScale: isV3 ? 2.5 : 1.8,
                    groups: isV3 ? 8 : 1,
                    chosenGroups: isV3 ? 4 : 1
                )
            )
        }
        var experts = try GroupedExperts.describe(fields, .init())
        if !fields.isGGUF, experts.normalizesWeights {
            // As in DeepSeek's own code, which divides the weights by their sum or scales them, and does not divide a single
            // one; transformers ignores the flag, which no published model sets.
            experts.normalizesWeights = experts.chosenCount > 1
            if experts.normalizesWeights { experts.router.weightScale = 1 }
        }
        switch try fields.optionalString("topk_method") ?? (fields.isGGUF ? "group_limited_greedy" : "greedy") {
        case "greedy": (experts.router.groups, experts.router.chosenGroups) = (1, 1)
        case "group_limited_greedy": break
        case let method:
            throw fields.error(
                "topk_method",
                "\"\(method)\" is not supported; \"greedy\" and \"group_limited_greedy\" are"
            )
        }
        return experts
    }

    /// Whether a layer has no experts.
    private static func denseLayers(_ fields: ModelFields, _ kind: Kind) throws(ModelError) -> (Int) -> Bool {
        if kind == .flash {
            let (count, name) = (try fields.layerCount(), "mlp_layer_types")
            if let isDense = try fields.layers(are: "dense", or: "sparse", count: count, list: name) {
                return { isDense[$0] }
            }
        }
        let count = try GroupedExperts.denseLayers(fields, ifAbsent: kind == .v2 ? 0 : kind == .v3 ? 3 : 1)
        return { $0 < count }
    }
}
