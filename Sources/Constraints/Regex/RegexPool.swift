/// Regular expressions over bytes, each stored once, that are matched by taking derivatives.
///
/// The derivative of an expression by a byte is the expression that the rest of the text has to match, so expressions are
/// the states of an automaton that is built only as far as texts lead into it. A counted repetition is one node however
/// large the count, and intersection and complement cost no more than union.
///
/// Sizes are bounded: an expression that would exceed them becomes `nothing`, and `hasOverflowed` says so.
struct RegexPool: Sendable {
    /// Matches nothing.
    static let nothing: RegexID = 0
    /// Matches the empty text.
    static let empty: RegexID = 1
    /// Matches every text.
    static let everything: RegexID = 2

    /// Bounds of one pool, beside what it is given at first. A node takes about 50 bytes with its edges.
    static let mostNodes = 300_000
    private static let mostOperands = 500_000
    private var nodeBound = Self.mostNodes
    private var operandBound = Self.mostOperands
    private var room = Self.mostNodes
    private static let mostDepth = 1000

    private(set) var nodes: [RegexNode] = []
    private(set) var byteSets: [ByteSet] = []
    private(set) var divisors: [Divisor] = []
    var finders: [MarkerFinder] = []
    /// Whether any expression has tokens that are no text in it.
    var hasSpecials = false
    private var byteSetIDs: [ByteSet: Int32] = [:]
    private var operands: [RegexID] = []
    /// Open addressing over `nodes`, at most half full; -1 is a free place.
    private var table = [Int32](repeating: -1, count: 4096)
    private(set) var hasOverflowed = false

    /// What is known of each node, computed when first asked for.
    var edges = EdgeStore()
    var life: [Life] = []
    var visits = 0
    /// Expressions that most schemas need.
    var common = CommonExpressions()

    /// A number that multiples are counted in: `value` units, of which ten to the power of `decimals` make one.
    struct Divisor: Hashable, Sendable {
        var value: Int32
        var decimals: Int32
    }

    enum Life: UInt8, Sendable {
        case unknown, alive, dead, visited
    }

    init() {
        _ = intern(RegexNode(kind: .nothing), [])
        _ = intern(RegexNode(kind: .accept, tag: 0), [])
        _ = intern(RegexNode(kind: .complement, a: Self.nothing, tag: 0), [])
    }

    subscript(id: RegexID) -> RegexNode { nodes[Int(id)] }

    /// A copy: a slice of the store would make the next expression copy all of it.
    func operands(of node: RegexNode) -> [RegexID] { Array(operands[Int(node.a)..<Int(node.a + node.b)]) }

    var approximateBytes: Int {
        nodes.capacity * MemoryLayout<RegexNode>.stride + (operands.capacity + table.capacity) * 4 + life.capacity
            + edges.approximateBytes
    }

    /// How much may still be added, as a part of what could be added at first.
    var roomLeft: Double {
        if hasOverflowed { return 0 }
        let operandRoom = Self.operands(beside: room)
        return min(
            Double(nodeBound - nodes.count) / Double(room),
            Double(operandBound - operands.count) / Double(operandRoom)
        )
    }

    /// Leaves room for so many more nodes than there are.
    mutating func makeRoom(nodes count: Int) {
        room = max(1, count)
        nodeBound = nodes.count + room
        operandBound = operands.count + Self.operands(beside: room)
    }

    private static func operands(beside nodes: Int) -> Int { max(1, nodes * mostOperands / mostNodes) }

    // MARK: Making expressions

    /// The empty text, where the automaton is told `tag`.
    mutating func accept(_ tag: LexemeTag) -> RegexID { intern(RegexNode(kind: .accept, a: tag, tag: tag), []) }

    mutating func special(_ token: Int32) -> RegexID {
        hasSpecials = true
        return intern(RegexNode(kind: .special, a: token), [])
    }

    mutating func text(_ finder: Int32, node: Int32, other: Int32) -> RegexID {
        intern(RegexNode(kind: .text, a: finder, b: node, c: other), [])
    }

    mutating func bytes(_ set: ByteSet) -> RegexID {
        if set.isEmpty { return Self.nothing }
        let id: Int32
        if let known = byteSetIDs[set] {
            id = known
        } else {
            id = Int32(byteSets.count)
            byteSets.append(set)
            byteSetIDs[set] = id
        }
        return intern(RegexNode(kind: .bytes, a: id), [])
    }

    mutating func byte(_ byte: UInt8) -> RegexID { bytes(ByteSet(byte)) }

