import JSON

/// The nodes of a schema's document, and what its references name.
struct SchemaDocument {
    let root: JSONNode
    private var nodes: [Int: JSONNode] = [:]
    private var targets: [String: JSONNode] = [:]
    private var index: Index?
    /// What pointers have led through: many references go through one list of definitions.
    private var members: [Int: [[UInt8]: JSONNode]] = [:]
    private var elements: [Int: [JSONNode]] = [:]

    /// Bounds the search for identifiers.
    private static let mostNodes = 1_000_000

    private struct Index {
        var identifiers: [String: JSONNode] = [:]
        var anchors: [String: JSONNode] = [:]
        /// Whether subschemas have identifiers of their own, against which references within them would resolve.
        var hasNestedResources = false
    }

    init(_ root: JSONNode) { self.root = root }

    mutating func atom(_ node: JSONNode, _ kind: SchemaAtom.Kind = .schema) -> SchemaAtom {
        nodes[node.offset] = node
        return SchemaAtom(kind: kind, offset: node.offset)
    }

    /// The node of an atom that was made here; the root for `never`.
    func node(_ atom: SchemaAtom) -> JSONNode { nodes[atom.offset] ?? root }

    /// The schema that a reference names.
    /// - Throws: `SchemaError` if there is none in the document.
    mutating func target(of reference: JSONNode) throws(SchemaError) -> JSONNode {
        guard let text = try? reference.string() else { throw SchemaError(.malformed, reference, "is no string") }
        if let known = targets[text] { return known }
        if index == nil { index = makeIndex() }
        guard let found = resolve(text) else {
            throw SchemaError(.unsupported, reference, "refers to a schema that is not in the document")
        }
        targets[text] = found
        return found
    }

    private mutating func resolve(_ text: String) -> JSONNode? {
        guard let index else { return nil }
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let address = String(parts.first ?? "")
        let fragment = parts.count > 1 ? String(parts[1]) : ""
        var base = root
        if !address.isEmpty {
            guard let resource = index.identifiers[address] else { return nil }
            base = resource
        } else if index.hasNestedResources {
            return nil
        }
        if fragment.isEmpty { return base }
        guard fragment.hasPrefix("/") else { return address.isEmpty ? index.anchors[fragment] : nil }
        return follow(fragment, from: base)
    }

    /// A JSON Pointer within a fragment.
    private mutating func follow(_ pointer: String, from base: JSONNode) -> JSONNode? {
        var node = base
        for part in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            var name = Self.decoded(part)
            if name.utf8.contains(UInt8(ascii: "~")) {
                name = name.replacing("~1", with: "/").replacing("~0", with: "~")
            }
            guard let child = child(of: node, name) else { return nil }
            node = child
        }
        return node.kind == .object || node.kind == .bool ? node : nil
    }

    private mutating func child(of node: JSONNode, _ name: String) -> JSONNode? {
        switch node.kind {
        case .object:
            if members[node.offset] == nil {
                var table: [[UInt8]: JSONNode] = [:]
                // Of members with one name the last counts.
                for member in (try? node.members()).map(Array.init) ?? [] { table[member.nameBytes] = member.value }
                members[node.offset] = table
            }
            return members[node.offset]?[Array(name.utf8)]
        case .array:
            if elements[node.offset] == nil { elements[node.offset] = (try? node.elements()).map(Array.init) ?? [] }
            guard let place = Int(name), let list = elements[node.offset], list.indices.contains(place) else {
                return nil
            }
            return list[place]
        default: return nil
        }
    }

    private static func decoded(_ part: Substring) -> String {
        guard part.utf8.contains(UInt8(ascii: "%")) else { return String(part) }
        var bytes: [UInt8] = []
        var rest = Array(part.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Identifiers

    /// Values of these keywords are no schemas.
    private static let opaque: Set<String> = ["enum", "const", "default", "examples", "example"]
    /// Values of these keywords map names to schemas.
    private static let maps: Set<String> = [
        "properties", "patternProperties", "definitions", "$defs", "dependentSchemas", "dependencies",
    ]

    private func makeIndex() -> Index {
        var index = Index()
        var pending: [(node: JSONNode, isSchema: Bool)] = [(root, true)]
        var count = 0
        while let (node, isSchema) = pending.popLast(), count < Self.mostNodes {
            count += 1
            if let elements = try? node.elements() {
                pending += elements.map { ($0, isSchema) }
            } else if let members = try? node.members() {
                for member in members {
                    let name = member.name
                    if isSchema { note(name, member.value, of: node, in: &index) }
                    if isSchema, Self.opaque.contains(name) { continue }
                    pending.append((member.value, !isSchema || !Self.maps.contains(name)))
                }
            }
        }
        return index
    }

    private func note(_ name: String, _ value: JSONNode, of node: JSONNode, in index: inout Index) {
        guard name == "$id" || name == "id" || name == "$anchor", let text = try? value.string() else { return }
        if name == "$anchor" {
            index.anchors[text] = node
        } else if text.hasPrefix("#") {
            index.anchors[String(text.dropFirst())] = node
        } else {
            let address = text.hasSuffix("#") ? String(text.dropLast()) : text
            index.identifiers[address] = node
            // `id` is a name of old drafts and of many other things: it makes a resource only if it looks like an address.
            if node.offset != root.offset, name == "$id" || address.contains("://") { index.hasNestedResources = true }
        }
    }
}
