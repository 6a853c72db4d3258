import ModelFiles

/// What the families have in common some layers of which are Mamba-2's state spaces.
enum HybridLayers {
    /// What a layer is, or its mixer.
    enum Kind: CaseIterable {
        case stateSpace
        case attention
        case dense
        case experts

        /// As transformers 5 writes it, then as older ones do.
        var names: [String] {
            switch self {
            case .stateSpace: ["linear_attention", "mamba"]
            case .attention: ["full_attention", "attention"]
            case .dense: ["mlp"]
            case .experts: ["moe"]
            }
        }

        /// In `hybrid_override_pattern`.
        var letter: Character {
            switch self {
            case .stateSpace: "M"
            case .attention: "*"
            case .dense: "-"
            case .experts: "E"
            }
        }
    }

    /// The kinds of all layers, from a list of config.json or a text of a letter for each; nil if it has neither.
    /// - Parameter count: of layers; nil: as many as there are kinds.
    /// - Throws: `ModelError` if there is not one of the supported ones for each layer.
    static func kinds(
        _ fields: ModelFields,
        _ supported: [Kind],
        count: Int?
    ) throws(ModelError) -> [Kind]? {
        for name in ["layer_types", "layers_block_type"] {
            guard let names = try fields.list(name, of: String.self) else { continue }
            return try kinds(fields, name, names, count: count, supported) { $0.names }
        }
        let name = "hybrid_override_pattern"
        guard let letters = try fields.optionalString(name) else { return nil }
        return try kinds(fields, name, letters.map { String($0) }, count: count, supported) { [String($0.letter)] }
    }

    private static func kinds(
        _ fields: ModelFields,
        _ name: String,
        _ found: [String],
        count: Int?,
        _ supported: [Kind],
        names: (Kind) -> [String]
    ) throws(ModelError) -> [Kind] {
        // As many as the layers that ModelFields counts.
        guard 1...4096 ~= found.count, found.count == count ?? found.count else {
            throw fields.error(
                name,
                "has \(found.count) elements; \(count.map { "\($0)" } ?? "1 to 4096") are expected"
            )
        }
        var kinds: [Kind] = []
        for element in found {
            guard let kind = supported.first(where: { names($0).contains(element) }) else {
                let known = supported.flatMap(names).sorted().map { "\"\($0)\"" }.joined(separator: ", ")
                throw fields.error(name, "\"\(element)\" is not supported; \(known) are")
            }
            kinds.append(kind)
        }
        return kinds
    }

    /// GGUF's names of a state space's tensors, for one that has the others below `path`.
    static func tensorNames(in path: String) -> [String: String] {
        [
            "ssm_in": "\(path).in_proj",
            "ssm_conv1d": "\(path).conv1d",
            "ssm_dt": "\(path).dt",
            "ssm_a": "\(path).decay_rate",
            "ssm_d": "\(path).D",
            "ssm_norm": "\(path).norm",
            "ssm_out": "\(path).out_proj",
        ]
    }

    /// The fields of config.json that describe a state space.
    struct Names {
        var headSize: String
        var groups: String
        var stateSize: String
        var taps: String
        var convolutionBias: String
        var bias: String
        // What the reference implementation takes where config.json leaves them out.
        var usualGroups: Int
        var usualStateSize: Int
    }

    /// - Parameter headSize: as config.json has it; nil in a GGUF file.
    static func stateSpace(
        _ fields: ModelFields,
        _ names: Names,
        heads: Int,
        headSize: Int?
    ) throws(ModelError) -> StateSpaceDescription {
        let (isGGUF, sizes) = (fields.isGGUF, 16...4096)
        let groups = try fields.int(
            names.groups,
            gguf: "ssm.group_count",
            1...heads,
            default: isGGUF ? nil : names.usualGroups
        )
        guard heads % groups == 0 else {
            let expected = "a divisor of the number of heads, \(heads), is expected"
            throw fields.error(names.groups, gguf: "ssm.group_count", "is \(groups); \(expected)")
        }
        let stateSize = try fields.int(
            names.stateSize,
            gguf: "ssm.state_size",
            sizes,
            default: isGGUF ? nil : names.usualStateSize
        )
        guard stateSize % 16 == 0 else {
            throw fields.error(names.stateSize, gguf: "ssm.state_size", "is \(stateSize); a multiple of 16 is expected")
        }
        return StateSpaceDescription(
            heads: heads,
            headSize: try checkedHeadSize(fields, heads: heads, headSize, names.headSize),
            stateSize: stateSize,
            groups: groups,
            taps: try fields.int(names.taps, gguf: "ssm.conv_kernel", 2...64, default: isGGUF ? nil : 4),
            convolutionBias: try fields.bias(names.convolutionBias),
            bias: try fields.bias(names.bias),
            steps: try steps(fields)
        )
    }

    private static func checkedHeadSize(
        _ fields: ModelFields,
        heads: Int,
        _ headSize: Int?,
        _ name: String
    ) throws(ModelError) -> Int {
        let key = "ssm.inner_size"
        let inner = if let headSize { headSize * heads } else { try fields.int(gguf: key, 1...(1 << 24)) }
        let size = inner / heads
        guard size * heads == inner, 16...4096 ~= size, size % 16 == 0 else {
            let expected = "heads of a multiple of 16 up to 4096 are expected"
            throw fields.error(name, gguf: key, "gives \(heads) heads, \(inner) floats in all; \(expected)")
        }
        return size
    }

    /// How far a step may go. That transformers keeps the steps of some families from being short in prompts only, by a
    /// field for training, is not followed.
    private static func steps(_ fields: ModelFields) throws(ModelError) -> ClosedRange<Float> {
        let name = "time_step_limit"
        guard let limits = try fields.list(name, of: Double.self) else { return 0 ... .infinity }
        guard limits.count == 2, limits[0] >= 0, limits[1] >= limits[0] else {
            throw fields.error(name, "is \(limits); two numbers are expected, 0 or more, in ascending order")
        }
        return Float(limits[0])...Float(limits[1])
    }
}
