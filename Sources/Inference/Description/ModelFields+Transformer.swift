import ModelFiles

/// The fields that most families share.
extension TransformerDescription {
    /// What the reference implementation takes for sizes that config.json leaves out; a GGUF file has all of them.
    struct Defaults {
        var hiddenSize: Int?
        var layerCount: Int?
        var headCount: Int?
        var kvHeadCount: Int?
        var headSize: Int?
        var vocabularySize: Int?
        var contextLength: Int?
        var normEpsilon: Double? = 1e-6
        var tiesEmbeddings = false
    }

    /// A description without layers and rotary positions.
    /// - Parameter heads: if they are not where most files have them.
    init(
        _ fields: ModelFields,
        _ defaults: Defaults = Defaults(),
        heads: AttentionHeads? = nil
    ) throws(ModelError) {
        guard try fields.isCausal else {
            throw fields.error("use_bidirectional_attention", "is not supported; only false is")
        }
        // GGUF files of some families have it by the name of norms that also subtract the mean.
        let epsilon = try fields.optionalDouble(gguf: "attention.layer_norm_epsilon", 1e-12...1)
        let defaults = fields.isGGUF ? Defaults(normEpsilon: epsilon) : defaults
        hiddenSize = try fields.int(
            "hidden_size",
            gguf: "embedding_length",
            1...(1 << 20),
            default: defaults.hiddenSize
        )
        self.heads =
            if let heads { heads } else { try AttentionHeads(fields, hiddenSize: hiddenSize, defaults) }
        normEpsilon = Float(
            try fields.double(
                "rms_norm_eps",
                gguf: "attention.layer_norm_rms_epsilon",
                1e-12...1,
                default: defaults.normEpsilon
            )
        )
        contextLength = try fields.int(
            "max_position_embeddings",
            gguf: "context_length",
            1...(1 << 24),
            default: defaults.contextLength
        )
        let rows = 1...(1 << 24)
        if let gguf = fields.gguf {
            vocabularySize = try gguf.rows()
            guard rows.contains(vocabularySize) else {
                let expected = "\(rows.lowerBound) to \(rows.upperBound) are expected"
                throw ModelError("\(gguf.path): tensor token_embd.weight: has \(vocabularySize) rows; \(expected)")
            }
            tiesEmbeddings = !gguf.hasTensor("output.weight")
        } else {
            vocabularySize = try fields.int("vocab_size", rows, default: defaults.vocabularySize)
            tiesEmbeddings = try fields.optionalBool("tie_word_embeddings") ?? defaults.tiesEmbeddings
        }
    }
}

extension AttentionHeads {
    fileprivate init(
        _ fields: ModelFields,
        hiddenSize: Int,
        _ defaults: TransformerDescription.Defaults
    ) throws(ModelError) {
        count = try fields.int(
            "num_attention_heads",
            gguf: "attention.head_count",
            1...65_536,
            default: defaults.headCount
        )
        let (name, key) = ("num_key_value_heads", "attention.head_count_kv")
        // A GGUF file may have a number for each layer, 0 for those without attention.
        let ofLayers = Set(fields.integers(gguf: key) ?? []).subtracting([0])
        if ofLayers.count == 1, let number = ofLayers.first, 1...count ~= number {
            kvCount = number
        } else {
            kvCount = try fields.int(name, gguf: key, 1...count, default: defaults.kvHeadCount ?? count)
        }
        let sizes = 1...65_536
        let (sizeName, sizeKey) = ("head_dim", "attention.key_length")
        let given = try fields.optionalInt(sizeName, gguf: sizeKey, sizes) ?? defaults.headSize
        guard given != nil || hiddenSize % count == 0 else {
            throw fields.error(
                "hidden_size",
                gguf: "embedding_length",
                "is \(hiddenSize); a multiple of \(count) heads is expected"
            )
        }
        size = try fields.int(sizeName, gguf: sizeKey, sizes, default: given ?? hiddenSize / count)
        try check(fields, name, gguf: key)
        let valueKey = "attention.value_length"
        guard try fields.int(gguf: valueKey, sizes, default: size) == size else {
            throw fields.error(gguf: valueKey, "is not \(size), the size of keys, which is expected")
        }
    }

    /// - Throws: `ModelError`, naming the field of `kvCount`, if that is no divisor of `count`.
    func check(_ fields: ModelFields, _ name: String, gguf key: String) throws(ModelError) {
        guard count % kvCount == 0 else {
            let message = "is \(kvCount); a divisor of the number of heads, \(count), is expected"
            throw fields.error(name, gguf: key, message)
        }
    }
}

extension ModelFields {
    /// Whether a token of a text never sees a later one.
    fileprivate var isCausal: Bool {
        get throws(ModelError) {
            let name = "use_bidirectional_attention"
            // Gemma 4 says whose tokens do: "vision" is those of one picture.
            if let whose = try? optionalString(name) { return whose == "vision" }
            return try optionalBool(name) != true
        }
    }

    /// Without the layers that predict several tokens at a time, which GGUF files count as well.
    func layerCount(default value: Int? = nil) throws(ModelError) -> Int {
        let count = try int("num_hidden_layers", gguf: "block_count", 1...4096, default: isGGUF ? nil : value)
        return count - (try int(gguf: "nextn_predict_layers", 0...(count - 1), default: 0))
    }

