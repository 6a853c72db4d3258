package import JSON

/// The named fields of a model's configuration: `config.json`, or the metadata of a GGUF file.
///
/// A field is asked for by its name in `config.json` and, after `gguf:`, by its key below the architecture's name in GGUF
/// metadata; one without a key is absent in GGUF files, and one without a name in `config.json`. No value leaves without
/// a check of its kind and range.
package struct ModelFields: Sendable {
    private enum Storage: Sendable {
        /// The language model's object, and the whole file's: a model of several parts has the first in the second, and
        /// few fields may stand in either, as `found` says.
        case json(JSONNode, whole: JSONNode)
        case gguf(GGUFModel)
    }

    /// Many times what a configuration takes.
    package static let limits = JSONLimits(bytes: 1 << 20, allowsPythonNumbers: true)
    /// Several times the layers of any model.
    private static let maxElements = 65_536

    /// How messages name the file.
    package let label: String
    private let storage: Storage
    /// What comes before the names of fields: `rope_scaling.` or nothing; `llama.` or `llama.rope.scaling.` in GGUF.
    private let prefix: String

    private init(_ storage: Storage, label: String, prefix: String) {
        self.storage = storage
        self.label = label
        self.prefix = prefix
    }

    /// - Throws: `ModelError` if there is no configuration, or it is not one JSON object.
    package init(source: ModelSource) throws(ModelError) {
        if case .gguf(let model) = source {
            let architecture = try model.value("general.architecture", "a text", \.text)
            self.init(.gguf(model), label: model.path, prefix: architecture + ".")
            return
        }
        let label = source.label("config.json")
        let file = try source.requiredFile("config.json")
        let storage = try file.json(Self.limits, label: label) { (root) throws(JSONError) in
            // The language model of a model of several parts.
            Storage.json(try root["text_config"].nullable ?? root, whole: root)
        }
        self.init(storage, label: label, prefix: "")
    }

    /// The GGUF file that the fields are of; nil for `config.json`.
    package var gguf: GGUFModel? {
        guard case .gguf(let model) = storage else { return nil }
        return model
    }

    package var isGGUF: Bool { gguf != nil }

    /// The name of the model's family in this form of file: `model_type` or `general.architecture`.
    /// - Throws: `ModelError` if it is missing.
    package var architecture: String {
        get throws(ModelError) {
            if isGGUF { return String(prefix.dropLast()) }
            return try required(optionalString("model_type"), "model_type", nil)
        }
    }

    /// The name of the family of the language model of a model of several parts, where its object has one.
    /// - Throws: `ModelError` if it is no text.
    package var textArchitecture: String? {
        get throws(ModelError) {
            guard case .json(let part, _) = storage else { return nil }
            return try nested(part, "text_config").optionalString("model_type")
        }
    }

    /// The fields of an object; nil if it is absent or null. In GGUF, those whose keys continue `key`.
    /// - Throws: `ModelError` if something else stands in its place.
    package func object(_ name: String, gguf key: String? = nil) throws(ModelError) -> ModelFields? {
        guard let node = try node(name) else {
            guard isGGUF, let key else { return nil }
            return ModelFields(storage, label: label, prefix: "\(prefix)\(key).")
        }
        guard node.kind == .object else { throw error(name, "is not an object") }
        return nested(node, name)
    }

    private func nested(_ object: JSONNode, _ name: String) -> ModelFields {
        ModelFields(.json(object, whole: object), label: label, prefix: "\(prefix)\(name).")
    }

    /// A member of an object whose names say what they are of.
    package enum Member {
        case no
        case object(ModelFields)
        case other
    }

    /// The members of an object of `config.json`, of which only some kinds are of interest.
    package var members: [(name: String, value: Member)] {
        guard case .json(let part, _) = storage, let members = try? part.members() else { return [] }
        return members.map { member in
            switch member.value.kind {
            case .bool: (member.name, (try? member.value.bool()) == false ? .no : .other)
            case .object: (member.name, .object(nested(member.value, member.name)))
            default: (member.name, .other)
            }
        }
    }

    // MARK: Values

    /// A whole number in a range.
    /// - Parameter value: what a field stands for that is absent or null, checked as well; nil if it must be there.
    /// - Throws: `ModelError` if it is missing, of another kind, or out of range.
    package func int(
        _ name: String? = nil,
        gguf key: String? = nil,
        _ range: ClosedRange<Int>,
        default value: Int? = nil
    ) throws(ModelError) -> Int {
        try required(inRange(name, key, range, default: value), name, key)
    }

    /// A whole number in a range, if there is one.
    /// - Parameter absent: what a field stands for that is absent, where null stands for none.
    /// - Throws: `ModelError` if it is of another kind or out of range.
    package func optionalInt(
        _ name: String? = nil,
        gguf key: String? = nil,
        _ range: ClosedRange<Int>,
        ifAbsent absent: Int? = nil
    ) throws(ModelError) -> Int? {
        if let value = try inRange(name, key, range) { return value }
        return try isNull(name) ? nil : absent
    }

    /// As `int`, of any number.
    package func double(
        _ name: String? = nil,
        gguf key: String? = nil,
        _ range: ClosedRange<Double>,
        default value: Double? = nil
    ) throws(ModelError) -> Double {
        try required(inRange(name, key, range, default: value), name, key)
    }

    /// As `optionalInt`, of any number.
    package func optionalDouble(
        _ name: String? = nil,
        gguf key: String? = nil,
        _ range: ClosedRange<Double>,
        ifAbsent absent: Double? = nil
    ) throws(ModelError) -> Double? {
        if let value = try inRange(name, key, range) { return value }
        return try isNull(name) ? nil : absent
    }

    /// - Throws: `ModelError` if it is neither true nor false.
    package func optionalBool(_ name: String? = nil, gguf key: String? = nil) throws(ModelError) -> Bool? {
        try value(name, key)
    }

    /// - Throws: `ModelError` if it is no text.
    package func optionalString(_ name: String? = nil, gguf key: String? = nil) throws(ModelError) -> String? {
        try value(name, key)
    }

    /// A list of `config.json`, if there is one.
    /// - Throws: `ModelError` if it is something else, an element is, or there are too many.
    package func list<Element: FieldValue>(_ name: String, of type: Element.Type) throws(ModelError) -> [Element]? {
        guard let node = try node(name) else { return nil }
        do {
            var list: [Element] = []
            for element in try node.elements(atMost: Self.maxElements) { list.append(try Element.read(element)) }
            return list
        } catch {
            throw ModelError("\(label): \(error)")
        }
    }

    /// A list of whole numbers in GGUF metadata; nil if there is none, or one number in its place.
    package func integers(gguf key: String) -> [Int]? { gguf?.metadata[prefix + key]?.integers }

    /// The same of flags.
    package func flags(gguf key: String) -> [Bool]? { gguf?.metadata[prefix + key]?.flags }

    /// A whole number for each of `count` layers: GGUF files have a list of them, or one for all.
    /// - Throws: `ModelError` if there are more or fewer, one is out of range, or it is missing.
    package func ints(
        gguf key: String,
        _ range: ClosedRange<Int>,
        count: Int
    ) throws(ModelError) -> [Int] {
        guard let list = integers(gguf: key) else {
            return [Int](repeating: try int(gguf: key, range), count: count)
        }
        guard list.count == count else {
            throw error(gguf: key, "has \(list.count) elements; \(count) are expected")
        }
        if let value = list.first(where: { !range.contains($0) }) {
            throw error(gguf: key, "has \(value); \(range.lowerBound) to \(range.upperBound) is expected")
        }
        return list
    }

    /// The tokens that end an answer, as `config.json` names them: one or several.
    /// - Throws: `ModelError` if they are no whole numbers.
    package func eosTokens() throws(ModelError) -> Set<Int> {
        guard let node = try node("eos_token_id") else { return [] }
        if node.kind == .array { return Set(try list("eos_token_id", of: Int.self) ?? []) }
        return [try int("eos_token_id", .min ... .max)]
    }

    // MARK: Reading

    /// The value of `config.json`; nil if it is absent or null, or the file is another.
    /// - Throws: `ModelError` if what should hold it is no object.
    func node(_ name: String) throws(ModelError) -> JSONNode? {
        guard let found = try found(name), found.kind != .null else { return nil }
        return found
    }

    /// The same, but null is a value where no other is found.
    private func found(_ name: String) throws(ModelError) -> JSONNode? {
        guard case .json(let part, let whole) = storage else { return nil }
        let objects =
            switch name {
            case "model_type": [whole]
            case "eos_token_id", "quantization", "quantization_config": [whole, part]
            case "vocab_size", "tie_word_embeddings": [part, whole]
            default: [part]
            }
        do {
            var null: JSONNode?
            for object in objects {
                guard let node = try object[name].optional else { continue }
                if node.kind != .null { return node }
                null = node
            }
            return null
        } catch {
            throw ModelError("\(label): \(error)")
        }
    }

    /// Whether `config.json` says null, which in some fields differs from saying nothing.
    private func isNull(_ name: String?) throws(ModelError) -> Bool {
        guard let name, let found = try found(name) else { return false }
        return found.kind == .null
    }

    /// The value in either form of file; nil if it is absent or null.
    private func value<Value: FieldValue>(_ name: String?, _ key: String?) throws(ModelError) -> Value? {
        if let gguf {
            guard let key, let found = gguf.metadata[prefix + key] else { return nil }
            guard let value = Value.read(found) else { throw error(gguf: key, "is not \(Value.kind)") }
            return value
        }
        guard let name, let node = try node(name) else { return nil }
        do {
            return try Value.read(node)
        } catch {
            throw ModelError("\(label): \(error)")
        }
    }

    private func inRange<Value: FieldValue & Comparable>(
        _ name: String?,
        _ key: String?,
        _ range: ClosedRange<Value>,
        default standard: Value? = nil
    ) throws(ModelError) -> Value? {
        guard let value = try value(name, key) ?? standard else { return nil }
        guard range.contains(value) else {
            let expected = "\(range.lowerBound) to \(range.upperBound) is expected"
            throw error(name, gguf: key, "is \(value); \(expected)")
        }
        return value
    }

    private func required<Value>(_ value: Value?, _ name: String?, _ key: String?) throws(ModelError) -> Value {
        guard let value else { throw error(name, gguf: key, "is missing") }
        return value
    }

    /// An error that names the file and the field before the message: "config.json: head_dim is 7; …".
    package func error(_ name: String? = nil, gguf key: String? = nil, _ message: String) -> ModelError {
        let field = isGGUF ? key.map { "metadata \(prefix)\($0)" } ?? name : name.map { prefix + $0 } ?? key
        return ModelError("\(label): \(field ?? "") \(message)")
    }
}

