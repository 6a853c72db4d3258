/// Header fields in the order of arrival; names are case-insensitive, repeated fields are kept.
package struct Headers: Sendable, ExpressibleByDictionaryLiteral {
    private(set) var fields: [(name: String, value: String)] = []

    package init() {}

    package init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { (name: $0.0, value: $0.1) }
    }

    package var count: Int { fields.count }

    /// The value of the first field of that name.
    package subscript(first name: String) -> String? {
        fields.first { Headers.equal($0.name, name) }?.value
    }

    /// The values of all fields of that name, in order.
    package func values(_ name: String) -> [String] {
        fields.filter { Headers.equal($0.name, name) }.map(\.value)
    }

    /// Appends a field, also if there are others of the same name.
    package mutating func add(_ name: String, _ value: String) {
        fields.append((name: name, value: value))
    }

    /// Replaces all fields of that name with one.
    package mutating func set(_ name: String, _ value: String) {
        remove(name)
        add(name, value)
    }

    package mutating func remove(_ name: String) {
        fields.removeAll { Headers.equal($0.name, name) }
    }

    /// Whether a comma-separated list field contains `token`.
    func lists(_ token: String, in name: String) -> Bool {
        values(name).contains { value in
            value.utf8.split(separator: UInt8(ascii: ",")).contains { item in
                Headers.equal(Substring(item).utf8.trimmed, token.utf8)
            }
        }
    }

    static func equal(_ left: String, _ right: String) -> Bool {
        equal(left.utf8, right.utf8)
    }

    /// ASCII equality, ignoring case.
    static func equal(_ left: some Sequence<UInt8>, _ right: some Sequence<UInt8>) -> Bool {
        left.elementsEqual(right) { $0.asciiLowercased == $1.asciiLowercased }
    }
}

extension UInt8 {
    var asciiLowercased: UInt8 {
        self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self | 0x20 : self
    }

    var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
}

extension BidirectionalCollection where Element == UInt8 {
    /// The bytes without leading and trailing blanks and tabs.
    var trimmed: SubSequence {
        var rest = self[...]
        while let first = rest.first, first.isBlank { rest = rest.dropFirst() }
        while let last = rest.last, last.isBlank { rest = rest.dropLast() }
        return rest
    }
}

extension Headers: Equatable {
    package static func == (left: Headers, right: Headers) -> Bool {
        left.fields.elementsEqual(right.fields) { equal($0.name, $1.name) && $0.value == $1.value }
    }
}
