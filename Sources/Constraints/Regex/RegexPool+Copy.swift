/// Expressions of one pool in another that began with the same.
extension RegexPool {
    /// Adds expressions of another pool, of which the first `count` are the same as here.
    /// - Returns: the names here of those that are not among the first, and of their parts.
    mutating func add(_ ids: [RegexID], of other: RegexPool, sharing count: Int) -> [RegexID: RegexID] {
        var seen = Set<RegexID>()
        var pending = ids
        while let id = pending.popLast() {
            guard Int(id) >= count, seen.insert(id).inserted else { continue }
            pending += other.parts(of: id)
        }
        var names: [RegexID: RegexID] = [:]
        // An expression is made after its parts.
        for id in seen.sorted() {
            var node = other[id]
            var operands: [RegexID] = []
            switch node.kind {
            case .nothing, .accept, .special, .multiple, .text: break
            case .bytes:
                names[id] = bytes(other.byteSets[Int(node.a)])
                continue
            case .sequence: (node.a, node.b) = (names[node.a] ?? node.a, names[node.b] ?? node.b)
            case .complement, .repetition, .content: node.a = names[node.a] ?? node.a
            case .union, .intersection: operands = other.operands(of: node).map { names[$0] ?? $0 }.sorted()
            }
            names[id] = intern(node, operands)
        }
        return names
    }

    private func parts(of id: RegexID) -> [RegexID] {
        let node = self[id]
        switch node.kind {
        case .nothing, .accept, .special, .multiple, .text, .bytes: return []
        case .sequence: return [node.a, node.b]
        case .complement, .repetition, .content: return [node.a]
        case .union, .intersection: return operands(of: node)
        }
    }
}
