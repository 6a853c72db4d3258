import ModelFiles

/// Gemma 4, its language model: layers as in Gemma 3, but with weights of norms that are not relative to one, a norm of v,
/// scores that are not scaled, and a number of each layer's own that multiplies its output. Layers that see all positions
/// have heads of another size, and of these the first pairs are rotated.
///
/// Some models have, besides: layers at the end that read the keys and values of an earlier layer, with a wider
/// feed-forward network; a second embedding with a part for each layer; keys that are the values too; experts beside the
/// dense network. Models that also see pictures or hear have the language model under a longer name; the rest of them is
/// not read.
enum Gemma4: ModelFamily {
    static let names = FamilyNames(
        huggingFace: ["gemma4_text", "gemma4", "gemma4_unified_text", "gemma4_unified"],
        gguf: "gemma4",
        ggufTensors: Gemma2.tensorNames.merging(tensorNames) { $1 }
    )

    private static let tensorNames = [
        "pre_ffw_norm_2": "pre_feedforward_layernorm_2",
        "post_ffw_norm_1": "post_feedforward_layernorm_1",
        "post_ffw_norm_2": "post_feedforward_layernorm_2",
        "ffn_gate_inp": "router.proj",
        "ffn_gate_inp.scale": "router.scale",
        "ffn_gate_exps": "experts.gate_proj",
        "ffn_up_exps": "experts.up_proj",
        "ffn_gate_up_exps": "experts.gate_up_proj",
        "ffn_down_exps": "experts.down_proj",
        "ffn_down_exps.scale": "router.per_expert_scale",
        "layer_output_scale.weight": "layer_scalar",
        "inp_gate": "per_layer_input_gate",
        "proj": "per_layer_projection",
        "post_norm": "post_per_layer_input_norm",
    ]

