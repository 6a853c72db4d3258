/// Fields that take more than one look: from what is written to what is meant, checked for range.
extension ConfigurationFields {
    /// The number of heads of q, that of k and v, and the size of one.
    func heads(
        hiddenSize: Int,
        _ defaults: ConfigurationDefaults,
        _ check: RangeCheck
    ) throws(ModelError) -> (count: Int, kvCount: Int, size: Int) {
        let count = try check.required("num_attention_heads", num_attention_heads ?? defaults.headCount, 1...65536)
        let kvCount = try check("num_key_value_heads", num_key_value_heads ?? defaults.kvHeadCount ?? count, 1...count)
        guard count % kvCount == 0 else {
            throw ModelError(
                "\(check.label): num_key_value_heads is \(kvCount); a divisor of num_attention_heads, \(count), "
                    + "is expected"
            )
        }
        let given = head_dim ?? defaults.headSize
        if given == nil, hiddenSize % count != 0 {
            throw ModelError("\(check.label): hidden_size is \(hiddenSize); a multiple of \(count) heads is expected")
        }
        return (count, kvCount, try check("head_dim", given ?? hiddenSize / count, 1...65536))
    }

    func activation(
        _ defaults: ConfigurationDefaults,
        _ check: RangeCheck
    ) throws(ModelError) -> ModelConfiguration.Activation {
        // Gemma files of an older date say "gelu" in hidden_act, which the reference does not look at there.
        let isGemma = defaults.activation != "silu"
        let name = hidden_activation ?? (isGemma ? nil : hidden_act) ?? defaults.activation
        switch name {
        case "silu", "swish": return .silu
        case "gelu_pytorch_tanh", "gelu_new": return .geluTanh
        default:
            throw ModelError(
                "\(check.label): hidden_act \"\(name)\" is not supported; \"silu\" and \"gelu_pytorch_tanh\" are"
            )
        }
    }

    /// The rotary parameters of layers without a window, and those of layers with one where they differ.
    func rope(
        headSize: Int,
        contextLength: Int,
        _ defaults: ConfigurationDefaults,
        _ check: RangeCheck
    ) throws(ModelError) -> (RotaryParameters, RotaryParameters?) {
        let nested = rope_parameters?.full != nil || rope_parameters?.sliding != nil
        let name = rope_scaling != nil ? "rope_scaling" : nested ? "rope_parameters.full_attention" : "rope_parameters"
        func parameters(
            _ fields: RopeFields?,
            _ name: String,
            base: Double
        ) throws(ModelError) -> RotaryParameters {
            let share = try check(
                "partial_rotary_factor",
                fields?.partial_rotary_factor ?? partial_rotary_factor ?? 1,
                0...1
            )
            let dimensions = Int(Double(headSize) * share)
            guard dimensions >= 2, dimensions % 2 == 0 else {
                throw ModelError(
                    "\(check.label): partial_rotary_factor \(share) turns \(dimensions) of \(headSize) dimensions; "
                        + "an even number is expected"
                )
            }
            return RotaryParameters(
                base: try check("rope_theta", fields?.rope_theta ?? base, 1...1e12),
                dimensions: dimensions,
                scaling: try fields?.scaling(
                    name: name,
                    dimensions: dimensions,
                    contextLength: contextLength,
                    originalLength: original_max_position_embeddings ?? defaults.originalLength,
                    check: check
                ) ?? .none
            )
        }
        let global = rope_scaling ?? (nested ? rope_parameters?.full : rope_parameters?.all)
        let rope = try parameters(
            global,
            name,
            base: rope_theta ?? rope_parameters?.all.rope_theta ?? defaults.ropeBase
        )
        guard rope_parameters?.sliding != nil || rope_local_base_freq != nil || model_type?.hasPrefix("gemma3") == true
        else { return (rope, nil) }
        let local = try parameters(
            rope_parameters?.sliding,
            "rope_parameters.sliding_attention",
            base: rope_local_base_freq ?? 10_000
        )
        return (rope, local)
    }

    func window(_ defaults: ConfigurationDefaults, _ check: RangeCheck) throws(ModelError) -> Int? {
        guard use_bidirectional_attention != true else {
            throw ModelError("\(check.label): use_bidirectional_attention is not supported; only false is")
        }
        guard use_sliding_window ?? defaults.usesSlidingWindow,
            let window = sliding_window.value(default: defaults.slidingWindow)
        else { return nil }
        return try check("sliding_window", window, 1...(1 << 30))
    }

    func windowedLayers(layerCount: Int, _ check: RangeCheck) throws(ModelError) -> [Bool]? {
        guard let types = layer_types else { return nil }
        guard types.count == layerCount else {
            throw ModelError("\(check.label): layer_types has \(types.count) elements; \(layerCount) are expected")
        }
        if let type = types.first(where: { $0 != "sliding_attention" && $0 != "full_attention" }) {
            throw ModelError(
                "\(check.label): layer_types: \"\(type)\" is not supported; \"full_attention\" and "
                    + "\"sliding_attention\" are"
            )
        }
        return types.map { $0 == "sliding_attention" }
    }

    func experts(layerCount: Int, _ check: RangeCheck) throws(ModelError) -> ModelConfiguration.Experts? {
        guard let num_experts = num_experts ?? num_local_experts, num_experts != 0 else { return nil }
        let count = try check("num_experts", num_experts, 1...65536)
        let step = try check("decoder_sparse_step", decoder_sparse_step ?? 1, 1...4096)
        let dense = (0..<layerCount).filter { ($0 + 1) % step != 0 }
        return ModelConfiguration.Experts(
            count: count,
            chosenCount: try check.required("num_experts_per_tok", num_experts_per_tok, 1...count),
            intermediateSize: try check.required("moe_intermediate_size", moe_intermediate_size, 1...(1 << 22)),
            normalizesWeights: norm_topk_prob ?? false,
            denseLayers: Set(dense).union(mlp_only_layers ?? [])
        )
    }

    /// What is said of quantisation, if it is MLX's.
    func quantizationFields(label: String) throws(ModelError) -> [String: QuantizationField] {
        if let quantization { return quantization }
        guard let fields = quantization_config else { return [:] }
        if case .text(let method)? = fields["quant_method"] {
            throw ModelError(
                "\(label): quantization_config: quant_method \"\(method)\" is not supported; folders in MLX form, GGUF "
                    + "files and weights that are not quantised are"
            )
        }
        return fields
    }
}

extension RangeCheck {
    /// A number that divides or multiplies; nil stays nil.
    func positive(_ name: String, _ value: Double?) throws(ModelError) -> Float? {
        guard let value else { return nil }
        return Float(try self(name, value, 1e-6...1e9))
    }
}
