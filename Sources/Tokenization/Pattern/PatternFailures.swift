/// What `PatternMatcher` found to lead nowhere.
struct PatternFailures {
    /// In bytes.
    private static let longestCharacter = 4

    private var forks: PlaceSet
    private var runs: [Int: Run] = [:]

    private struct Run {
        /// The ends tried in vain, as far as they lie side by side.
        var failed: ClosedRange<Int>?
        /// Where it was scanned last, from one place to the end.
        var scan: ClosedRange<Int>?
    }

    init(start: Int, end: Int) { forks = PlaceSet(start: start, end: end) }

    func contains(_ fork: Int, _ position: Int) -> Bool { forks.contains(fork, position) }

    mutating func insert(_ fork: Int, _ position: Int) { forks.insert(fork, position) }

    /// The ends of a run that were tried in vain.
    func stretch(_ run: Int) -> ClosedRange<Int>? { runs[run]?.failed }

    /// - Parameter next: the place after the end that was tried.
    mutating func insert(_ run: Int, run position: Int, next: Int) {
        var stretch = position...position
        if let known = runs[run]?.failed {
            if known.contains(position) { return }
            if next == known.lowerBound {
                stretch = position...known.upperBound
            } else if position > known.upperBound, position - known.upperBound <= Self.longestCharacter {
                stretch = known.lowerBound...position
            }
        }
        runs[run, default: Run()].failed = stretch
    }

    func scan(_ run: Int) -> ClosedRange<Int>? { runs[run]?.scan }

    mutating func noteScan(_ run: Int, _ stretch: ClosedRange<Int>) { runs[run, default: Run()].scan = stretch }
}

/// Pairs of an instruction and a place in a text, a bit for each; instructions with none take no memory.
struct PlaceSet {
    private let start: Int
    private let end: Int
    private var bits: [[UInt64]] = []

    init(start: Int, end: Int) {
        self.start = start
        self.end = end
    }

    func contains(_ instruction: Int, _ position: Int) -> Bool {
        guard instruction < bits.count, !bits[instruction].isEmpty else { return false }
        let place = position - start
        return bits[instruction][place >> 6] >> UInt64(place & 63) & 1 == 1
    }

    mutating func insert(_ instruction: Int, _ position: Int) {
        while bits.count <= instruction { bits.append([]) }
        if bits[instruction].isEmpty { bits[instruction] = [UInt64](repeating: 0, count: (end - start) >> 6 + 1) }
        let place = position - start
        bits[instruction][place >> 6] |= 1 << UInt64(place & 63)
    }
}
