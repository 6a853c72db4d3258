/// A regular expression as instructions for `PatternMatcher`.
struct PatternProgram: Sendable {
    enum Instruction: Sendable {
        /// This character.
        case character(UInt32)
        /// One character of a set.
        case scalar(set: Int)
        /// A number of characters of a set.
        case run(set: Int, PatternNode.Repetition)
        /// Continues at `first`; if that fails, at `second`.
        case fork(first: Int, second: Int)
        case jump(Int)
        /// What follows up to an `accept` must, or must not, match here, or `back` characters before. Then on at `next`.
        case look(back: Int, isNegated: Bool, next: Int)
        /// What follows up to an `accept` must match, in the first way it does. Then on at `next`.
        case atomic(next: Int)
        case anchor(PatternNode.Anchor)
        case accept
    }

    /// Bounds to the work and memory that a hostile pattern can ask for.
    private static let longest = 20_000
    private static let mostSets = 500
    /// The most bits of memory that a byte of a text may take (see `PatternMemo`); published patterns take 1,000.
    private static let mostMemory = 8192

    private(set) var instructions: [Instruction] = []
    private(set) var sets: [ScalarSet] = []
    /// For the first instruction and each that a fork leads to: the bytes that a match from there may begin with.
    private(set) var firstBytes: [ByteSet] = []
    /// For each fork in a look-around or in what is atomic, where the innermost one's `accept` is; -1 for all others.
    private(set) var innerEnds: [Int] = []
    private var known: [ScalarRanges: Int] = [:]
    private var ranges: [ScalarRanges] = []

    init(_ node: PatternNode) throws(PatternError) {
        try add(node)
        try emit(.accept)
        firstBytes = [ByteSet](repeating: .all, count: instructions.count)
        firstBytes[0] = firstBytes(from: 0)
        innerEnds = [Int](repeating: -1, count: instructions.count)
        for (index, instruction) in instructions.enumerated() {
            switch instruction {
            // What is further in is marked later, so that it has its own end.
            case .look(_, _, let next), .atomic(let next): markForks(from: index + 1, to: next - 1)
            default: break
            }
        }
        guard memoryPerByte <= Self.mostMemory else {
            throw PatternError("too many repetitions and alternatives: it would take too much memory")
        }
        for case .fork(let first, let second) in instructions {
            firstBytes[first] = firstBytes(from: first)
            firstBytes[second] = firstBytes(from: second)
        }
    }

    /// The bits that `PatternMemo` may take for each byte of a text.
    private var memoryPerByte: Int {
        zip(instructions, innerEnds).reduce(0) { sum, next in
            switch next.0 {
            case .run: sum + 2 * Int32.bitWidth
            case .fork: sum + 1 + (next.1 >= 0 ? Int32.bitWidth : 0)
            default: sum
            }
        }
    }

    private mutating func markForks(from start: Int, to end: Int) {
        for index in start..<end { if case .fork = instructions[index] { innerEnds[index] = end } }
    }

    private mutating func emit(_ instruction: Instruction) throws(PatternError) {
        guard instructions.count < Self.longest else {
            throw PatternError("too long once its repetitions are unfolded")
        }
        instructions.append(instruction)
    }

    private mutating func index(of set: ScalarRanges) throws(PatternError) -> Int {
        if let index = known[set] { return index }
        guard sets.count < Self.mostSets else { throw PatternError("too many different sets of characters") }
        known[set] = sets.count
        sets.append(ScalarSet(set))
        ranges.append(set)
        return sets.count - 1
    }

    private mutating func add(_ node: PatternNode) throws(PatternError) {
        switch node {
        case .scalar(let set):
            if let scalar = set.only { try emit(.character(scalar)) } else { try emit(.scalar(set: index(of: set))) }
        case .sequence(let parts): for part in parts { try add(part) }
        case .alternatives(let parts): try add(alternatives: parts[...])
        case .repeated(.scalar(let set), let repetition): try emit(.run(set: index(of: set), repetition))
        case .repeated(let body, let repetition): try add(body, repetition)
        case .look(let body, let isBehind, let isNegated):
            let start = instructions.count
            try emit(.accept)
            try add(body)
            try emit(.accept)
            let back = isBehind ? body.fixedLength ?? 0 : 0
            instructions[start] = .look(back: back, isNegated: isNegated, next: instructions.count)
        case .atomic(let body): try add(atomic: body)
        case .anchor(let anchor): try emit(.anchor(anchor))
        }
    }

    private mutating func add(atomic body: PatternNode) throws(PatternError) {
        let start = instructions.count
        try emit(.accept)
        try add(body)
        try emit(.accept)
        instructions[start] = .atomic(next: instructions.count)
    }

