/// A value of a JSON document, or the place of one that is absent.
///
/// A node costs nothing but its offset. `try body["stop_sequences"].strings()` throws an error that names the path,
/// whether the member is absent or holds something else.
package struct JSONNode: Sendable {
    private enum Absent: Sendable {
        case member(String)
        case element(Int)
    }

    let document: JSONDocument
    /// Where the value begins, which tells it from every other of the document; of an absent value, where the object or
    /// array begins that lacks it.
    package let offset: Int
    private let absent: Absent?

    init(_ document: JSONDocument, _ offset: Int) {
        self.init(document, offset, absent: nil)
    }

    private init(_ document: JSONDocument, _ offset: Int, absent: Absent?) {
        self.document = document
        self.offset = offset
        self.absent = absent
    }

    // MARK: Kinds

    /// What the value is; null for an absent one.
    package var kind: JSONKind {
        guard absent == nil else { return .null }
        switch document.text[offset] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        default: return integerValue == nil ? .number : .integer
        }
    }

    var isPresent: Bool { absent == nil }

    /// Whether the value is there and begins with this byte.
    func begins(with byte: UInt8) -> Bool { absent == nil && document.text[offset] == byte }

    /// The node, or nil if there is no such member or element. Null is a value.
    /// - Throws: `JSONError` if what should hold it is no object or array.
    package var optional: JSONNode? {
        get throws(JSONError) {
            guard let absence else { return self }
            guard absence.problem == .missing else { throw absence }
            return nil
        }
    }

    /// The node, or nil if it is absent or null.
    /// - Throws: `JSONError` if what should hold it is no object or array.
    package var nullable: JSONNode? {
        get throws(JSONError) { begins(with: UInt8(ascii: "n")) ? nil : try optional }
    }

    /// The value as it is written in the document; empty for an absent one.
    package var source: ArraySlice<UInt8> {
        absent == nil ? document.text[offset..<document.end(of: offset)] : []
    }

    // MARK: Members and elements

    /// The member of that name, the last of several.
    package subscript(name: String) -> JSONNode {
        guard absent == nil else { return self }
        var found: Int?
        if begins(with: UInt8(ascii: "{")) {
            var place = offset + 1
            while let key = document.nextValue(from: place) {
                let value = document.firstSolid(from: document.end(of: key))
                if document.isString(at: key, name) { found = value }
                place = document.end(of: value)
            }
        }
        return found.map { JSONNode(document, $0) } ?? JSONNode(document, offset, absent: .member(name))
    }

    /// An element of an array. Takes time with the index: to read all, use `elements`.
    package subscript(index: Int) -> JSONNode {
        guard absent == nil else { return self }
        if begins(with: UInt8(ascii: "[")) {
            var elements = JSONElements(document, offset)
            for _ in 0..<max(0, index) where elements.next() == nil { break }
            if index >= 0, let element = elements.next() { return element }
        }
        return JSONNode(document, offset, absent: .element(index))
    }

    /// The elements of an array.
    /// - Throws: `JSONError` if the value is no array, or has more elements.
    package func elements(atMost most: Int = .max) throws(JSONError) -> JSONElements {
        guard begins(with: UInt8(ascii: "[")) else { throw error(.notA(.array)) }
        let elements = JSONElements(document, offset)
        if most < .max, elements.hasMore(than: most) { throw error(.tooMany(most: most)) }
        return elements
    }

    /// The members of an object in their order, those with one name too.
    /// - Throws: `JSONError` if the value is no object, or has more members.
    package func members(atMost most: Int = .max) throws(JSONError) -> JSONMembers {
        guard begins(with: UInt8(ascii: "{")) else { throw error(.notA(.object)) }
        let members = JSONMembers(document, offset)
        if most < .max, members.hasMore(than: most) { throw error(.tooMany(most: most)) }
        return members
    }

    /// How many elements or members the value has, which are counted. 0 for other kinds.
    package var count: Int {
        switch kind {
        case .array: JSONElements(document, offset).reduce(0) { count, _ in count + 1 }
        case .object: JSONMembers(document, offset).reduce(0) { count, _ in count + 1 }
        default: 0
        }
    }

    // MARK: Errors

    /// An error of this value; of an absent one, that it is missing.
    package func error(_ problem: JSONError.Problem) -> JSONError { absence ?? JSONError(problem, at: self) }

    /// An error in words that follow the place: "model.vocab is empty" has the message "is empty".
    package func error(_ message: String, logged: String? = nil) -> JSONError {
        error(.custom(message, logged: logged))
    }

    /// Why an absent value cannot be read: it is missing, or what should hold it is of another kind.
    private var absence: JSONError? {
        let holder = JSONNode(document, offset)
        switch absent {
        case nil: return nil
        case .member: return holder.kind == .object ? JSONError(.missing, at: self) : holder.error(.notA(.object))
        case .element: return holder.kind == .array ? JSONError(.missing, at: self) : holder.error(.notA(.array))
        }
    }

    /// Names longer than this are cut in paths.
    private static let longestName = 100

    /// The names and indices that lead from the root to this value, found by reading the text up to it.
    var path: String {
        var path: [String] = []
        var place = document.firstSolid(from: 0)
        while place < offset, let (name, next) = child(of: JSONNode(document, place)) {
            path.append(name)
            place = next
        }
        switch absent {
        case nil: break
        case .member(let name): path.append(name)
        case .element(let index): path.append(String(index))
        }
        return path.joined(separator: ".")
    }

    /// The value of a container in which this node lies.
    private func child(of container: JSONNode) -> (name: String, offset: Int)? {
        if container.kind == .array {
            for (index, element) in JSONElements(document, container.offset).enumerated()
            where offset < document.end(of: element.offset) { return (String(index), element.offset) }
        } else {
            for member in JSONMembers(document, container.offset)
            where offset < document.end(of: member.value.offset) {
                return (String(member.name.prefix(Self.longestName)), member.value.offset)
            }
        }
        return nil
    }
}

