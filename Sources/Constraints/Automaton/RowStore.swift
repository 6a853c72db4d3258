/// Where one byte leads from a lexeme.
struct LexemeStep: Equatable, Sendable {
    /// The expression that the rest must match, times four, with a bit for a tag and one for an end; 0 where no text of
    /// the lexeme goes on so.
    var bits: Int32

    static let dead = LexemeStep(bits: 0)

    init(bits: Int32) { self.bits = bits }

    init(_ lexeme: RegexID, _ node: RegexNode) {
        bits = lexeme << 2 | (node.isNullable ? 1 : 0) | (node.kind == .accept ? 2 : 0)
    }

    var isDead: Bool { bits == 0 }
    /// Whether the lexeme may end here.
    var isTagged: Bool { bits & 1 != 0 }
    /// Whether it cannot go on.
    var isFinal: Bool { bits & 2 != 0 }
    var lexeme: RegexID { bits >> 2 }
}

/// For lexemes that texts or masks have come to: a row of 256 steps.
struct RowStore: Sendable {
    /// 1 KB each.
    static let mostRows = 12_000

    /// Where a lexeme's row begins in `steps`; -1 if it has none.
    private(set) var offsets: [Int32] = []
    private(set) var steps: [Int32] = []

    var approximateBytes: Int { offsets.capacity * 4 + steps.capacity * 4 }
    var isFull: Bool { steps.count >= Self.mostRows * 256 }

    mutating func removeAll() {
        offsets = []
        steps = []
    }

    mutating func step(_ lexeme: RegexID, _ byte: UInt8, _ pool: inout RegexPool) -> LexemeStep {
        LexemeStep(bits: steps[offset(lexeme, &pool) + Int(byte)])
    }

    /// The row of a lexeme, which is made if it is missing.
    mutating func offset(_ lexeme: RegexID, _ pool: inout RegexPool) -> Int {
        let index = Int(lexeme)
        if index < offsets.count, offsets[index] >= 0 { return Int(offsets[index]) }
        let edges = pool.liveEdges(of: lexeme)
        if offsets.count < pool.nodes.count {
            offsets += repeatElement(-1, count: max(pool.nodes.count - offsets.count, offsets.count / 2))
        }
        let offset = steps.count
        steps += repeatElement(0, count: 256)
        for edge in edges {
            let bits = LexemeStep(edge.target, pool[edge.target]).bits
            for byte in Int(edge.low)...Int(edge.high) { steps[offset + byte] = bits }
        }
        offsets[index] = Int32(offset)
        return offset
    }
}
