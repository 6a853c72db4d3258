/// The lexemes between values: punctuation, white space and keys.
///
/// White space is bounded everywhere: none, one space, or a line end with the indentation of its depth, so that a model that
/// repeats itself cannot go on with spaces.
struct Punctuation: Sendable {
    private struct Key: Hashable {
        var rule: Int32
        var position: Int32
        var count: Int32
        /// How deep the values may be.
        var height: Int32
        var layout: SchemaOptions.Layout
        /// Of the indentation, where there is some.
        var depth: Int32
        var isFirst: Bool
        /// Whether the value has ended itself.
        var isEnded = false
        var isArray: Bool
    }

    /// What one level is indented by: so many spaces, or a tab.
    private static let indentations: [Int32] = [0, 2, 3, 4]

    private var known: [Key: RegexID] = [:]

    // MARK: Objects

    /// What may follow the brace or a value of an object: a key, or the closing brace.
    mutating func object(
        _ rules: GrammarRules,
        _ frame: Frame,
        _ used: [UInt64],
        isFirst: Bool,
        isEnded: Bool,
        height: Int32,
        _ pool: inout RegexPool
    ) -> RegexID {
        let key = Key(
            rule: frame.rule,
            position: frame.position,
            count: frame.count,
            height: height,
            layout: frame.layout,
            depth: Self.indentedDepth(frame),
            isFirst: isFirst,
            isEnded: isEnded,
            isArray: false
        )
        if let lexeme = known[key] { return lexeme }
        let rule = rules.objects[Int(frame.rule)]
        let keys = PossibleKeys(rule, rules.values, frame, used, height)
        if let writing = rule.writing {
            let writing = rules.writings[Int(writing)]
            let lexeme = Self.written(keys, rule, rules.values, writing, frame.layout, height, isFirst, isEnded, &pool)
            known[key] = lexeme
            return lexeme
        }
        var parts: [RegexID] = []
        let depth = frame.depth
        if isFirst {
            parts.append(Self.keys(keys, rule, frame.layout, &pool))
            if frame.layout == .free || frame.layout == .lines {
                parts.append(pool.pair(Self.line(depth, &pool), Self.keys(keys, rule, .lines, &pool)))
            }
        } else {
            let following = Self.keys(keys, rule, frame.layout, &pool)
            parts.append(pool.pair(Self.comma(frame.layout, depth, &pool), following))
        }
        if keys.canClose {
            let close = pool.pair(pool.byte(UInt8(ascii: "}")), pool.accept(Tags.close))
            parts.append(pool.pair(Self.optionalLine(frame.layout, frame.depth - 1, &pool), close))
        }
        let all = pool.union(parts)
        let lexeme = isFirst ? pool.pair(pool.byte(UInt8(ascii: "{")), all) : all
        known[key] = lexeme
        return lexeme
    }

    /// The same for an object that is not written as JSON.
    private static func written(
        _ keys: PossibleKeys,
        _ rule: ObjectRule,
        _ values: [ValueRule],
        _ writing: ObjectWriting,
        _ layout: SchemaOptions.Layout,
        _ height: Int32,
        _ isFirst: Bool,
        _ isEnded: Bool,
        _ pool: inout RegexPool
    ) -> RegexID {
        var following: [RegexID] = []
        for index in keys.members {
            let member = rule.members[index]
            let tag = pool.accept(Tags.key(index, layout))
            let end = pool.pair(writing.otherKeyEnd ?? writing.keyEnd, tag)
            if values[Int(member.value)].height <= height { following.append(pool.literal(member.key, then: end)) }
            if let text = member.text, values[Int(text)].height <= height {
                // A layout that the object has not tells that it is a string, which has none.
                let end = pool.pair(writing.keyEnd, pool.accept(Tags.key(index, .lines)))
                following.append(pool.literal(member.key, then: end))
            }
        }
        for index in keys.regions {
            let tag = pool.accept(Tags.key(rule.members.count + index, layout))
            following.append(pool.sequence(rule.regions[index].keys, writing.otherKeyEnd ?? writing.keyEnd, tag))
        }
        let next = pool.pair(writing.keyStart, pool.union(following))
        var parts = [isFirst ? next : pool.pair(writing.separator, next)]
        if keys.canClose { parts.append(pool.pair(writing.close, pool.accept(Tags.close))) }
        let before = isFirst ? writing.open : isEnded ? RegexPool.empty : writing.valueEnd
        return pool.pair(before, pool.union(parts))
    }