/// A value that a field can have, as each form of file has it.
package protocol FieldValue {
    static var kind: String { get }
    static func read(_ node: JSONNode) throws(JSONError) -> Self
    static func read(_ value: GGUFValue) -> Self?
}

extension Int: FieldValue {
    package static var kind: String { "a whole number, the same in all layers" }
    package static func read(_ node: JSONNode) throws(JSONError) -> Int {
        // Some files have 4096.0 or 1e5.
        if node.kind == .number, let whole = Int(exactly: try node.double()) { return whole }
        return try node.int()
    }

    /// GGUF files may have a number for each layer.
    package static func read(_ value: GGUFValue) -> Int? {
        if let integer = value.integer { return integer }
        guard let all = value.integers, let first = all.first, all.allSatisfy({ $0 == first }) else { return nil }
        return first
    }
}

extension Double: FieldValue {
    package static var kind: String { "a number" }
    /// transformers writes an infinity as `{"__float__": "Infinity"}`.
    package static func read(_ node: JSONNode) throws(JSONError) -> Double {
        guard node.kind == .object, try node["__float__"].optional?.string() == "Infinity" else {
            return try node.double()
        }
        return .infinity
    }
    package static func read(_ value: GGUFValue) -> Double? { value.number }
}

extension Bool: FieldValue {
    package static var kind: String { "true or false" }
    package static func read(_ node: JSONNode) throws(JSONError) -> Bool { try node.bool() }
    package static func read(_ value: GGUFValue) -> Bool? { value.flag }
}

extension String: FieldValue {
    package static var kind: String { "a text" }
    package static func read(_ node: JSONNode) throws(JSONError) -> String { try node.string() }
    package static func read(_ value: GGUFValue) -> String? { value.text }
}
