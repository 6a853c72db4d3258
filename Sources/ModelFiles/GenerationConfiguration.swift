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
        let fields = try decodeJSON(GenerationFields.self, from: file, label: label)
        self.label = label
        eosTokens = Set(fields.eos_token_id?.values ?? [])
        temperature = number("temperature", fields.temperature, Self.temperatures)
        topK = count("top_k", fields.top_k)
        topP = number("top_p", fields.top_p, Self.shares)
        minP = number("min_p", fields.min_p, Self.shares)
        repetitionPenalty = number("repetition_penalty", fields.repetition_penalty, Self.penalties)
        samples = flag("do_sample", fields.do_sample)
    }

    // MARK: GGUF

    private mutating func read(_ model: GGUFModel) {
        label = "\(model.path): metadata"
        func field(_ name: String) -> (String, GenerationFields.Field?) {
            let key = "general.sampling." + name
            return (key, model.metadata[key].map { $0.number.map(GenerationFields.Field.number) ?? .other })
        }
        func number(_ name: String, _ range: ClosedRange<Double>) -> Double? {
            let (key, value) = field(name)
            return self.number(key, value, range)
        }
        temperature = number("temp", Self.temperatures)
        let (key, value) = field("top_k")
        topK = count(key, value)
        topP = number("top_p", Self.shares)
        minP = number("min_p", Self.shares)
        // How far back the penalty looks: 0 turns it off. Here it looks at everything, whatever else is said.
        if model.metadata["general.sampling.penalty_last_n"]?.integer != 0 {
            repetitionPenalty = number("penalty_repeat", Self.penalties)
        }
    }

    // MARK: Values

    private mutating func number(
        _ name: String,
        _ field: GenerationFields.Field?,
        _ range: ClosedRange<Double>
    ) -> Double? {
        switch field {
        case nil, .null: return nil
        case .number(let value) where range.contains(value): return value
        case .number(let value): warn(name, "is \(value); \(range.lowerBound) to \(range.upperBound) is expected")
        case .flag, .other: warn(name, "is not a number")
        }
        return nil
    }

    /// How many of the most probable tokens to keep; other programs write -1 for all, and numbers beyond any vocabulary.
    private mutating func count(_ name: String, _ field: GenerationFields.Field?) -> Int? {
        switch field {
        case nil, .null: return nil
        case .number(let value) where value == -1: return 0
        case .number(let value) where value == value.rounded() && 0...1e9 ~= value: return Int(value)
        case .number(let value): warn(name, "is \(value); a whole number from 0 is expected")
        case .flag, .other: warn(name, "is not a number")
        }
        return nil
    }

    private mutating func flag(_ name: String, _ field: GenerationFields.Field?) -> Bool? {
        switch field {
        case nil, .null: return nil
        case .flag(let value): return value
        case .number, .other: warn(name, "is neither true nor false")
        }
        return nil
    }

    private mutating func warn(_ name: String, _ what: String) {
        warnings.append("\(label ?? "generation_config.json"): \(name) \(what); it is ignored")
    }
}

/// The fields of `generation_config.json` that are read.
struct GenerationFields: Decodable {
    var eos_token_id: OneOrMany?
    var temperature: Field?
    var top_k: Field?
    var top_p: Field?
    var min_p: Field?
    var repetition_penalty: Field?
    var do_sample: Field?

    /// A value of any kind.
    enum Field: Decodable {
        case null
        case number(Double)
        case flag(Bool)
        case other

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                self = .other
            }
        }
    }
}

/// A number or a list of numbers.
struct OneOrMany: Decodable {
    let values: [Int]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let one = try? container.decode(Int.self) {
            values = [one]
        } else {
            values = try container.decode([Int].self)
        }
    }
}