    private static func keys(
        _ keys: PossibleKeys,
        _ rule: ObjectRule,
        _ layout: SchemaOptions.Layout,
        _ pool: inout RegexPool
    ) -> RegexID {
        var parts: [RegexID] = []
        for index in keys.members {
            let tail = colon(index, layout, &pool)
            parts.append(pool.literal(rule.members[index].key, then: tail))
        }
        for index in keys.regions {
            let tail = colon(rule.members.count + index, layout, &pool)
            parts.append(pool.pair(rule.regions[index].keys, tail))
        }
        return pool.union(parts)
    }

    private static func colon(_ key: Int, _ layout: SchemaOptions.Layout, _ pool: inout RegexPool) -> RegexID {
        let space = pool.byte(UInt8(ascii: " "))
        let rest: RegexID
        switch layout {
        case .free:
            let spaced = pool.pair(space, pool.accept(Tags.key(key, .spaced)))
            rest = pool.union(pool.accept(Tags.key(key, .compact)), spaced)
        case .compact: rest = pool.accept(Tags.key(key, .compact))
        case .spaced: rest = pool.pair(space, pool.accept(Tags.key(key, .spaced)))
        case .lines: rest = pool.pair(pool.optional(space), pool.accept(Tags.key(key, .lines)))
        }
        return pool.pair(pool.byte(UInt8(ascii: ":")), rest)
    }

    // MARK: Arrays

    /// What may follow the bracket or an element of an array, before the next element.
    mutating func array(
        _ frame: Frame,
        isFirst: Bool,
        canGoOn: Bool,
        canClose: Bool,
        _ pool: inout RegexPool
    ) -> RegexID {
        let key = Key(
            rule: 0,
            position: canGoOn ? 1 : 0,
            count: canClose ? 1 : 0,
            height: 0,
            layout: frame.layout,
            depth: Self.indentedDepth(frame),
            isFirst: isFirst,
            isArray: true
        )
        if let lexeme = known[key] { return lexeme }
        var parts: [RegexID] = []
        if canGoOn {
            parts.append(isFirst ? Self.firstElement(frame, &pool) : Self.element(frame, &pool))
        }
        if canClose {
            let close = pool.pair(pool.byte(UInt8(ascii: "]")), pool.accept(Tags.close))
            parts.append(pool.pair(Self.optionalLine(frame.layout, frame.depth - 1, &pool), close))
        }
        let all = pool.union(parts)
        let lexeme = isFirst ? pool.pair(pool.byte(UInt8(ascii: "[")), all) : all
        known[key] = lexeme
        return lexeme
    }

    private static func firstElement(_ frame: Frame, _ pool: inout RegexPool) -> RegexID {
        let element = pool.accept(Tags.element(frame.layout))
        guard frame.layout == .free || frame.layout == .lines else { return element }
        let onLine = pool.pair(line(frame.depth, &pool), pool.accept(Tags.element(.lines)))
        return pool.union(element, onLine)
    }

    private static func element(_ frame: Frame, _ pool: inout RegexPool) -> RegexID {
        let layout = frame.layout
        guard layout == .free else {
            return pool.pair(comma(layout, frame.depth, &pool), pool.accept(Tags.element(layout)))
        }
        let spaced = pool.pair(pool.byte(UInt8(ascii: " ")), pool.accept(Tags.element(.spaced)))
        let either = pool.union(pool.accept(Tags.element(.compact)), spaced)
        return pool.pair(pool.byte(UInt8(ascii: ",")), either)
    }

    // MARK: White space

