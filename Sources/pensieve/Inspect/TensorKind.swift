import ModelFiles

/// The part of a model that a tensor belongs to, by its name.
enum TensorKind: String, CaseIterable, Encodable {
    case embedding
    case attention
    case feedForward = "feed-forward"
    case experts
    case norms
    case head = "output head"
    case other

    init(tensor name: String) {
        let parts = name.split(separator: ".")
        func has(_ names: String...) -> Bool { parts.contains { part in names.contains { part == $0 } } }
        if parts.contains(where: { $0.contains("norm") }) {
            self = .norms
        } else if has("embed_tokens", "embed_tokens_per_layer", "embeddings", "token_embd", "wte") {
            self = .embedding
        } else if has("lm_head", "output") {
            self = .head
        } else if has("experts", "switch_mlp", "router", "block_sparse_moe")
            || parts.contains(where: { $0.hasSuffix("_exps") })
        {
            self = .experts
        } else if has("self_attn", "linear_attn", "mamba", "attn", "attention")
            || parts.contains(where: { $0.hasPrefix("attn_") })
        {
            self = .attention
        } else if has("mlp", "shared_mlp", "feed_forward") || parts.contains(where: { $0.hasPrefix("ffn_") }) {
            self = .feedForward
        } else if has("mixer") {
            // Nemotron's, of layers of any kind.
            self =
                has("gate", "fc1_latent_proj", "fc2_latent_proj")
                ? .experts
                : has("up_proj", "down_proj") ? .feedForward : .attention
        } else {
            self = .other
        }
    }
}

/// The tensors of one kind and storage format.
struct TensorGroup: Encodable {
    var kind: TensorKind
    /// "MLX 4-bit, group 64", "BF16".
    var form: String
    /// The number of weights, also where several are packed into a word.
    var parameters = 0
    var bytes = 0

    /// The groups of a model, in the order of their kinds.
    static func all(in directory: TensorDirectory, _ quantization: MLXQuantization) -> [TensorGroup] {
        var groups: [String: TensorGroup] = [:]
        for (name, tensor) in directory.tensors {
            let path = name.split(separator: ".").dropLast().joined(separator: ".")
            let isPacked = directory[path + ".scales"] != nil
            let packing = isPacked ? quantization[path] : nil
            let isFloat8 = tensor.type == .float8e4m3 && directory[path + ".weight_scale_inv"] != nil
            let form =
                packing.map { "MLX \($0.bits)-bit, group \($0.groupSize)" }
                ?? (isFloat8 ? "\(tensor.type.rawValue), held as BF16" : tensor.type.rawValue)
            let kind = TensorKind(tensor: name)
            var group = groups[kind.rawValue + form] ?? TensorGroup(kind: kind, form: form)
            group.bytes += isFloat8 ? 2 * tensor.bytes.count : tensor.bytes.count
            // Scales and biases are part of the format, not parameters.
            if name.hasSuffix(".weight") || !isPacked && !name.hasSuffix(".weight_scale_inv") {
                let stored = tensor.shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
                group.parameters += packing.map { stored / $0.bits * 32 } ?? stored
            }
            groups[kind.rawValue + form] = group
        }
        let order = TensorKind.allCases
        return groups.values.sorted { left, right in
            let (a, b) = (order.firstIndex(of: left.kind) ?? 0, order.firstIndex(of: right.kind) ?? 0)
            return (a, left.form) < (b, right.form)
        }
    }
}
