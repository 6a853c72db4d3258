import ModelFiles
import Platform

/// Hunyuan without experts (huggingface.co/tencent/Hunyuan-7B-Instruct): as Llama, with a norm on each head of q and k
/// after it is rotated, and a base of the rotary positions that a number `alpha` raises for long contexts.
enum HunyuanDense: ModelFamily {
    static let names = FamilyNames(
        huggingFace: ["hunyuan_v1_dense"],
        gguf: "hunyuan-dense",
        ggufTensors: ["attn_q_norm": "self_attn.query_layernorm", "attn_k_norm": "self_attn.key_layernorm"]
    )

    static let layerNames = LayerNames(queryNorm: "query_layernorm", keyNorm: "key_layernorm")

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields, .init(normEpsilon: 1e-5))
        model.rotary = [try rotary(fields, model)]
        let bias = try fields.bias("attention_bias")
        let attention = AttentionDescription(
            scale: model.heads.usualScale,
            hasHeadNorms: true,
            headNorms: .ofRotatedHeads,
            bias: bias,
            outputBias: bias
        )
        let layer = LayerDescription(mixer: .attention(attention), feedForward: .dense(try fields.dense()))
        model.layers = Array(repeating: layer, count: try fields.layerCount())
        return model
    }

    private static func rotary(
        _ fields: ModelFields,
        _ model: TransformerDescription
    ) throws(ModelError) -> RotaryParameters {
        guard let parameters = try fields.rotaryScaling, let alpha = try parameters.optionalDouble("alpha", 1e-3...1e6)
        else {
            return try fields.rotary(of: model)
        }
        let olderKind = try parameters.optionalString("type")
        let kind = try parameters.optionalString("rope_type") ?? olderKind
        guard kind == "dynamic" else { return try fields.rotary(of: model) }
        let bases = 1.0...1e12
        let own = try fields.optionalDouble("rope_theta", bases)
        let base = try parameters.double("rope_theta", bases, default: own ?? 10_000)
        let size = Double(model.heads.size)
        return RotaryParameters(base: base * pow(alpha, size / (size - 2)), dimensions: model.heads.size)
    }
}
