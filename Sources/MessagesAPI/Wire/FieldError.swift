/// What is wrong with a request's body, and where: `messages.2.content.1.text: Input should be a valid string`.
struct FieldError: Error, Equatable {
    /// From the outermost field inward; empty for the body itself.
    var path: String
    var message: String
    var details: JSON?
    /// What logs say in place of a message that repeats what a client sent.
    var logged: String?

    init(_ message: String, at path: String = "", details: JSON? = nil, logged: String? = nil) {
        self.path = path
        self.message = message
        self.details = details
        self.logged = logged
    }

    /// The same error, seen from one level further out.
    func under(_ component: String) -> FieldError {
        var error = self
        error.path = path.isEmpty ? component : "\(component).\(path)"
        return error
    }

    var description: String { placed(message) }
    /// The description for logs, nil if it is the same.
    var loggedDescription: String? { logged.map(placed) }

    private func placed(_ message: String) -> String { path.isEmpty ? message : "\(path): \(message)" }
}

/// Runs a check of the field `component`; its errors get the field's name in front. The path costs nothing unless there
/// is an error.
func at<Value>(
    _ component: @autoclosure () -> String,
    _ check: () throws(FieldError) -> Value
) throws(FieldError) -> Value {
    do throws(FieldError) {
        return try check()
    } catch {
        throw error.under(component())
    }
}

/// Strict readings of a value: no number for a string, no string for a number, null for nothing but null.
extension JSON {
    func string() throws(FieldError) -> String {
        guard case .string(let text) = self else { throw FieldError("Input should be a valid string") }
        return text
    }

    func nonEmptyString() throws(FieldError) -> String {
        let text = try string()
        guard !text.isEmpty else { throw FieldError("String should have at least 1 character") }
        return text
    }

    func bool() throws(FieldError) -> Bool {
        guard case .bool(let value) = self else { throw FieldError("Input should be a valid boolean") }
        return value
    }

    func integer(atLeast minimum: Int) throws(FieldError) -> Int {
        guard case .integer(let value) = self else { throw FieldError("Input should be a valid integer") }
        guard value >= minimum else { throw FieldError("Input should be greater than or equal to \(minimum)") }
        return value
    }

    /// A number from 0 to 1.
    func fraction() throws(FieldError) -> Double {
        let value: Double
        switch self {
        case .integer(let number): value = Double(number)
        case .double(let number): value = number
        default: throw FieldError("Input should be a valid number")
        }
        guard value >= 0 else { throw FieldError("Input should be greater than or equal to 0") }
        guard value <= 1 else { throw FieldError("Input should be less than or equal to 1") }
        return value
    }

    func array() throws(FieldError) -> [JSON] {
        guard case .array(let elements) = self else { throw FieldError("Input should be a valid array") }
        return elements
    }

    func checkObject() throws(FieldError) {
        guard case .object = self else { throw FieldError("Input should be an object") }
    }

    /// One of some words.
    func word(of words: [String]) throws(FieldError) -> String {
        let text = try string()
        guard words.contains(text) else {
            throw FieldError("Input should be " + words.map { "'\($0)'" }.joined(separator: ", "))
        }
        return text
    }
}

/// Members of an object.
extension JSON {
    func required<Value>(
        _ name: String,
        _ read: (JSON) throws(FieldError) -> Value
    ) throws(FieldError) -> Value {
        guard let value = self[name] else { throw FieldError("Field required", at: name) }
        return try at(name) { () throws(FieldError) in try read(value) }
    }

    func optional<Value>(
        _ name: String,
        _ read: (JSON) throws(FieldError) -> Value
    ) throws(FieldError) -> Value? {
        guard let value = self[name] else { return nil }
        return try at(name) { () throws(FieldError) in try read(value) }
    }

    /// As `optional`; null counts as absent.
    func nullable<Value>(
        _ name: String,
        _ read: (JSON) throws(FieldError) -> Value
    ) throws(FieldError) -> Value? {
        guard let value = self[name], value != .null else { return nil }
        return try at(name) { () throws(FieldError) in try read(value) }
    }
}

extension [JSON] {
    /// Reads each element; errors name its index.
    func each<Value>(_ read: (JSON) throws(FieldError) -> Value) throws(FieldError) -> [Value] {
        var result: [Value] = []
        result.reserveCapacity(count)
        for (index, element) in enumerated() {
            result.append(try at(String(index)) { () throws(FieldError) in try read(element) })
        }
        return result
    }
}