    mutating func literal(_ text: some BidirectionalCollection<UInt8>, then rest: RegexID = empty) -> RegexID {
        var result = rest
        for byte in text.reversed() { result = pair(self.byte(byte), result) }
        return result
    }

    /// A multiple of a divisor, before its first digit.
    mutating func multiple(of divisor: Divisor) -> RegexID {
        let index = divisors.firstIndex(of: divisor) ?? divisors.count
        if index == divisors.count { divisors.append(divisor) }
        return multiple(Int32(index), remainder: 0, left: -1)
    }

    mutating func multiple(_ divisor: Int32, remainder: Int32, left: Int32) -> RegexID {
        let unit = divisors[Int(divisor)]
        var rest = Int(remainder)
        for _ in 0..<max(0, left < 0 ? unit.decimals : left) { rest = rest * 10 % Int(unit.value) }
        let node = RegexNode(
            kind: .multiple,
            isDoubtful: true,
            a: divisor,
            b: remainder,
            c: left,
            tag: rest == 0 ? 0 : -1
        )
        return intern(node, [])
    }

    mutating func sequence(_ parts: RegexID...) -> RegexID { sequence(parts) }

    mutating func sequence(_ parts: [RegexID]) -> RegexID {
        var result = Self.empty
        for part in parts.reversed() { result = pair(part, result) }
        return result
    }

    /// `first`, then `second`, nested to the right so that equal texts are equal expressions.
    mutating func pair(_ first: RegexID, _ second: RegexID) -> RegexID {
        if first == Self.nothing || second == Self.nothing { return Self.nothing }
        if first == Self.empty { return second }
        if second == Self.empty { return first }
        var heads: [RegexID] = []
        var last = first
        while self[last].kind == .sequence {
            heads.append(self[last].a)
            last = self[last].b
        }
        var result = simplePair(last, second)
        for head in heads.reversed() { result = simplePair(head, result) }
        return result
    }

    private mutating func simplePair(_ first: RegexID, _ second: RegexID) -> RegexID {
        let (head, tail) = (self[first], self[second])
        var node = RegexNode(kind: .sequence, a: first, b: second)
        node.isDoubtful = head.isDoubtful || tail.isDoubtful
        let depth = max(Int(head.depth), head.isNullable ? Int(tail.depth) : 0) + 1
        guard depth <= Self.mostDepth else { return overflow() }
        node.depth = UInt16(depth)
        node.tag = head.isNullable ? tail.tag : -1
        return intern(node, [])
    }

    mutating func union(_ parts: RegexID...) -> RegexID { union(parts) }

    mutating func union(_ parts: [RegexID]) -> RegexID {
        var flat: [RegexID] = []
        var set = ByteSet.none
        for part in parts where part != Self.nothing {
            let node = self[part]
            switch node.kind {
            case .union: for operand in operands(of: node) { add(operand, &flat, &set) }
            default: add(part, &flat, &set)
            }
        }
        if !set.isEmpty { flat.append(bytes(set)) }
        let unique = Self.sortedUnique(flat)
        if unique.contains(Self.everything) { return Self.everything }
        return combined(.union, unique, none: Self.nothing)
    }

    private func add(_ part: RegexID, _ flat: inout [RegexID], _ set: inout ByteSet) {
        let node = self[part]
        if node.kind == .bytes { set = set.union(byteSets[Int(node.a)]) } else { flat.append(part) }
    }

    mutating func intersection(_ parts: RegexID...) -> RegexID { intersection(parts) }

    mutating func intersection(_ parts: [RegexID]) -> RegexID {
        var flat: [RegexID] = []
        for part in parts where part != Self.everything {
            let node = self[part]
            switch node.kind {
            case .nothing: return Self.nothing
            case .intersection: flat += operands(of: node)
            default: flat.append(part)
            }
        }
        let unique = Self.sortedUnique(flat)
        if unique.contains(Self.empty) {
            return unique.allSatisfy { self[$0].isNullable } ? Self.empty : Self.nothing
        }
        for part in unique where self[part].kind == .complement && unique.contains(self[part].a) { return Self.nothing }
        return combined(.intersection, unique, none: Self.everything)
    }

    mutating func complement(_ part: RegexID) -> RegexID {
        let node = self[part]
        if node.kind == .complement { return node.a }
        return intern(
            RegexNode(kind: .complement, isDoubtful: true, depth: node.depth, a: part, tag: node.isNullable ? -1 : 0),
            []
        )
    }