/// Goes from value to value within an array or object; in an object from name to value to name.
private struct JSONCursor {
    let document: JSONDocument
    /// The value before the next, or the container itself.
    private var previous: Int
    private var isFirst = true

    init(_ document: JSONDocument, _ container: Int) {
        self.document = document
        previous = container
    }

    mutating func next() -> Int? {
        guard let value = document.nextValue(from: isFirst ? previous + 1 : document.end(of: previous)) else {
            return nil
        }
        (previous, isFirst) = (value, false)
        return value
    }
}

/// The elements of an array.
package struct JSONElements: Sequence, IteratorProtocol {
    private var cursor: JSONCursor

    init(_ document: JSONDocument, _ array: Int) { cursor = JSONCursor(document, array) }

    package mutating func next() -> JSONNode? { cursor.next().map { JSONNode(cursor.document, $0) } }

    func hasMore(than most: Int) -> Bool { dropFirst(most).contains { _ in true } }
}

/// A member of an object.
package struct JSONMember: Sendable {
    /// Where the name begins.
    let key: Int
    package let value: JSONNode

    package var name: String { value.document.string(at: key) }
    /// The name as UTF-8: `String` calls some names equal that differ here.
    package var nameBytes: [UInt8] { value.document.bytes(ofStringAt: key) }
}

/// The members of an object.
package struct JSONMembers: Sequence, IteratorProtocol {
    private var cursor: JSONCursor

    init(_ document: JSONDocument, _ object: Int) { cursor = JSONCursor(document, object) }

    package mutating func next() -> JSONMember? {
        guard let key = cursor.next(), let value = cursor.next() else { return nil }
        return JSONMember(key: key, value: JSONNode(cursor.document, value))
    }

    func hasMore(than most: Int) -> Bool { dropFirst(most).contains { _ in true } }
}
