import Platform

/// How positions turn the heads of q and k (RoPE, arXiv 2104.09864), and how that is stretched for long contexts.
package struct RotaryParameters: Sendable, Equatable {
    /// Pair i turns by base^(-2i / dimensions) for each position.
    package var base: Double
    /// The first so many dimensions of a head turn, the others stay: even, at least 2.
    package var dimensions: Int
    package var scaling: Scaling

    package enum Scaling: Sendable, Equatable {
        case none
        /// Frequencies divided by `factor` (arXiv 2306.15595).
        case linear(factor: Double)
        /// Wavelengths above originalLength / lowFrequencyFactor are divided by `factor`, those below
        /// originalLength / highFrequencyFactor stay, between them the two are blended (Llama 3.1).
        case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalLength: Int)
        /// Pairs that turn less than `slowTurns` times within `originalLength` are divided by `factor`, those that turn
        /// more than `fastTurns` times stay, between them the two are blended (arXiv 2309.00071). Cosines and sines are
        /// multiplied by `attentionFactor`.
        case yarn(
            factor: Double,
            attentionFactor: Double,
            fastTurns: Double,
            slowTurns: Double,
            originalLength: Int,
            truncates: Bool
        )
        /// Each frequency divided by a factor of its own, one for each pair: those of `long` in contexts longer than
        /// `originalLength`, else those of `short` (arXiv 2402.13753). Cosines and sines are multiplied by
        /// `attentionFactor`.
        case longrope(short: [Double], long: [Double], originalLength: Int, attentionFactor: Double)
    }

    package init(base: Double, dimensions: Int, scaling: Scaling = .none) {
        self.base = base
        self.dimensions = dimensions
        self.scaling = scaling
    }
}

/// `rope_scaling` or `rope_parameters` as they are written.
struct RopeFields: Decodable {
    var type: String?
    var rope_type: String?
    var rope_theta: Double?
    var partial_rotary_factor: Double?
    var factor: Double?
    var low_freq_factor: Double?
    var high_freq_factor: Double?
    var original_max_position_embeddings: Int?
    var attention_factor: Double?
    var beta_fast: Double?
    var beta_slow: Double?
    var mscale: Double?
    var mscale_all_dim: Double?
    var truncate: Bool?
    var short_factor: [Double]?
    var long_factor: [Double]?

    var kind: String? { rope_type ?? type }

    /// - Parameters:
    ///   - name: of the field that has these, for messages.
    ///   - originalLength: what the model says outside of these fields, which wins.
    func scaling(
        name: String,
        dimensions: Int,
        contextLength: Int,
        originalLength: Int?,
        check: RangeCheck
    ) throws(ModelError) -> RotaryParameters.Scaling {
        let length = try check(
            "\(name).original_max_position_embeddings",
            originalLength ?? original_max_position_embeddings ?? contextLength,
            1...(1 << 24)
        )
        switch kind ?? "default" {
        case "default": return .none
        case "linear": return .linear(factor: try self.factor(name, check))
        case "llama3":
            let low = try check.required("\(name).low_freq_factor", low_freq_factor, 1e-3...1e6)
            let high = try check.required("\(name).high_freq_factor", high_freq_factor, 1e-3...1e6)
            guard high > low else {
                throw ModelError(
                    "\(check.label): \(name).high_freq_factor is \(high); more than low_freq_factor, \(low), is expected"
                )
            }
            return .llama3(
                factor: try self.factor(name, check),
                lowFrequencyFactor: low,
                highFrequencyFactor: high,
                originalLength: length
            )
        case "yarn": return try yarn(name, length, check)
        case "longrope", "su": return try longrope(name, dimensions, contextLength, length, check)
        case let kind:
            throw ModelError(
                "\(check.label): \(name) of type \"\(kind)\" is not supported; "
                    + "\"default\", \"linear\", \"llama3\", \"longrope\" and \"yarn\" are"
            )
        }
    }

    private func factor(_ name: String, _ check: RangeCheck) throws(ModelError) -> Double {
        try check.required("\(name).factor", factor, 1e-3...1e6)
    }

    private func yarn(_ name: String, _ length: Int, _ check: RangeCheck) throws(ModelError) -> RotaryParameters.Scaling
    {
        let factor = try self.factor(name, check)
        func softening(_ mscale: Double) -> Double { factor <= 1 ? 1 : 0.1 * mscale * log(factor) + 1 }
        var attention = softening(1)
        if let mscale, let mscale_all_dim, mscale != 0, mscale_all_dim != 0 {
            attention =
                softening(try check("\(name).mscale", mscale, 1e-3...1e3))
                / softening(try check("\(name).mscale_all_dim", mscale_all_dim, 1e-3...1e3))
        }
        return .yarn(
            factor: factor,
            attentionFactor: try check("\(name).attention_factor", attention_factor ?? attention, 1e-3...1e3),
            fastTurns: try check("\(name).beta_fast", beta_fast ?? 32, 1e-3...1e6),
            slowTurns: try check("\(name).beta_slow", beta_slow ?? 1, 1e-3...1e6),
            originalLength: length,
            truncates: truncate ?? true
        )
    }

    private func longrope(
        _ name: String,
        _ dimensions: Int,
        _ contextLength: Int,
        _ length: Int,
        _ check: RangeCheck
    ) throws(ModelError) -> RotaryParameters.Scaling {
        func factors(_ field: String, _ values: [Double]?) throws(ModelError) -> [Double] {
            let values = values ?? []
            guard values.count == dimensions / 2 else {
                throw ModelError(
                    "\(check.label): \(name).\(field) has \(values.count) factors; one for each of the "
                        + "\(dimensions / 2) pairs of dimensions is expected"
                )
            }
            for value in values { _ = try check("\(name).\(field)", value, 1e-3...1e6) }
            return values
        }
        let stretch = try check("\(name).factor", factor ?? Double(contextLength) / Double(length), 1e-9...1e9)
        var attention = 1.0
        if stretch > 1, length > 1 { attention = (1 + log(stretch) / log(Double(length))).squareRoot() }
        return .longrope(
            short: try factors("short_factor", short_factor),
            long: try factors("long_factor", long_factor),
            originalLength: length,
            attentionFactor: try check("\(name).attention_factor", attention_factor ?? attention, 1e-3...1e3)
        )
    }
}

/// Refuses values that no model has, so that later arithmetic cannot overflow.
struct RangeCheck {
    let label: String

    func callAsFunction<Value: Comparable>(
        _ name: String,
        _ value: Value,
        _ range: ClosedRange<Value>
    ) throws(ModelError) -> Value {
        guard range.contains(value) else {
            throw ModelError(
                "\(label): \(name) is \(value); \(range.lowerBound) to \(range.upperBound) is expected"
            )
        }
        return value
    }

    func required<Value: Comparable>(
        _ name: String,
        _ value: Value?,
        _ range: ClosedRange<Value>
    ) throws(ModelError) -> Value {
        guard let value else { throw ModelError("\(label): \"\(name)\" is missing") }
        return try self(name, value, range)
    }
}