    private mutating func add(alternatives parts: ArraySlice<PatternNode>) throws(PatternError) {
        var ends: [Int] = []
        for (index, part) in zip(parts.indices, parts) {
            guard index < parts.endIndex - 1 else {
                try add(part)
                break
            }
            let fork = instructions.count
            try emit(.accept)
            try add(part)
            ends.append(instructions.count)
            try emit(.accept)
            instructions[fork] = .fork(first: fork + 1, second: instructions.count)
        }
        for end in ends { instructions[end] = .jump(instructions.count) }
    }

    private mutating func add(_ body: PatternNode, _ repetition: PatternNode.Repetition) throws(PatternError) {
        guard repetition.mode != .possessive else {
            var greedy = repetition
            greedy.mode = .greedy
            return try add(atomic: .repeated(body, greedy))
        }
        for _ in 0..<repetition.least { try add(body) }
        let isGreedy = repetition.mode == .greedy
        if repetition.most == .max {
            let loop = instructions.count
            try emit(.accept)
            try add(body)
            try emit(.jump(loop))
            instructions[loop] = Self.fork(into: loop + 1, past: instructions.count, isGreedy)
        } else {
            var forks: [Int] = []
            for _ in repetition.least..<repetition.most {
                forks.append(instructions.count)
                try emit(.accept)
                try add(body)
            }
            for fork in forks { instructions[fork] = Self.fork(into: fork + 1, past: instructions.count, isGreedy) }
        }
    }

    private static func fork(into body: Int, past end: Int, _ isGreedy: Bool) -> Instruction {
        isGreedy ? .fork(first: body, second: end) : .fork(first: end, second: body)
    }
}

/// A set of bytes, and whether nothing at all is in it too.
struct ByteSet: Sendable {
    private var low: (UInt64, UInt64) = (0, 0)
    private var high: (UInt64, UInt64) = (0, 0)
    private(set) var hasEnd = false

    init() {}

    static let all: ByteSet = {
        var set = ByteSet()
        set.low = (.max, .max)
        set.high = (.max, .max)
        set.hasEnd = true
        return set
    }()

    /// The bytes that the characters of a set begin with.
    init(beginning set: ScalarRanges) {
        for range in set.ranges {
            let leads = Self.lead(range.lowerBound)...Self.lead(range.upperBound - 1)
            for byte in leads where byte & 0xC0 != 0x80 { insert(byte) }
        }
    }

    private static func lead(_ scalar: UInt32) -> UInt8 {
        switch scalar {
        case ..<0x80: UInt8(truncatingIfNeeded: scalar)
        case ..<0x800: 0xC0 | UInt8(truncatingIfNeeded: scalar >> 6)
        case ..<0x10000: 0xE0 | UInt8(truncatingIfNeeded: scalar >> 12)
        default: 0xF0 | UInt8(truncatingIfNeeded: scalar >> 18)
        }
    }

    private mutating func insert(_ byte: UInt8) {
        let bit: UInt64 = 1 << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: low.0 |= bit
        case 1: low.1 |= bit
        case 2: high.0 |= bit
        default: high.1 |= bit
        }
    }

    mutating func formUnion(_ other: ByteSet) {
        low = (low.0 | other.low.0, low.1 | other.low.1)
        high = (high.0 | other.high.0, high.1 | other.high.1)
        hasEnd = hasEnd || other.hasEnd
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let half = byte < 128 ? low : high
        return (byte & 64 == 0 ? half.0 : half.1) >> UInt64(byte & 63) & 1 == 1
    }
}

extension PatternProgram {
    /// How many instructions are looked at to find what may come first; past them anything may.
    private static let farthest = 200

    /// What bytes the rest of the program from `start` may begin with.
    private func firstBytes(from start: Int) -> ByteSet {
        var seen: Set<Int> = []
        var pending = [start]
        var result = ByteSet()
        while let index = pending.popLast() {
            guard seen.insert(index).inserted else { continue }
            guard seen.count < Self.farthest else { return .all }
            switch instructions[index] {
            case .character(let scalar): result.formUnion(ByteSet(beginning: ScalarRanges(scalar)))
            case .scalar(let set): result.formUnion(ByteSet(beginning: ranges[set]))
            case .run(let set, let repetition):
                result.formUnion(ByteSet(beginning: ranges[set]))
                if repetition.least == 0 { pending.append(index + 1) }
            case .fork(let first, let second): pending += [first, second]
            case .jump(let next): pending.append(next)
            // A look-around only narrows the set: without it the set is larger, which is safe.
            case .look(_, _, let next): pending.append(next)
            case .atomic, .anchor: pending.append(index + 1)
            case .accept: return .all
            }
        }
        return result
    }
}