    /// A flag for each of `count` layers, in GGUF metadata: a list, of numbers in some files, which counts layers that predict
    /// several tokens at a time as well, or one for all; nil if there is none.
    /// - Throws: `ModelError` if there are more or fewer, or they are something else.
    func layerFlags(gguf key: String, count: Int) throws(ModelError) -> [Bool]? {
        var list = flags(gguf: key)
        if list == nil, let numbers = integers(gguf: key) {
            if let number = numbers.first(where: { !(0...1).contains($0) }) {
                throw error(gguf: key, "has \(number); 0 or 1 is expected")
            }
            list = numbers.map { $0 == 1 }
        }
        guard let list else {
            return try optionalBool(gguf: key).map { [Bool](repeating: $0, count: count) }
        }
        let whole = try int("num_hidden_layers", gguf: "block_count", 1...4096)
        guard list.count == whole || list.count == count else {
            throw error(gguf: key, "has \(list.count) elements; \(whole) are expected")
        }
        return Array(list.prefix(count))
    }

    /// Whether there is a draft head.
    /// - Parameter count: how many layers it has where config.json leaves them out.
    func hasDraftHead(_ name: String, default count: Int = 0) throws(ModelError) -> Bool {
        try int(name, gguf: "nextn_predict_layers", 0...64, default: isGGUF ? 0 : count) > 0
    }

    /// A feed-forward network of `intermediate_size` with the activation that a field names.
    func dense(
        size: Int? = nil,
        activation field: String = "hidden_act",
        default name: String = "silu",
        bias: BiasPresence = .none
    ) throws(ModelError) -> DenseDescription {
        DenseDescription(
            size: try int("intermediate_size", gguf: "feed_forward_length", 1...(1 << 22), default: size),
            activation: try activation(field, default: name),
            bias: bias
        )
    }

    func activation(_ field: String, default name: String) throws(ModelError) -> Activation {
        switch try optionalString(field) ?? name {
        case "silu", "swish": return .silu
        case "gelu_pytorch_tanh", "gelu_new": return .geluTanh
        case let name:
            throw error(field, "\"\(name)\" is not supported; \"silu\" and \"gelu_pytorch_tanh\" are")
        }
    }

    /// Biases that a flag of config.json switches on or off; where it is left out, the tensors tell.
    func bias(_ name: String) throws(ModelError) -> BiasPresence {
        switch try optionalBool(name) {
        case nil: .optional
        case true?: .required
        case false?: .none
        }
    }

    /// A number that multiplies or divides.
    func scale(_ name: String, gguf key: String? = nil, default value: Double? = 1) throws(ModelError) -> Float {
        Float(try double(name, gguf: key, 1e-6...1e9, default: value))
    }

    /// A soft cap; null is none.
    func softCap(_ name: String, ifAbsent absent: Double? = nil) throws(ModelError) -> Float? {
        try optionalDouble(name, gguf: name, 1e-6...1e9, ifAbsent: absent).map { Float($0) }
    }

    /// How many positions the layers with a window see; nil: there are none. GGUF has 0 for that.
    func slidingWindow(ifAbsent absent: Int? = nil) throws(ModelError) -> Int? {
        let least = isGGUF ? 0 : 1
        let size = try optionalInt(
            "sliding_window",
            gguf: "attention.sliding_window",
            least...(1 << 30),
            ifAbsent: absent
        )
        return size == 0 ? nil : size
    }

    /// The window of each layer; nil: it sees all positions.
    /// - Parameters:
    ///   - size: of those that have one.
    ///   - rule: whether a layer has one where config.json does not list `layer_types`.
    func windows(layerCount: Int, size: Int?, where rule: (Int) -> Bool) throws(ModelError) -> [Int?] {
        let hasWindow = try layers(are: "sliding_attention", or: "full_attention", count: layerCount)
        return (0..<layerCount).map { hasWindow?[$0] ?? rule($0) ? size : nil }
    }

    /// Whether each layer is of the first of two types, from a list of config.json; nil if it has none.
    /// - Throws: `ModelError` if the list has not one of the two for each layer.
    func layers(
        are type: String,
        or other: String,
        count: Int,
        list name: String = "layer_types"
    ) throws(ModelError) -> [Bool]? {
        guard let types = try list(name, of: String.self) else { return nil }
        guard types.count == count else {
            throw error(name, "has \(types.count) elements; \(count) are expected")
        }
        if let strange = types.first(where: { $0 != type && $0 != other }) {
            throw error(name, "\"\(strange)\" is not supported; \"\(other)\" and \"\(type)\" are")
        }
        return types.map { $0 == type }
    }

    /// The same where each layer has one but the last of every so many, unless the file says otherwise.
    /// - Parameter standard: how many, if the file does not say.
    func windows(layerCount: Int, size: Int?, period standard: Int) throws(ModelError) -> [Int?] {
        let (name, key) = ("sliding_window_pattern", "attention.sliding_window_pattern")
        if let flags = flags(gguf: key) {
            guard flags.count == layerCount else {
                throw error(gguf: key, "has \(flags.count) elements; \(layerCount) are expected")
            }
            return flags.map { $0 ? size : nil }
        }
        // Some files spell the pattern, beside a list of the layers.
        let isListed = try list("layer_types", of: String.self) != nil
        let period = isListed || size == nil ? standard : try int(name, gguf: key, 1...4096, default: standard)
        return try windows(layerCount: layerCount, size: size) { ($0 + 1) % period != 0 }
    }
}
