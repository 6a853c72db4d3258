import JSON

/// What a model's files say about how its answers are to be sampled, and end. Nil is what they do not say.
///
/// They only recommend: a value that is no use is left out with a word about it, and the model is loaded all the same.
package struct GenerationConfiguration: Sendable, Equatable {
    /// Where it was found, as messages name it; nil if there is nothing of it.
    package var label: String?
    package var temperature: Double?
    /// 0 for all.
    package var topK: Int?
    package var topP: Double?
    package var minP: Double?
    package var repetitionPenalty: Double?
    /// Whether to sample at all; false is greedy.
    package var samples: Bool?
    /// The tokens that end an answer.
    package var eosTokens: Set<Int> = []
    /// What was left out, and why.
    package var warnings: [String] = []

    /// Nothing is said.
    package init() {}

    private static let temperatures = 0.0...100.0
    private static let shares = 0.0...1.0
    private static let penalties = 0.01...100.0

    // MARK: generation_config.json

    /// Reads `generation_config.json`, or the metadata of a GGUF file.
    /// - Throws: `ModelError` if that is malformed.
    package init(source: ModelSource) throws(ModelError) {
        if case .gguf(let model) = source {
            read(model)
            eosTokens = Set(try GGUFVocabulary(model)?.endTokens ?? [])
            return
        }
        guard let file = try source.file("generation_config.json") else { return }
        let label = source.label("generation_config.json")
        self = try file.json(ModelFields.limits, label: label) { (fields) throws(JSONError) in
            try GenerationConfiguration(fields, label: label)
        }
    }

    private init(_ fields: JSONNode, label: String) throws(JSONError) {
        self.label = label
        if let tokens = try fields["eos_token_id"].nullable {
            if tokens.kind == .array {
                for token in try tokens.elements() { eosTokens.insert(try Int.read(token)) }
            } else {
                eosTokens = [try Int.read(tokens)]
            }
        }
        func field(_ name: String) -> (String, Field?) { (name, Field(fields[name])) }
        temperature = number(field("temperature"), Self.temperatures)
        topK = count(field("top_k"))
        topP = number(field("top_p"), Self.shares)
        minP = number(field("min_p"), Self.shares)
        repetitionPenalty = number(field("repetition_penalty"), Self.penalties)
        samples = flag(field("do_sample"))
    }

    // MARK: GGUF

    private mutating func read(_ model: GGUFModel) {
        label = "\(model.path): metadata"
        func field(_ name: String) -> (String, Field?) {
            let key = "general.sampling." + name
            return (key, model.metadata[key].map { $0.number.map(Field.number) ?? .other })
        }
        temperature = number(field("temp"), Self.temperatures)
        topK = count(field("top_k"))
        topP = number(field("top_p"), Self.shares)
        minP = number(field("min_p"), Self.shares)
        // How far back the penalty looks: 0 turns it off. Here it looks at everything, whatever else is said.
        if model.metadata["general.sampling.penalty_last_n"]?.integer != 0 {
            repetitionPenalty = number(field("penalty_repeat"), Self.penalties)
        }
    }

    // MARK: Values

    /// A value of any kind.
    private enum Field {
        case number(Double)
        case flag(Bool)
        case other

        /// Nil if the node is absent or null.
        init?(_ node: JSONNode) {
            if node.kind == .null { return nil }
            if let flag = try? node.bool() {
                self = .flag(flag)
            } else if let number = try? node.double() {
                self = .number(number)
            } else {
                self = .other
            }
        }
    }

    private mutating func number(_ field: (name: String, value: Field?), _ range: ClosedRange<Double>) -> Double? {
        switch field.value {
        case nil: return nil
        case .number(let value) where range.contains(value): return value
        case .number(let value):
            warn(field.name, "is \(value); \(range.lowerBound) to \(range.upperBound) is expected")
        case .flag, .other: warn(field.name, "is not a number")
        }
        return nil
    }

    /// How many of the most probable tokens to keep; other programs write -1 for all, and numbers beyond any vocabulary.
    private mutating func count(_ field: (name: String, value: Field?)) -> Int? {
        switch field.value {
        case nil: return nil
        case .number(let value) where value == -1: return 0
        case .number(let value) where value == value.rounded() && 0...1e9 ~= value: return Int(value)
        case .number(let value): warn(field.name, "is \(value); a whole number from 0 is expected")
        case .flag, .other: warn(field.name, "is not a number")
        }
        return nil
    }

    private mutating func flag(_ field: (name: String, value: Field?)) -> Bool? {
        switch field.value {
        case nil: return nil
        case .flag(let value): return value
        case .number, .other: warn(field.name, "is neither true nor false")
        }
        return nil
    }

    private mutating func warn(_ name: String, _ what: String) {
        warnings.append("\(label ?? "generation_config.json"): \(name) \(what); it is ignored")
    }
}
