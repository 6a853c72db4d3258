import JSON

/// Finds the paths of many places of a schema, for which it is read once.
struct SchemaPaths {
    /// Names longer than this are cut.
    private static let longestName = 100

    /// The places that are still to be found, in the order of the text.
    private var rest: ArraySlice<Int>
    private var paths: [String] = []

    /// The paths of the values at some offsets within a schema, in the order of the text.
    static func paths(of offsets: Set<Int>, in schema: JSONNode) -> [String] {
        if offsets.isEmpty { return [] }
        var search = SchemaPaths(rest: offsets.sorted()[...])
        search.visit(schema, schema.error("").path)
        return search.paths
    }

    private init(rest: ArraySlice<Int>) { self.rest = rest }

    private mutating func visit(_ node: JSONNode, _ path: String) {
        while let next = rest.first, next <= node.offset {
            if next == node.offset { paths.append(path) }
            rest.removeFirst()
        }
        let end = node.source.endIndex
        let start = path.isEmpty ? "" : path + "."
        if let elements = try? node.elements() {
            for (index, element) in elements.enumerated() {
                guard let next = rest.first, next < end else { return }
                if next < element.source.endIndex { visit(element, start + String(index)) }
            }
        } else if let members = try? node.members() {
            for member in members {
                guard let next = rest.first, next < end else { return }
                let value = member.value
                if next < value.source.endIndex { visit(value, start + String(member.name.prefix(Self.longestName))) }
            }
        }
    }
}
