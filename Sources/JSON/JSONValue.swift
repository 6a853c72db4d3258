/// A JSON value by itself: one to be written, or one that is kept when its document is gone.
///
/// Objects keep the order of their members, so that what is written is the same every time.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number without fraction and exponent; one outside `Int` is the nearest `Int`.
    case integer(Int)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])
    /// A value that is JSON already, on one line, as `JSONNode.compact` is: it is written as it stands.
    case written([UInt8])

    package struct Member: Sendable, Equatable {
        package var name: String
        package var value: JSONValue

        package init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member(name: $0.0, value: $0.1) })
    }
    package init(nilLiteral: ()) { self = .null }
}

extension JSONValue {
    /// An object without the members that are nil.
    package init(omittingNil members: KeyValuePairs<String, JSONValue?>) {
        self = .object(members.compactMap { name, value in value.map { Member(name: name, value: $0) } })
    }

    /// A string, or null.
    package static func optional(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }

    /// Copies a value out of its document; of members with one name the last.
    /// - Parameter most: how many values it may hold in all. Each takes some 50 bytes, whatever it takes in the text.
    /// - Throws: `JSONError` if the node is absent, or holds more values.
    package init(_ node: JSONNode, atMost most: Int) throws(JSONError) {
        var remaining = most
        try self.init(node, &remaining, node, most)
    }

    private init(
        _ node: JSONNode,
        _ remaining: inout Int,
        _ whole: JSONNode,
        _ most: Int
    ) throws(JSONError) {
        guard remaining > 0 else { throw whole.error(.tooMany(most: most)) }
        remaining -= 1
        switch node.kind {
        case .null where node.isPresent: self = .null
        case .null: throw node.error(.missing)
        case .bool: self = .bool(try node.bool())
        case .integer: self = .integer(try node.int())
        case .number: self = .double(try node.double())
        case .string: self = .string(try node.string())
        case .array:
            var elements: [JSONValue] = []
            for element in try node.elements() { elements.append(try JSONValue(element, &remaining, whole, most)) }
            self = .array(elements)
        case .object:
            var members: [Member] = []
            var places: [String: Int] = [:]
            for member in try node.members() {
                let value = try JSONValue(member.value, &remaining, whole, most)
                if let place = places.updateValue(members.count, forKey: member.name) {
                    places[member.name] = place
                    members[place].value = value
                } else {
                    members.append(Member(name: member.name, value: value))
                }
            }
            self = .object(members)
        }
    }
}