    mutating func optional(_ part: RegexID) -> RegexID { union(part, Self.empty) }
    mutating func star(_ part: RegexID) -> RegexID { repetition(part, 0, RegexNode.unlimited) }

    /// - Parameter most: `RegexNode.unlimited` for no limit.
    mutating func repetition(_ part: RegexID, _ least: Int32, _ most: Int32) -> RegexID {
        if most == 0 || part == Self.empty { return Self.empty }
        if part == Self.nothing { return least == 0 ? Self.empty : Self.nothing }
        if least == 1, most == 1 { return part }
        let node = self[part]
        if node.kind == .repetition, node.b == 0, node.c == RegexNode.unlimited { return part }
        let least = node.isNullable ? 0 : least
        return intern(
            RegexNode(
                kind: .repetition,
                isDoubtful: node.isDoubtful,
                depth: node.depth,
                a: part,
                b: least,
                c: most,
                tag: least == 0 ? 0 : -1
            ),
            []
        )
    }

    // MARK: Storing

    private static func sortedUnique(_ parts: [RegexID]) -> [RegexID] {
        if parts.count < 2 { return parts }
        var result: [RegexID] = []
        result.reserveCapacity(parts.count)
        for part in parts.sorted() where result.last != part { result.append(part) }
        return result
    }

    private mutating func combined(_ kind: RegexNode.Kind, _ parts: [RegexID], none: RegexID) -> RegexID {
        if parts.isEmpty { return none }
        if parts.count == 1 { return parts[0] }
        var node = RegexNode(kind: kind, b: Int32(parts.count))
        node.isDoubtful = kind == .intersection
        if kind == .intersection { node.tag = 0 }
        for part in parts {
            let operand = self[part]
            node.isDoubtful = node.isDoubtful || operand.isDoubtful
            node.depth = max(node.depth, operand.depth)
            node.tag = kind == .union ? max(node.tag, operand.tag) : min(node.tag, operand.tag)
        }
        return intern(node, parts)
    }

    /// Notes that a question about the pool could not be answered within its bounds.
    mutating func giveUp() { hasOverflowed = true }

    private mutating func overflow() -> RegexID {
        hasOverflowed = true
        return Self.nothing
    }

    mutating func intern(_ node: RegexNode, _ parts: [RegexID]) -> RegexID {
        var place = Int(truncatingIfNeeded: Self.hash(node, parts)) & (table.count - 1)
        while table[place] >= 0 {
            if Self.isEqual(nodes[Int(table[place])], node, parts, operands) { return table[place] }
            place = (place + 1) & (table.count - 1)
        }
        guard nodes.count < nodeBound, operands.count + parts.count <= operandBound else { return overflow() }
        var node = node
        if !parts.isEmpty {
            node.a = Int32(operands.count)
            operands += parts
        }
        let id = RegexID(nodes.count)
        table[place] = id
        nodes.append(node)
        life.append(node.kind == .nothing ? .dead : node.isDoubtful && !node.isNullable ? .unknown : .alive)
        edges.addNode()
        if nodes.count * 2 > table.count { grow() }
        return id
    }

    /// Apart from the pool, which a call in the middle of a change would copy with all its references.
    private static func isEqual(
        _ known: RegexNode,
        _ node: RegexNode,
        _ parts: [RegexID],
        _ operands: [RegexID]
    ) -> Bool {
        guard known.kind == node.kind, known.b == node.b, known.c == node.c else { return false }
        if parts.isEmpty { return known.a == node.a }
        for (index, part) in parts.enumerated() where operands[Int(known.a) + index] != part { return false }
        return true
    }

    private static func hash(_ node: RegexNode, _ parts: [RegexID]) -> UInt64 {
        var value = UInt64(node.kind.rawValue) &* 0x9E37_79B9_7F4A_7C15
        func mix(_ word: Int32) {
            value = (value ^ UInt64(UInt32(bitPattern: word))) &* 0xFF51_AFD7_ED55_8CCD
            value ^= value >> 32
        }
        if parts.isEmpty {
            mix(node.a)
            mix(node.b)
            mix(node.c)
        } else {
            for part in parts { mix(part) }
        }
        return value
    }

    private mutating func grow() {
        table = [Int32](repeating: -1, count: table.count * 2)
        for (id, node) in nodes.enumerated() {
            let parts = node.kind == .union || node.kind == .intersection ? operands(of: node) : []
            var place = Int(truncatingIfNeeded: Self.hash(node, parts)) & (table.count - 1)
            while table[place] >= 0 { place = (place + 1) & (table.count - 1) }
            table[place] = Int32(id)
        }
    }
}
