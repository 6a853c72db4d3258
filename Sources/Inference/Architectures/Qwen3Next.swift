import ModelFiles

/// Qwen 3 Next: three layers of four are gated delta nets (arXiv 2412.06464), the fourth is attention as in Qwen 3 with a
/// gate on each head's output and rotary positions on a quarter of it; experts, as in Qwen 3, beside one that all tokens go
/// to. Norms are relative to one, but for those in delta nets.
enum Qwen3Next: ModelFamily {
    static let names = FamilyNames(huggingFace: ["qwen3_next"], gguf: "qwen3next", ggufTensors: tensorNames)

    /// Layers of attention have q, k and v apart, so a matrix of all three is a delta net's.
    static let tensorNames = [
        "attn_qkv": "linear_attn.in_proj_qkv",
        "attn_gate": "linear_attn.in_proj_z",
        "ssm_in": "linear_attn.in_proj_qkvz",
        "ssm_ba": "linear_attn.in_proj_ba",
        "ssm_alpha": "linear_attn.in_proj_a",
        "ssm_beta": "linear_attn.in_proj_b",
        "ssm_a": "linear_attn.decay_rate",
        "ssm_dt": "linear_attn.dt",
        "ssm_conv1d": "linear_attn.conv1d",
        "ssm_norm": "linear_attn.norm",
        "ssm_out": "linear_attn.out_proj",
    ]

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try decoder(fields)
        var net = try deltaNet(fields)
        net.isFused = true
        model.layers = try layers(fields, model, net, try feedForwards(fields))
        // The files of the first ones do not speak of it.
        if try fields.hasDraftHead("num_nextn_predict_layers", default: 1) {
            model.draftHead = try draftHead(fields, model)
        }
        return model
    }

    static func adjusted(
        _ model: TransformerDescription,
        at path: String,
        _ weights: WeightReader
    ) -> TransformerDescription {
        var model = model
        let layer = model.layers.firstIndex { $0.attention == nil } ?? 0
        // MLX turns convolutions round, and adds one to the norms where it does.
        if let shape = weights.shape(of: "\(path).layers.\(layer).linear_attn.conv1d.weight"), shape.count == 3,
            shape[1] > 1, shape[2] == 1
        {
            model.normOffset = 0
        }
        return model
    }

    // MARK: What Qwen 3.5 has too

    /// Without layers.
    static func decoder(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields, .init(headSize: 256))
        // GGUF files hold 1 + weight.
        model.normOffset = fields.isGGUF ? 0 : 1
        model.rotary = [try fields.rotary(of: model, share: 0.25)]
        return model
    }

    static func deltaNet(_ fields: ModelFields) throws(ModelError) -> GatedDeltaNetDescription {
        let (heads, sizes) = (1...4096, 16...4096)
        let keySize = try fields.int("linear_key_head_dim", gguf: "ssm.state_size", sizes)
        let valueHeads = try fields.int("linear_num_value_heads", gguf: "ssm.time_step_rank", heads)
        let keyHeads = try fields.int("linear_num_key_heads", gguf: "ssm.group_count", 1...valueHeads)
        guard valueHeads % keyHeads == 0 else {
            let expected = "a divisor of the number of value heads, \(valueHeads), is expected"
            throw fields.error("linear_num_key_heads", gguf: "ssm.group_count", "is \(keyHeads); \(expected)")
        }
        let valueSize: Int
        if fields.isGGUF {
            let all = try fields.int(gguf: "ssm.inner_size", 1...(1 << 24))
            guard all % valueHeads == 0 else {
                throw fields.error(gguf: "ssm.inner_size", "is \(all); a multiple of \(valueHeads) heads is expected")
            }
            valueSize = all / valueHeads
        } else {
            valueSize = try fields.int("linear_value_head_dim", sizes)
        }
        for (name, key, size) in [
            ("linear_key_head_dim", "ssm.state_size", keySize), ("linear_value_head_dim", "ssm.inner_size", valueSize),
        ] where size % 16 != 0 || !sizes.contains(size) {
            throw fields.error(name, gguf: key, "gives heads of \(size); multiples of 16 up to 4096 are supported")
        }
        return GatedDeltaNetDescription(
            keyHeads: keyHeads,
            valueHeads: valueHeads,
            keySize: keySize,
            valueSize: valueSize,
            taps: try fields.int("linear_conv_kernel_dim", gguf: "ssm.conv_kernel", 2...64)
        )
    }

    static func layers(
        _ fields: ModelFields,
        _ model: TransformerDescription,
        _ net: GatedDeltaNetDescription,
        _ feedForwards: [FeedForwardKind]
    ) throws(ModelError) -> [LayerDescription] {
        let attention = try attention(fields, model)
        return zip(try recurrentLayers(fields, count: feedForwards.count), feedForwards).map {
            isRecurrent,
            feedForward in
            LayerDescription(
                mixer: isRecurrent ? .gatedDeltaNet(net) : .attention(attention),
                feedForward: feedForward
            )
        }
    }

    /// A layer of attention, with experts if the model has any.
    static func draftHead(
        _ fields: ModelFields,
        _ model: TransformerDescription
    ) throws(ModelError) -> DraftHeadDescription? {
        let feedForwards = model.layers.compactMap(\.feedForward)
        guard let feedForward = feedForwards.first(where: { $0.expertCount > 0 }) ?? feedForwards.first else {
            return nil
        }
        let layer = LayerDescription(mixer: .attention(try attention(fields, model)), feedForward: feedForward)
        let further = DraftHeadPaths.ofLayer(model.layers.count, in: model.paths)
        return DraftHeadDescription(layer: layer, places: fields.isGGUF ? further : DraftHeadPaths.ofModule)
    }

    private static func attention(
        _ fields: ModelFields,
        _ model: TransformerDescription
    ) throws(ModelError) -> AttentionDescription {
        var attention = try Qwen3.attention(fields, model)
        attention.hasOutputGate = true
        return attention
    }

    /// Whether each layer is a delta net.
    private static func recurrentLayers(_ fields: ModelFields, count: Int) throws(ModelError) -> [Bool] {
        if let isRecurrent = try fields.layers(are: "linear_attention", or: "full_attention", count: count) {
            return isRecurrent
        }
        let listKey = "attention.recurrent_layers"
        if let isRecurrent = try fields.layerFlags(gguf: listKey, count: count) {
            try check(isRecurrent, fields, gguf: listKey)
            return isRecurrent
        }
        let key = "full_attention_interval"
        let interval = try fields.int(key, gguf: key, 1...4096, default: 4)
        let isRecurrent = (1...count).map { $0 % interval != 0 }
        try check(isRecurrent, fields, gguf: key)
        return isRecurrent
    }

    /// - Throws: `ModelError` if a layer of a GGUF file has the tensors of the other kind of layer.
    private static func check(_ isRecurrent: [Bool], _ fields: ModelFields, gguf key: String) throws(ModelError) {
        guard let model = fields.gguf else { return }
        for (layer, isRecurrent) in isRecurrent.enumerated() {
            let outputs = (net: "blk.\(layer).ssm_out.weight", attention: "blk.\(layer).attn_output.weight")
            let (own, other) = isRecurrent ? (outputs.net, outputs.attention) : (outputs.attention, outputs.net)
            guard model.hasTensor(other), !model.hasTensor(own) else { continue }
            let kind = isRecurrent ? "recurrent" : "one of attention"
            throw fields.error(gguf: key, "makes layer \(layer) \(kind), but the file has \(other) for it")
        }
    }

    /// The feed-forward networks of all layers, most of them with experts.
    static func feedForwards(_ fields: ModelFields) throws(ModelError) -> [FeedForwardKind] {
        var experts = try Qwen3MoE.experts(fields, isNormalizedByDefault: true)
        experts?.sharedSize = try fields.int(
            "shared_expert_intermediate_size",
            gguf: "expert_shared_feed_forward_length",
            1...(1 << 22)
        )
        experts?.gatesShared = true
        return try Qwen3MoE.feedForwards(fields, experts)
    }
}