    /// What a layer is by its place.
    private struct Place {
        var index: Int
        var hasWindow: Bool
        var heads: AttentionHeads
        /// The layer whose keys and values it reads, if it has none.
        var sharedLayer: Int?
    }

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        let places = try places(fields)
        let isUnified = try fields.architecture.hasPrefix("gemma4_unified")
        let defaults = TransformerDescription.Defaults(
            hiddenSize: 2304,
            vocabularySize: 262_144,
            contextLength: isUnified ? 262_144 : 131_072,
            tiesEmbeddings: true
        )
        let usual = places.first(where: \.hasWindow) ?? places[0]
        var model = try TransformerDescription(fields, defaults, heads: usual.heads)
        model.paths = TensorPaths.withPictures
        model.embeddingScale = Float(model.hiddenSize).squareRoot()
        model.rotary = try rotary(fields, model, places)
        model.logitSoftCap = try fields.softCap("final_logit_softcapping")
        model.perLayerEmbedding = try perLayerEmbedding(fields, isUnified: isUnified)
        let usualWindow = isUnified ? 1024 : 512
        let window = try fields.slidingWindow(ifAbsent: fields.isGGUF ? nil : usualWindow)
        let feedForwards = try feedForwards(fields, places)
        for (place, feedForward) in zip(places, feedForwards) {
            var attention = try attention(fields, place)
            attention.window = place.hasWindow ? window : nil
            attention.heads = place.heads == model.heads ? nil : place.heads
            var layer = LayerDescription(mixer: .attention(attention), feedForward: feedForward, norms: .beforeAndAfter)
            layer.hasOutputScale = true
            model.layers.append(layer)
        }
        return model
    }

    // MARK: Layers by their place

    private static func places(_ fields: ModelFields) throws(ModelError) -> [Place] {
        let count = try fields.layerCount(default: 30)
        let hasWindow = try hasWindow(fields, count)
        let heads = try heads(fields, hasWindow)
        let (name, key) = ("num_kv_shared_layers", "attention.shared_kv_layers")
        let firstShared = count - (try fields.int(name, gguf: key, 0...(count - 1), default: 0))
        var places: [Place] = []
        for index in 0..<count {
            var place = Place(index: index, hasWindow: hasWindow[index], heads: heads[index])
            if index >= firstShared {
                // The last one of the same kind.
                place.sharedLayer = (0..<firstShared).last { hasWindow[$0] == place.hasWindow }
                guard let source = place.sharedLayer else {
                    throw fields.error(name, gguf: key, "leaves layer \(index) without keys and values to read")
                }
                place.heads.kvCount = heads[source].kvCount
            }
            places.append(place)
        }
        return places
    }

    private static func hasWindow(_ fields: ModelFields, _ count: Int) throws(ModelError) -> [Bool] {
        guard fields.isGGUF else {
            let windows = try fields.windows(layerCount: count, size: 1) { ($0 + 1) % 6 != 0 }
            // As the reference has it, whatever the list says.
            return windows.dropLast().map { $0 != nil } + [false]
        }
        let key = "attention.sliding_window_pattern"
        guard let pattern = fields.flags(gguf: key), pattern.count >= count else {
            throw fields.error(gguf: key, "is not a list of \(count) elements, which is expected")
        }
        return Array(pattern.prefix(count))
    }

    private static func heads(_ fields: ModelFields, _ hasWindow: [Bool]) throws(ModelError) -> [AttentionHeads] {
        let sizes = 1...65_536
        let count = try fields.int("num_attention_heads", gguf: "attention.head_count", sizes, default: 8)
        let (name, key) = ("num_key_value_heads", "attention.head_count_kv")
        var heads: [AttentionHeads] = []
        if fields.isGGUF {
            let whole = try fields.int(gguf: "attention.key_length", sizes)
            let size = try fields.int(gguf: "attention.key_length_swa", sizes)
            let kvCounts = try fields.ints(gguf: key, 1...count, count: hasWindow.count)
            heads = zip(kvCounts, hasWindow).map { AttentionHeads(count: count, kvCount: $0, size: $1 ? size : whole) }
        } else {
            let kvCount = try fields.int(name, 1...count, default: 4)
            let usual = AttentionHeads(
                count: count,
                kvCount: kvCount,
                size: try fields.int("head_dim", sizes, default: 256)
            )
            heads = [AttentionHeads](repeating: usual, count: hasWindow.count)
            let overrides = try layerOverrides(fields, count: hasWindow.count)
            for index in heads.indices {
                try change(&heads[index], hasWindow: hasWindow[index], overrides.map { $0[index] }, fields)
            }
        }
        for heads in heads { try heads.check(fields, name, gguf: key) }
        return heads
    }

    static let readsLayerOverrides = true

    /// What config.json has of a layer's heads that differs: by layers, or as older files have it, of those without a window.
    /// - Parameter own: what is said of the layer, if anything is; nil if nothing is said by layers.
    private static func change(
        _ heads: inout AttentionHeads,
        hasWindow: Bool,
        _ own: ModelFields??,
        _ fields: ModelFields
    ) throws(ModelError) {
        let (counts, sizes) = (1...heads.count, 1...65_536)
        if let own {
            guard let own else { return }
            heads.size = try own.int("head_dim", sizes, default: heads.size)
            heads.kvCount = try own.int("num_key_value_heads", counts, default: heads.kvCount)
        } else if !hasWindow {
            heads.size = try fields.int("global_head_dim", sizes, default: 512)
            guard try fields.optionalBool("attention_k_eq_v") == true else { return }
            heads.kvCount = try fields.int("num_global_key_value_heads", counts, default: heads.kvCount)
        }
    }

    /// What config.json says of single layers, by their numbers; nil if it says nothing so. `transformers` begins the names
    /// with zeros, so that all are as long as the last.
    private static func layerOverrides(_ fields: ModelFields, count: Int) throws(ModelError) -> [Int: ModelFields]? {
        guard let layers = try fields.object("per_layer_config") else { return nil }
        var overrides: [Int: ModelFields] = [:]
        var known: Set<Int> = []
        for (name, _) in layers.members {
            // Looking one up takes time with the object's size: only once for each layer.
            guard let index = Int(name), 0..<count ~= index, known.insert(index).inserted else { continue }
            overrides[index] = try layers.object(name)
        }
        return overrides
    }

    // MARK: Parts of a layer

    private static func attention(_ fields: ModelFields, _ place: Place) throws(ModelError) -> AttentionDescription {
        let bias = try fields.bias("attention_bias")
        let hasNoValues =
            if let gguf = fields.gguf {
                !gguf.hasTensor("blk.\(place.index).attn_v.weight")
                    && !gguf.hasTensor("blk.\(place.index).attn_qkv.weight")
            } else {
                try fields.optionalBool("attention_k_eq_v") ?? false && !place.hasWindow
            }
        return AttentionDescription(
            scale: 1,
            rotary: place.hasWindow ? 1 : 0,
            hasHeadNorms: true,
            hasValueNorm: true,
            valuesAreKeys: hasNoValues && place.sharedLayer == nil,
            sharedLayer: place.sharedLayer,
            bias: bias,
            outputBias: bias
        )
    }

    private static func feedForwards(
        _ fields: ModelFields,
        _ places: [Place]
    ) throws(ModelError) -> [FeedForwardKind] {
        let activation = try fields.activation("hidden_activation", default: "gelu_pytorch_tanh")
        let widths = 1...(1 << 22)
        let sizes: [Int]
        if fields.isGGUF {
            sizes = try fields.ints(gguf: "feed_forward_length", widths, count: places.count)
        } else {
            let size = try fields.int("intermediate_size", widths, default: 9216)
            let isDoubled = try fields.optionalBool("use_double_wide_mlp") ?? false
            sizes = places.map { isDoubled && $0.sharedLayer != nil ? 2 * size : size }
        }
        let experts = try experts(fields, activation)
        return sizes.map { size in
            let dense = DenseDescription(size: size, activation: activation)
            return if let experts { .both(dense, experts) } else { .dense(dense) }
        }
    }

    /// - Returns: nil if there are none.
    private static func experts(
        _ fields: ModelFields,
        _ activation: Activation
    ) throws(ModelError) -> ExpertsDescription? {
        let key = "expert_count"
        let hasExperts =
            fields.isGGUF
            ? try fields.int(gguf: key, 0...65_536, default: 0) > 0
            : try fields.optionalBool("enable_moe_block") ?? false
        guard hasExperts else { return nil }
        let count = try fields.int("num_experts", gguf: key, 1...65_536)
        return ExpertsDescription(
            count: count,
            chosenCount: try fields.int("top_k_experts", gguf: "expert_used_count", 1...count),
            normalizesWeights: true,
            expert: DenseDescription(
                size: try fields.int("moe_intermediate_size", gguf: "expert_feed_forward_length", 1...(1 << 22)),
                activation: activation
            )
        )
    }

    private static func perLayerEmbedding(
        _ fields: ModelFields,
        isUnified: Bool
    ) throws(ModelError) -> PerLayerEmbeddingDescription? {
        let (name, key) = ("hidden_size_per_layer_input", "embedding_length_per_layer_input")
        let usual = fields.isGGUF || isUnified ? 0 : 256
        guard let size = try fields.optionalInt(name, gguf: key, 0...65_536, ifAbsent: usual), size > 0 else {
            return nil
        }
        return PerLayerEmbeddingDescription(
            size: size,
            activation: try fields.activation("hidden_activation", default: "gelu_pytorch_tanh")
        )
    }

    // MARK: Rotary positions

    /// Of layers that see all positions, then of those with a window.
    private static func rotary(
        _ fields: ModelFields,
        _ model: TransformerDescription,
        _ places: [Place]
    ) throws(ModelError) -> [RotaryParameters] {
        let wholeSize = places.first { !$0.hasWindow }?.heads.size ?? model.heads.size
        guard places.allSatisfy({ $0.heads.size == ($0.hasWindow ? model.heads.size : wholeSize) }) else {
            throw fields.error("per_layer_config", "has heads of several sizes in layers of one kind")
        }
        if let gguf = fields.gguf { return try rotary(gguf, fields, size: model.heads.size, wholeSize: wholeSize) }
        let parameters = try fields.object("rope_parameters")
        var whole = model
        whole.heads.size = wholeSize
        var first = RotaryParameters(
            base: 1e6,
            dimensions: wholeSize,
            scaling: .proportional(pairs: wholeSize / 8, factor: 1)
        )
        if let own = try parameters?.object("full_attention") {
            first = try fields.rotary(of: whole, base: 1e6, own)
        }
        return [first, try fields.rotary(of: model, base: 10_000, parameters?.object("sliding_attention"))]
    }

    /// A GGUF file has a factor for each pair of the first kind's, which is beyond all bounds for those that do not rotate.
    private static func rotary(
        _ gguf: GGUFModel,
        _ fields: ModelFields,
        size: Int,
        wholeSize: Int
    ) throws(ModelError) -> [RotaryParameters] {
        let bases = 1.0...1e12
        let base = try fields.double(gguf: "rope.freq_base", bases, default: 10_000)
        let windowBase = try fields.double(gguf: "rope.freq_base_swa", bases, default: base)
        var whole = RotaryParameters(base: base, dimensions: wholeSize)
        if let factors = try gguf.factors("rope_freqs.weight") {
            let pairs = factors.prefix { $0 < 1e6 }.count
            let isProportional =
                factors.count == wholeSize / 2 && factors[..<pairs].allSatisfy { $0 == factors[0] && $0 >= 1e-3 }
                && factors[pairs...].allSatisfy { $0 >= 1e6 }
            guard isProportional else {
                throw ModelError(
                    "\(gguf.path): tensor rope_freqs.weight: is not one factor for the first of \(wholeSize / 2) pairs"
                )
            }
            whole.scaling = .proportional(pairs: pairs, factor: pairs > 0 ? factors[0] : 1)
        }
        return [whole, RotaryParameters(base: windowBase, dimensions: size)]
    }
}
