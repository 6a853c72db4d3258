/// How many plain characters a lexeme surely admits.
enum PlainReach: Equatable, Sendable {
    /// Each token must be tried.
    case unknown
    /// Any so many, and then no more.
    case upTo(Int)
    /// Any number of any of them.
    case all
}

/// Finds lexemes within which every plain token is allowed, such as those in a free string.
struct PlainReachFinder: Sendable {
    /// States that a search may visit between two characters: in a free text, also the white space in markers has some.
    private static let (mostStates, mostTextStates) = (12, 80)

    private var known: [RegexID: PlainReach] = [:]
    /// Expressions of one character, by whether they match every plain one.
    private var covers: [RegexID: Bool] = [:]
    private let character: RegexID

    init(_ pool: inout RegexPool) {
        let special = ScalarSet([0...0x1F, 0x22...0x22, 0x5C...0x5C, 0x2028...0x2029])
        character = pool.utf8(special.complement)
    }

    mutating func reach(of lexeme: RegexID, _ pool: inout RegexPool) -> PlainReach {
        if let reach = known[lexeme] { return reach }
        var reach = byShape(lexeme, &pool)
        if reach == .unknown, isClosed(lexeme, &pool) { reach = .all }
        known[lexeme] = reach
        return reach
    }

    private mutating func byShape(_ id: RegexID, _ pool: inout RegexPool) -> PlainReach {
        let node = pool[id]
        switch node.kind {
        case .sequence:
            let head = pool[node.a]
            guard head.kind == .repetition, isCover(head.a, &pool) else {
                return byShape(node.a, &pool) == .all ? .all : .unknown
            }
            if head.c == RegexNode.unlimited { return .all }
            let ends = pool.edges(of: node.b)
            let isOnlyQuote = ends.allSatisfy { $0.low == RegexPool.quote && $0.high == RegexPool.quote }
            return isOnlyQuote ? .upTo(Int(head.c)) : .unknown
        case .union:
            let parts = pool.operands(of: node)
            return parts.contains { byShape($0, &pool) == .all } ? .all : .unknown
        case .intersection:
            // A free string from which only some short texts are excluded.
            let parts = pool.operands(of: node)
            let excluded = parts.filter { pool[$0].kind == .complement && pool.isFinite(pool[$0].a) }
            guard excluded.count == parts.count - 1, let rest = parts.first(where: { !excluded.contains($0) }) else {
                return .unknown
            }
            return byShape(rest, &pool) == .all ? .all : .unknown
        default: return .unknown
        }
    }

    /// Whether an expression matches every plain character, and ends with it.
    private mutating func isCover(_ id: RegexID, _ pool: inout RegexPool) -> Bool {
        if let known = covers[id] { return known }
        let result = leads(from: id, character, &pool) { $0 == RegexPool.empty }
        covers[id] = result
        return result
    }

    /// Whether every plain character leads from an expression to one that passes.
    private func leads(
        from id: RegexID,
        _ rest: RegexID,
        _ pool: inout RegexPool,
        _ passes: (RegexID) -> Bool
    ) -> Bool {
        if rest == RegexPool.empty { return passes(id) }
        let edges = pool.liveEdges(of: id)
        for needed in pool.edges(of: rest) {
            var next = Int(needed.low)
            for edge in edges where Int(edge.high) >= next && edge.low <= needed.high {
                guard Int(edge.low) <= next, leads(from: edge.target, needed.target, &pool, passes) else {
                    return false
                }
                next = Int(edge.high) + 1
                if next > Int(needed.high) { break }
            }
            guard next > Int(needed.high) else { return false }
        }
        return true
    }

    /// Whether any number of plain characters may follow, found by trying all of them from every state they lead to.
    private func isClosed(_ id: RegexID, _ pool: inout RegexPool) -> Bool {
        let edges = pool.liveEdges(of: id)
        for byte in [UInt8(ascii: "a"), UInt8(ascii: "Z"), UInt8(ascii: "0"), UInt8(ascii: " "), 0xC3, 0xE4] {
            guard edges.contains(where: { $0.low <= byte && byte <= $0.high }) else { return false }
        }
        let most = pool[id].kind == .text ? Self.mostTextStates : Self.mostStates
        var states = [id]
        var index = 0
        while index < states.count {
            let isFine = leads(from: states[index], character, &pool) { target in
                if !states.contains(target) { states.append(target) }
                return states.count <= most
            }
            guard isFine else { return false }
            index += 1
        }
        return true
    }
}

extension RegexPool {
    /// Whether an expression has no repetition without limit. Nodes are visited once each, and not too many.
    func isFinite(_ id: RegexID) -> Bool {
        var pending = [id]
        var seen: Set<RegexID> = [id]
        while let id = pending.popLast() {
            let node = self[id]
            var parts: [RegexID] = []
            switch node.kind {
            case .nothing, .accept, .bytes: break
            case .special, .multiple, .complement, .text, .content: return false
            case .sequence: parts = [node.a, node.b]
            case .union, .intersection: parts = operands(of: node)
            case .repetition:
                if node.c == RegexNode.unlimited { return false }
                parts = [node.a]
            }
            for part in parts where seen.insert(part).inserted { pending.append(part) }
            guard seen.count < 100_000 else { return false }
        }
        return true
    }
}
