import JSON

/// A tool that a question offers, with what its arguments may be.
package struct Tool: Sendable, Hashable {
    package struct Parameter: Sendable, Hashable {
        package enum Kind: Sendable, Hashable {
            /// A text of at most so many characters, and at least one.
            case text(atMost: Int)
            case integer(ClosedRange<Int>)
            case oneOf([String])
        }

        package var name: String
        package var description: String
        package var kind: Kind
    }

    package var name: String
    package var description: String
    /// All of them required.
    package var parameters: [Parameter]

    /// As requests have it.
    var json: JSONValue {
        let properties = parameters.map { JSONValue.Member(name: $0.name, value: $0.schema) }
        let schema: JSONValue = [
            "type": "object", "properties": .object(properties),
            "required": .array(parameters.map { .string($0.name) }), "additionalProperties": .bool(false),
        ]
        return ["name": .string(name), "description": .string(description), "input_schema": schema]
    }

    /// Whether the arguments of a call are what the tool takes.
    /// - Parameter arguments: JSON as it came.
    package func accepts(_ arguments: String) -> Bool {
        guard let input = try? JSONDocument(Array(arguments.utf8)).root, input.kind == .object,
            let members = try? Array(input.members()), members.count == parameters.count
        else { return false }
        return parameters.allSatisfy { $0.kind.accepts(input[$0.name]) }
    }
}

extension Tool.Parameter {
    fileprivate var schema: JSONValue {
        let description = JSONValue.string(self.description)
        return switch kind {
        case .text(let most):
            ["type": "string", "description": description, "minLength": 1, "maxLength": .integer(most)]
        case .integer(let range):
            [
                "type": "integer", "description": description, "minimum": .integer(range.lowerBound),
                "maximum": .integer(range.upperBound),
            ]
        case .oneOf(let words):
            ["type": "string", "description": description, "enum": .array(words.map(JSONValue.string))]
        }
    }
}

extension Tool.Parameter.Kind {
    fileprivate func accepts(_ value: JSONNode) -> Bool {
        switch self {
        case .text(let most): (try? value.string()).map { (1...most).contains($0.unicodeScalars.count) } ?? false
        case .integer(let range): (try? value.int(in: range)) != nil
        case .oneOf(let words): (try? value.string(oneOf: words)) != nil
        }
    }
}
