/// Turns patterns into expressions over the JSON text of the strings that match them.
///
/// A quote cannot stand in the text of a string but at its ends, so `^` and `$` become the quotes themselves.
struct PatternCompiler: Sendable {
    /// Positions that an automaton of the pattern may be in at once, estimated.
    private static let mostPositions = 2_000
    /// Where sums of lengths and positions stop: products of it with a count are still integers.
    private static let mostSum = 1 << 40

    private var sets: [ScalarSet: RegexID] = [:]

    /// The JSON strings, with quotes, that a pattern matches, at any place unless it is anchored.
    /// - Throws: `PatternError` if the pattern is malformed or cannot be enforced.
    mutating func strings(matching pattern: String, _ pool: inout RegexPool) throws(PatternError) -> RegexID {
        let node = try PatternParser.parse(pattern)
        guard Self.positions(node, isFloating: !Self.isAnchored(node)) <= Self.mostPositions else {
            throw PatternError("is a pattern of too many states")
        }
        let result = try anchored(node, &pool)
        guard !pool.hasOverflowed else { throw PatternError("is a pattern of too many states") }
        return result
    }

    /// Each alternative by itself, so that the usual `^…$` needs no more than its own characters.
    private mutating func anchored(_ node: PatternNode, _ pool: inout RegexPool) throws(PatternError) -> RegexID {
        if case .alternatives(let parts) = node {
            var result: [RegexID] = []
            for part in parts { result.append(try anchored(part, &pool)) }
            return pool.union(result)
        }
        var parts = [node]
        if case .sequence(let inner) = node { parts = inner }
        if parts.count == 1, case .alternatives = parts[0] { return try anchored(parts[0], &pool) }
        var (isStart, isEnd) = (false, false)
        if case .start? = parts.first {
            isStart = true
            parts.removeFirst()
        }
        if case .end? = parts.last {
            isEnd = true
            parts.removeLast()
        }
        try Self.anchorAssertions(&parts, &isStart)
        let quote = pool.byte(RegexPool.quote)
        let any = pool.star(pool.anyCharacter())
        if Self.hasAnchorInside(parts) {
            // The anchors inside may take the place of the quotes.
            let tail = isEnd ? quote : pool.optional(pool.pair(any, quote))
            let body = try build(.sequence(parts), then: tail, &pool)
            let head = isStart ? quote : pool.optional(pool.pair(quote, any))
            let text = pool.pair(head, body)
            return pool.intersection(text, pool.quoted(any))
        }
        let tail = isEnd ? quote : pool.pair(any, quote)
        let body = try build(.sequence(parts), then: tail, &pool)
        let text = pool.sequence(quote, isStart ? RegexPool.empty : any, body)
        return parts.contains(where: \.hasAssertion) ? pool.intersection(text, pool.quoted(any)) : text
    }

    /// Takes `^` out of the assertions at the beginning of the text: it holds there.
    /// - Parameter isStart: becomes true where one demands that they stand there.
    /// - Throws: `PatternError` for a `^` in any other assertion.
    private static func anchorAssertions(_ parts: inout [PatternNode], _ isStart: inout Bool) throws(PatternError) {
        let count = parts.prefix { if case .lookahead = $0 { true } else { false } }.count
        if count < parts.count, case .start = parts[count] { isStart = true }
        for case .lookahead(let part, isNegative: false) in parts.prefix(count) where withoutStart(part) != nil {
            isStart = true
        }
        if isStart {
            for index in 0..<count {
                guard case .lookahead(let part, let isNegative) = parts[index], let rest = withoutStart(part) else {
                    continue
                }
                parts[index] = .lookahead(rest, isNegative: isNegative)
            }
            if count < parts.count {
                if case .start = parts[count] {
                    parts.remove(at: count)
                } else if case .alternatives(let others) = parts[count] {
                    parts[count] = .alternatives(others.map { withoutStart($0) ?? $0 })
                }
            }
        }
        guard !parts.contains(where: hasStartInAssertion) else {
            throw PatternError("is a pattern with ^ in an assertion that is not at the beginning")
        }
    }

    /// The same behind the `^` that it begins with; nil if it begins otherwise.
    private static func withoutStart(_ node: PatternNode) -> PatternNode? {
        switch node {
        case .start: return .sequence([])
        case .sequence(let parts):
            guard let first = parts.first, let rest = withoutStart(first) else { return nil }
            return .sequence([rest] + parts.dropFirst())
        case .alternatives(let parts):
            let rests = parts.compactMap(withoutStart)
            return rests.count == parts.count ? .alternatives(rests) : nil
        default: return nil
        }
    }

