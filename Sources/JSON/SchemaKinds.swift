/// The kinds of JSON that the members of an object may be, by its schema. Asked where a call's syntax writes strings without
/// quotes: what may be written, and what is read of it, both go by these.
package struct SchemaKinds: Sendable {
    package enum Kind: String, Sendable, CaseIterable { case string, number, bool, null, object, array }

    private static let deepest = 8
    private static let mostAlternatives = 64
    /// Places of the schema that are looked at for one parameter.
    private static let mostPlaces = 1000

    private let schema: JSONNode?

    package init(_ schema: JSONNode?) { self.schema = schema }

    /// The kinds of a member; nil if its schema does not say.
    package func kinds(of parameter: String) -> Set<Kind>? {
        guard let schema, let properties = try? schema["properties"].optional,
            let property = try? properties[parameter].optional
        else { return nil }
        var places = Self.mostPlaces
        return kinds(of: property, &places)
    }

    /// The same of a member's schema, as a part of this one.
    /// - Parameter places: how many places of schemas may be looked at in all; nil is the answer where they do not suffice.
    package func kinds(of member: JSONNode, _ places: inout Int) -> Set<Kind>? {
        var own = min(places, Self.mostPlaces)
        let before = own
        defer { places -= before - max(0, own) }
        return kinds(member, depth: 0, &own)
    }

    /// - Parameter places: how many more may be looked at.
    private func kinds(_ node: JSONNode, depth: Int, _ places: inout Int) -> Set<Kind>? {
        places -= 1
        guard depth < Self.deepest, places >= 0, node.kind == .object else { return nil }
        if let type = try? node["type"].optional {
            let names = (try? [type.string()]) ?? (try? type.strings(atMost: Self.mostAlternatives)) ?? []
            let kinds = Set(names.compactMap(Self.kind))
            return kinds.isEmpty ? nil : kinds
        }
        if let value = try? node["const"].optional { return [Self.kind(of: value)] }
        if let values = try? node["enum"].elements() {
            return Set(values.map(Self.kind(of:)))
        }
        for name in ["anyOf", "oneOf"] {
            guard let alternatives = try? node[name].elements(atMost: Self.mostAlternatives) else { continue }
            var all: Set<Kind> = []
            for alternative in alternatives {
                guard let kinds = kinds(alternative, depth: depth + 1, &places) else { return nil }
                all.formUnion(kinds)
            }
            return all.isEmpty ? nil : all
        }
        if let parts = try? node["allOf"].elements(atMost: Self.mostAlternatives) {
            for part in parts {
                if let kinds = kinds(part, depth: depth + 1, &places) { return kinds }
            }
            return nil
        }
        if let target = (try? node["$ref"].string()).flatMap(resolve) {
            return kinds(target, depth: depth + 1, &places)
        }
        return nil
    }

    /// What a reference within the schema names, such as `#/$defs/Place`.
    private func resolve(_ reference: String) -> JSONNode? {
        guard let schema, reference.hasPrefix("#") else { return nil }
        var node = schema
        for part in reference.dropFirst().split(separator: "/").prefix(16) {
            let name = String(part).replacing("~1", with: "/").replacing("~0", with: "~")
            guard let next = try? node[name].optional else { return nil }
            node = next
        }
        return node
    }

    private static func kind(_ type: String) -> Kind? {
        switch type {
        case "integer": .number
        case "boolean": .bool
        default: Kind(rawValue: type)
        }
    }

    package static func kind(of value: JSONNode) -> Kind {
        switch value.kind {
        case .null: .null
        case .bool: .bool
        case .integer, .number: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }
}
