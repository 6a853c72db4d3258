import ModelFiles

/// Granite 4: as Granite 3, with experts or dense, but most layers are Mamba-2's state spaces; the others usually have no
/// rotary positions. Some models have none of the former.
enum GraniteMoEHybrid: ModelFamily {
    static let names = FamilyNames(
        huggingFace: ["granitemoehybrid"],
        gguf: "granitehybrid",
        ggufTensors: GraniteMoE.tensorNames.merging(HybridLayers.tensorNames(in: "mamba")) { $1 }
    )

    static let layerNames = GraniteMoE.layerNames

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try Granite.decoder(fields)
        var attention = try Granite.attention(fields, model)
        if !fields.isGGUF, try fields.optionalString("position_embedding_type") != "rope" { attention.rotary = nil }
        let kinds = try kinds(fields)
        let space = kinds.contains(.stateSpace) ? try stateSpace(fields, model) : nil
        let feedForward = try GraniteMoE.feedForward(fields, leastExperts: 0, sharedSize: 1024)
        let scale = try Granite.residualScale(fields)
        model.layers = kinds.map { kind in
            let mixer = kind == .stateSpace ? space.map { Mixer.stateSpace($0) } : .attention(attention)
            return LayerDescription(mixer: mixer, feedForward: feedForward, residualScale: scale)
        }
        return model
    }

    private static func kinds(_ fields: ModelFields) throws(ModelError) -> [HybridLayers.Kind] {
        let count = try fields.layerCount()
        if fields.isGGUF {
            let heads = try fields.ints(gguf: "attention.head_count_kv", 0...65_536, count: count)
            return heads.map { $0 == 0 ? .stateSpace : .attention }
        }
        let listed = try HybridLayers.kinds(fields, [.stateSpace, .attention], count: count)
        return listed ?? Array(repeating: .stateSpace, count: count)
    }

    private static func stateSpace(
        _ fields: ModelFields,
        _ model: TransformerDescription
    ) throws(ModelError) -> StateSpaceDescription {
        let heads = try fields.int(
            "mamba_n_heads",
            gguf: "ssm.time_step_rank",
            1...4096,
            default: fields.isGGUF ? nil : 128
        )
        let headSize = try headSize(fields, of: heads, hiddenSize: model.hiddenSize)
        return try HybridLayers.stateSpace(
            fields,
            .init(
                headSize: "mamba_d_head",
                groups: "mamba_n_groups",
                stateSize: "mamba_d_state",
                taps: "mamba_d_conv",
                convolutionBias: "mamba_conv_bias",
                bias: "mamba_proj_bias",
                usualGroups: 1,
                usualStateSize: 256
            ),
            heads: heads,
            headSize: headSize
        )
    }

    /// - Returns: nil in a GGUF file.
    private static func headSize(
        _ fields: ModelFields,
        of heads: Int,
        hiddenSize: Int
    ) throws(ModelError) -> Int? {
        guard !fields.isGGUF else { return nil }
        let name = "mamba_d_head"
        // Or a number.
        let isText = (try? fields.optionalString(name)) == "auto"
        if !isText, let size = try fields.optionalInt(name, 1...4096) { return size }
        return try fields.int("mamba_expand", 1...1024, default: 2) * hiddenSize / heads
    }
}