    /// A comma and what stands between it and what follows.
    private static func comma(_ layout: SchemaOptions.Layout, _ depth: Int32, _ pool: inout RegexPool) -> RegexID {
        let space = pool.byte(UInt8(ascii: " "))
        let comma = pool.byte(UInt8(ascii: ","))
        switch layout {
        case .compact: return comma
        case .spaced: return pool.pair(comma, space)
        case .free: return pool.pair(comma, pool.optional(space))
        case .lines: return pool.pair(comma, pool.union(pool.optional(space), line(depth, &pool)))
        }
    }

    private static func indentedDepth(_ frame: Frame) -> Int32 {
        frame.layout == .free || frame.layout == .lines ? frame.depth : 0
    }

    private static func line(_ depth: Int32, _ pool: inout RegexPool) -> RegexID {
        let (space, tab) = (pool.byte(UInt8(ascii: " ")), pool.byte(UInt8(ascii: "\t")))
        let spaces = indentations.map { pool.repetition(space, $0 * depth, $0 * depth) }
        return pool.pair(pool.byte(UInt8(ascii: "\n")), pool.union(spaces + [pool.repetition(tab, depth, depth)]))
    }

    private static func optionalLine(
        _ layout: SchemaOptions.Layout,
        _ depth: Int32,
        _ pool: inout RegexPool
    ) -> RegexID {
        layout == .lines ? pool.optional(line(depth, &pool)) : RegexPool.empty
    }
}

/// Which keys may come next, so that the object can still become valid.
private struct PossibleKeys {
    var members: [Int] = []
    var regions: [Int] = []
    var canClose = false

    /// - Parameter used: the members that are behind, if they come in any order.
    init(_ rule: ObjectRule, _ values: [ValueRule], _ frame: Frame, _ used: [UInt64], _ height: Int32) {
        if rule.isOrdered {
            inOrder(rule, values, frame, height)
        } else {
            inAnyOrder(rule, values, frame, used, height)
        }
    }

    private mutating func inAnyOrder(
        _ rule: ObjectRule,
        _ values: [ValueRule],
        _ frame: Frame,
        _ used: [UInt64],
        _ height: Int32
    ) {
        let left = rule.members.indices.filter { index in
            let isUsed = index / 64 < used.count && used[index / 64] >> UInt64(index % 64) & 1 != 0
            return !isUsed && GrammarRules.height(of: rule.members[index], values) <= height
        }
        let required = Int32(left.count { rule.members[$0].isRequired })
        let hasRoom = { (needed: Int32) in rule.most.map { frame.count + needed <= $0 } ?? true }
        let hasRoomForMore = hasRoom(1 + required)
        members = left.filter { hasRoomForMore || rule.members[$0].isRequired }
        if hasRoomForMore {
            regions = rule.regions.indices.filter { values[Int(rule.regions[$0].value)].height <= height }
        }
        canClose = required == 0 && frame.count >= rule.least
    }

    private mutating func inOrder(_ rule: ObjectRule, _ values: [ValueRule], _ frame: Frame, _ height: Int32) {
        let isReachable = { (value: Int32) in values[Int(value)].height <= height }
        // Reachable members and required ones behind each place.
        var (possible, required): (Int32, Int32) = (0, 0)
        var candidates: [(index: Int, possible: Int32, required: Int32)] = []
        for index in stride(from: rule.members.count - 1, through: Int(frame.position), by: -1) {
            let member = rule.members[index]
            guard GrammarRules.height(of: member, values) <= height else { continue }
            candidates.append((index, possible, required))
            possible += 1
            if member.isRequired { required += 1 }
        }
        let hasRoom = { (needed: Int32) in rule.most.map { frame.count + needed <= $0 } ?? true }
        let others = rule.regions.indices.filter { isReachable(rule.regions[$0].value) }
        let canReach = { (possible: Int32) in frame.count + possible >= rule.least || !others.isEmpty }
        for (index, possible, required) in candidates.reversed() {
            if hasRoom(1 + required), canReach(1 + possible) { members.append(index) }
            if rule.members[index].isRequired { break }
        }
        guard required == 0 else { return }
        canClose = frame.count >= rule.least
        if hasRoom(1) { regions = others }
    }
}
