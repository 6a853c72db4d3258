/// A token that is no text, and what must follow it.
struct SpecialEdge: Equatable, Sendable {
    var token: Int32
    var target: RegexID
}

/// Tokens that are no text: derivatives by them, as by bytes.
extension RegexPool {
    /// The tokens that may come first, each with what must follow it, which matches something.
    mutating func specials(of id: RegexID) -> [SpecialEdge] {
        let all = possibleSpecials(of: id)
        guard !all.isEmpty, self[id].isDoubtful else { return all }
        return all.filter { isAlive($0.target) }
    }

    /// The same; what follows may still turn out to match nothing.
    mutating func possibleSpecials(of id: RegexID) -> [SpecialEdge] {
        guard hasSpecials, let tokens = candidates(of: id) else { return [] }
        return tokens.sorted().compactMap { token in
            let target = derivative(of: id, special: token)
            return target == Self.nothing ? nil : SpecialEdge(token: token, target: target)
        }
    }

    /// The tokens that may come first, and perhaps others; nil for any.
    private func candidates(of id: RegexID) -> Set<Int32>? {
        let node = self[id]
        switch node.kind {
        case .special: return [node.a]
        case .text: return Set(finders[Int(node.a)].tokens(node.b, node.c))
        case .sequence:
            let first = candidates(of: node.a)
            guard let first, self[node.a].isNullable else { return first }
            return candidates(of: node.b).map(first.union)
        case .union:
            var all: Set<Int32> = []
            for part in operands(of: node) {
                guard let tokens = candidates(of: part) else { return nil }
                all.formUnion(tokens)
            }
            return all
        case .intersection:
            var all: Set<Int32>?
            for part in operands(of: node) {
                guard let tokens = candidates(of: part) else { continue }
                all = all?.intersection(tokens) ?? tokens
            }
            return all
        case .complement: return nil
        case .repetition: return candidates(of: node.a)
        case .nothing, .accept, .bytes, .multiple, .content: return []
        }
    }

    private mutating func derivative(of id: RegexID, special token: Int32) -> RegexID {
        let node = self[id]
        switch node.kind {
        case .special: return node.a == token ? Self.empty : Self.nothing
        case .text: return target(of: node, MarkerFinder.symbol(of: token))
        case .sequence:
            let first = pair(derivative(of: node.a, special: token), node.b)
            return self[node.a].isNullable ? union(first, derivative(of: node.b, special: token)) : first
        case .union: return union(operands(of: node).map { derivative(of: $0, special: token) })
        case .intersection: return intersection(operands(of: node).map { derivative(of: $0, special: token) })
        case .complement: return complement(derivative(of: node.a, special: token))
        case .repetition:
            let most = node.c == RegexNode.unlimited ? node.c : node.c - 1
            return pair(derivative(of: node.a, special: token), repetition(node.a, max(0, node.b - 1), most))
        case .nothing, .accept, .bytes, .multiple, .content: return Self.nothing
        }
    }
}
