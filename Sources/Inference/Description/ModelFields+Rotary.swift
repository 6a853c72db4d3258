import ModelFiles
import Platform

extension ModelFields {
    private static let bases = 1.0...1e12
    private static let factors = 1e-3...1e6
    private static let attentionFactors = 1e-3...1e3
    private static let multipliers = 0.0...1e3
    private static let lengths = 1...(1 << 24)

    /// What says how rotary positions are stretched: `rope_scaling`, or `rope_parameters` in newer files; nil: nothing does.
    var rotaryScaling: ModelFields? {
        get throws(ModelError) {
            if let scaling = try object("rope_scaling", gguf: "rope.scaling") { return scaling }
            return try object("rope_parameters")
        }
    }

    /// The rotary positions of all layers, or of those without a window where config.json tells the two kinds apart.
    /// - Parameters:
    ///   - base: what `rope_theta` is where config.json leaves it out.
    ///   - originalLength: the same of `original_max_position_embeddings`, whatever the scaling says, and in GGUF files
    ///     where the scaling says nothing; nil: the scaling's, or the context's.
    ///   - share: of a head's dimensions that are rotated, where config.json leaves it out.
    func rotary(
        of model: TransformerDescription,
        base: Double = 10_000,
        originalLength: Int? = nil,
        share: Double = 1
    ) throws(ModelError) -> RotaryParameters {
        let parameters = try object("rope_parameters")
        var scaling = try object("rope_scaling", gguf: "rope.scaling")
        if scaling == nil { scaling = try parameters?.object("full_attention") }
        if scaling == nil, try parameters?.object("sliding_attention") == nil { scaling = parameters }
        let own = try optionalDouble("rope_theta", gguf: "rope.freq_base", Self.bases)
        let nested = try parameters?.optionalDouble("rope_theta", Self.bases)
        return try rotary(
            of: model,
            base: own ?? nested ?? (isGGUF ? 10_000 : base),
            originalLength: originalLength,
            share: share,
            scaling
        )
    }

    /// - Parameter scaling: the object, or GGUF keys, that say how they are stretched; nil: they are not.
    func rotary(
        of model: TransformerDescription,
        base: Double,
        originalLength: Int? = nil,
        share: Double = 1,
        _ scaling: ModelFields?
    ) throws(ModelError) -> RotaryParameters {
        let dimensions = try rotaryDimensions(headSize: model.heads.size, usualShare: share, scaling)
        var result = RotaryParameters(base: base, dimensions: dimensions)
        guard let scaling else { return result }
        result.base = try scaling.double("rope_theta", Self.bases, default: base)
        let name = "original_max_position_embeddings"
        let own = try optionalInt(name, Self.lengths)
        let nested = try scaling.optionalInt(name, gguf: "original_context_length", Self.lengths)
        result.scaling = try scaling.scaling(
            dimensions: dimensions,
            contextLength: model.contextLength,
            originalLength: (isGGUF ? nested ?? originalLength : own ?? originalLength ?? nested) ?? model.contextLength
        )
        return result
    }

    private func rotaryDimensions(
        headSize: Int,
        usualShare: Double,
        _ scaling: ModelFields?
    ) throws(ModelError) -> Int {
        if isGGUF {
            let count = try int(gguf: "rope.dimension_count", 0...65_536, default: headSize)
            return try checkedDimensions(1..<headSize ~= count ? count : headSize, headSize)
        }
        let name = "partial_rotary_factor"
        let own = try optionalDouble(name, 0...1)
        let share = try scaling?.double(name, 0...1, default: own ?? usualShare) ?? own ?? usualShare
        // Which rotates a share of the pairs of the whole head.
        if try scaling?.optionalString("rope_type") == "proportional" {
            return try checkedDimensions(headSize, headSize)
        }
        return try checkedDimensions(Int(Double(headSize) * share), headSize)
    }

    private func checkedDimensions(_ count: Int, _ headSize: Int) throws(ModelError) -> Int {
        guard count >= 2, count % 2 == 0 else {
            throw error(
                "partial_rotary_factor",
                gguf: "rope.dimension_count",
                "rotates \(count) of \(headSize) dimensions; an even number is expected"
            )
        }
        return count
    }

    // MARK: Scaling

