/// The results of `PatternMatcher` at the positions of a text, so that it computes nothing twice.
///
/// They depend on nothing else: whether the rest of the program matches from an instruction at a position is the same
/// however the matcher came there.
struct PatternMemo {
    /// The forks from which the rest did not match.
    var failures: PositionSet
    /// For forks inside look-arounds and atomic groups that matched: where the match ended.
    private var matches: PositionTable
    private let start: Int
    private let end: Int
    /// For each run and each of its ends that failed, the nearest end in the order of trying that may be untried: the
    /// links of a union-find. Positions count from 1, so that there is one before and one after them all.
    private var links: PositionTable
    /// For each run without limit and each position that it passes, where it ends.
    private var ends: PositionTable

    init(start: Int, end: Int) {
        failures = PositionSet(start: start, end: end)
        matches = PositionTable(count: end - start + 1)
        links = PositionTable(count: end - start + 3)
        ends = PositionTable(count: end - start + 1)
        self.start = start
        self.end = end
    }

    /// Where the match ends that was found from a fork.
    func matchEnd(_ fork: Int, at position: Int) -> Int? { matches[fork, position - start].map { $0 + start } }

    mutating func note(_ fork: Int, at position: Int, matchEnd: Int) {
        matches[fork, position - start] = matchEnd - start
    }

    /// Notes that the rest did not match from an end of a run.
    /// - Parameter next: the end that would be tried next; before the start or after the end of the text if none.
    mutating func insert(_ run: Int, failedAt position: Int, next: Int) {
        links[run, position - start + 1] = next - start + 1
    }

    /// The first end of a run that has not failed, from one on in the order of trying.
    mutating func firstUntried(_ run: Int, from position: Int) -> Int {
        let place = position - start + 1
        var root = place
        while let next = links[run, root] { root = next }
        // Path compression, so that the next search is short.
        var passed = place
        while passed != root, let next = links[run, passed] {
            links[run, passed] = root
            passed = next
        }
        return root + start - 1
    }

    /// Where a run that passes a position ends, if that is known.
    func runEnd(_ run: Int, at position: Int) -> Int? { ends[run, position - start].map { $0 + start } }

    mutating func note(_ run: Int, endsAt runEnd: Int, from position: Int) {
        ends[run, position - start] = runEnd - start
    }
}

/// A number for some pairs of an instruction and a position; instructions with none take no memory.
private struct PositionTable {
    private let count: Int
    private var numbers: [[Int32]] = []

    init(count: Int) { self.count = count }

    subscript(instruction: Int, place: Int) -> Int? {
        get {
            guard instruction < numbers.count, !numbers[instruction].isEmpty else { return nil }
            let number = numbers[instruction][place]
            return number < 0 ? nil : Int(number)
        }
        set {
            while numbers.count <= instruction { numbers.append([]) }
            if numbers[instruction].isEmpty { numbers[instruction] = [Int32](repeating: -1, count: count) }
            numbers[instruction][place] = Int32(truncatingIfNeeded: newValue ?? -1)
        }
    }
}

/// A set of pairs of an instruction and a position, one bit each; instructions with none take no memory.
struct PositionSet {
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