    private static func hasStartInAssertion(_ node: PatternNode) -> Bool { hasStart(node, isInside: false) }

    private static func hasStart(_ node: PatternNode, isInside: Bool) -> Bool {
        switch node {
        case .start: isInside
        case .set, .end: false
        case .lookahead(let part, _): hasStart(part, isInside: true)
        case .sequence(let parts), .alternatives(let parts): parts.contains { hasStart($0, isInside: isInside) }
        case .repetition(let part, _, _): hasStart(part, isInside: isInside)
        }
    }

    private static func isAnchored(_ node: PatternNode) -> Bool {
        switch node {
        case .start: true
        case .sequence(let parts): parts.first.map(isAnchored) ?? false
        case .alternatives(let parts): parts.allSatisfy(isAnchored)
        default: false
        }
    }

    private static func hasAnchorInside(_ parts: [PatternNode]) -> Bool {
        parts.contains {
            switch $0 {
            case .set, .lookahead: false
            case .start, .end: true
            case .sequence(let inner), .alternatives(let inner): hasAnchorInside(inner)
            case .repetition(let inner, _, _): hasAnchorInside([inner])
            }
        }
    }

    /// A pattern with what follows it, which lookahead has to know.
    private mutating func build(
        _ node: PatternNode,
        then rest: RegexID,
        _ pool: inout RegexPool
    ) throws(PatternError) -> RegexID {
        switch node {
        case .set(let set):
            let characters = sets[set] ?? pool.character(in: set)
            sets[set] = characters
            return pool.pair(characters, rest)
        case .sequence(let parts):
            var rest = rest
            for part in parts.reversed() { rest = try build(part, then: rest, &pool) }
            return rest
        case .alternatives(let parts):
            var results: [RegexID] = []
            let isAsserting = node.hasAssertion
            for part in parts {
                results.append(try build(part, then: isAsserting ? rest : RegexPool.empty, &pool))
            }
            let all = pool.union(results)
            return isAsserting ? all : pool.pair(all, rest)
        case .repetition(let part, let least, let most):
            if part.hasAssertion {
                guard least == 0, most == 1 else { throw PatternError("is a pattern that repeats an assertion") }
                return pool.union(try build(part, then: rest, &pool), rest)
            }
            let once = try build(part, then: RegexPool.empty, &pool)
            return pool.pair(pool.repetition(once, least, most ?? RegexNode.unlimited), rest)
        case .start, .end: return pool.pair(pool.byte(RegexPool.quote), rest)
        case .lookahead(let part, let isNegative):
            let ahead = try build(part, then: RegexPool.everything, &pool)
            return pool.intersection(isNegative ? pool.complement(ahead) : ahead, rest)
        }
    }

    /// How many positions may be possible at once. Where a part may begin at several places at once, each of its counts is
    /// a position.
    private static func positions(_ node: PatternNode, isFloating: Bool) -> Int {
        switch node {
        case .set, .start, .end: return 1
        case .sequence(let parts):
            var (sum, isFloating) = (1, isFloating)
            for part in parts {
                sum = min(sum + positions(part, isFloating: isFloating), mostSum)
                isFloating = isFloating || length(part) == nil
            }
            return sum
        case .alternatives(let parts):
            return parts.reduce(1) { min($0 + positions($1, isFloating: isFloating), mostSum) }
        case .lookahead(let part, _): return positions(part, isFloating: isFloating)
        case .repetition(let part, let least, let most):
            let isFloating = isFloating || length(part) == nil
            let inner = positions(part, isFloating: isFloating)
            let count = Int(most ?? least)
            guard isFloating, count > 1 else { return inner }
            return min(inner * count, mostSum)
        }
    }

    /// The number of characters of every text that a pattern matches, if there is one.
    private static func length(_ node: PatternNode) -> Int? {
        switch node {
        case .set: return 1
        case .start, .end, .lookahead: return 0
        case .sequence(let parts):
            var sum = 0
            for part in parts {
                guard let length = length(part) else { return nil }
                sum = min(sum + length, mostSum)
            }
            return sum
        case .alternatives(let parts):
            let lengths = parts.map(length)
            return lengths.allSatisfy { $0 == lengths[0] } ? lengths[0] : nil
        case .repetition(let part, let least, let most):
            guard least == most, let length = length(part) else { return nil }
            return min(length * Int(least), mostSum)
        }
    }
}
