import JSON

extension APIError {
    /// What is wrong with a request's body, and where: `messages.2.content.1.text: Input should be a valid string`.
    init(_ error: JSONError) {
        let path = error.path
        func placed(_ message: String) -> String { path.isEmpty ? message : "\(path): \(message)" }
        switch error.problem {
        case .syntax(let what, let byte):
            self = .invalidRequest("the request body is not valid JSON: \(what) at byte \(byte)")
        case .tooLong(let most): self = .invalidRequest("the request body is longer than \(most) bytes")
        case .notA(.object) where path.isEmpty: self = .invalidRequest("the request body must be a JSON object")
        case .missing: self = .invalidRequest(placed("Field required"))
        case .notA(.object): self = .invalidRequest(placed("Input should be an object"))
        case .notA(let kind): self = .invalidRequest(placed("Input should be a valid \(Self.name(kind))"))
        case .belowMinimum(let minimum):
            self = .invalidRequest(placed("Input should be greater than or equal to \(minimum)"))
        case .aboveMaximum(let maximum):
            self = .invalidRequest(placed("Input should be less than or equal to \(maximum)"))
        case .notOneOf(let words):
            let list = words.map { "'\($0)'" }.joined(separator: ", ")
            self = .invalidRequest(placed("Input should be \(list)"))
        case .tooMany(let most): self = .invalidRequest(placed("List should have at most \(most) items"))
        case .custom(let message, let logged):
            self = .invalidRequest(placed(message), logged: logged.map(placed))
        }
    }

    private static func name(_ kind: JSONKind) -> String {
        switch kind {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

extension JSONNode {
    func nonEmptyString() throws(JSONError) -> String {
        let text = try string()
        guard !text.isEmpty else { throw error("String should have at least 1 character") }
        return text
    }

    func checkObject() throws(JSONError) { _ = try members() }
}