    private func scaling(
        dimensions: Int,
        contextLength: Int,
        originalLength length: Int
    ) throws(ModelError) -> RotaryParameters.Scaling {
        if let factors = try gguf?.factors("rope_freqs.weight") {
            // Llama 3.1's in GGUF: what its rule comes to for each frequency, in place of the rule.
            let checked = try self.factors(factors, "rope_freqs.weight", dimensions)
            return .longrope(short: checked, long: checked, originalLength: contextLength, attentionFactor: 1)
        }
        if let short = try gguf?.factors("rope_factors_short.weight"),
            let long = try gguf?.factors("rope_factors_long.weight")
        {
            return try longrope(
                short: factors(short, "rope_factors_short.weight", dimensions),
                long: factors(long, "rope_factors_long.weight", dimensions),
                originalLength: length,
                contextLength: contextLength
            )
        }
        let olderName = try optionalString("type")
        switch try optionalString("rope_type", gguf: "type") ?? olderName ?? "default" {
        case "default": return .none
        case "none" where isGGUF, "longrope" where isGGUF: return .none
        case "linear": return .linear(factor: try factor())
        case "llama3": return try llama3(originalLength: length)
        case "proportional":
            let share = try double("partial_rotary_factor", 0...1, default: 1)
            let factor = try double("factor", Self.factors, default: 1)
            return .proportional(pairs: Int(share * Double(dimensions) / 2), factor: factor)
        case "yarn": return try yarn(originalLength: length)
        case "longrope", "su":
            return try longrope(
                short: factors(list("short_factor", of: Double.self) ?? [], "short_factor", dimensions),
                long: factors(list("long_factor", of: Double.self) ?? [], "long_factor", dimensions),
                originalLength: length,
                contextLength: contextLength
            )
        case let kind:
            let known = "\"default\", \"linear\", \"llama3\", \"longrope\", \"proportional\" and \"yarn\" are"
            throw error("rope_type", gguf: "type", "\"\(kind)\" is not supported; \(known)")
        }
    }

    private func factor() throws(ModelError) -> Double { try double("factor", gguf: "factor", Self.factors) }

    private func llama3(originalLength: Int) throws(ModelError) -> RotaryParameters.Scaling {
        let low = try double("low_freq_factor", Self.factors)
        let high = try double("high_freq_factor", Self.factors)
        guard high > low else {
            throw error("high_freq_factor", "is \(high); more than low_freq_factor, \(low), is expected")
        }
        return .llama3(
            factor: try factor(),
            lowFrequencyFactor: low,
            highFrequencyFactor: high,
            originalLength: originalLength
        )
    }

    private func yarn(originalLength: Int) throws(ModelError) -> RotaryParameters.Scaling {
        let factor = try factor()
        func softening(_ mscale: Double) -> Double { factor <= 1 ? 1 : 0.1 * mscale * log(factor) + 1 }
        var attention = softening(1)
        func optionalScale(_ name: String) throws(ModelError) -> Double? {
            guard try optionalDouble(name, -.infinity ... .infinity) != 0 else { return nil }
            return try optionalDouble(name, Self.attentionFactors)
        }
        if let mscale = try optionalScale("mscale"), let all = try optionalScale("mscale_all_dim") {
            attention = softening(mscale) / softening(all)
        }
        // GGUF has the second of the two; the first is 1.
        if let all = try optionalDouble(gguf: "yarn_log_multiplier", Self.multipliers), all > 0 {
            attention = softening(1) / softening(all)
        }
        return .yarn(
            factor: factor,
            attentionFactor: try double(
                "attention_factor",
                gguf: "yarn_attn_factor",
                Self.attentionFactors,
                default: attention
            ),
            betaFast: try double("beta_fast", gguf: "yarn_beta_fast", Self.factors, default: 32),
            betaSlow: try double("beta_slow", gguf: "yarn_beta_slow", Self.factors, default: 1),
            originalLength: originalLength,
            truncates: try optionalBool("truncate") ?? true
        )
    }

    private func longrope(
        short: [Double],
        long: [Double],
        originalLength: Int,
        contextLength: Int
    ) throws(ModelError) -> RotaryParameters.Scaling {
        let stretch = try double("factor", 1e-9...1e9, default: Double(contextLength) / Double(originalLength))
        var attention = 1.0
        if stretch > 1, originalLength > 1 {
            attention = (1 + log(stretch) / log(Double(originalLength))).squareRoot()
        }
        return .longrope(
            short: short,
            long: long,
            originalLength: originalLength,
            attentionFactor: try double(
                "attention_factor",
                gguf: "attn_factor",
                Self.attentionFactors,
                default: attention
            )
        )
    }

    /// Checks factors: one for each pair of dimensions.
    private func factors(_ values: [Double], _ name: String, _ dimensions: Int) throws(ModelError) -> [Double] {
        guard values.count == dimensions / 2 else {
            let expected = "one for each of the \(dimensions / 2) pairs of dimensions is expected"
            throw error(name, "has \(values.count) factors; \(expected)")
        }
        if let value = values.first(where: { !Self.factors.contains($0) }) {
            throw error(name, "has \(value); \(Self.factors.lowerBound) to \(Self.factors.upperBound) is expected")
        }
        return values
    }
}
