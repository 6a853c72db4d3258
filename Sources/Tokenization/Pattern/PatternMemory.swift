/// What `PatternMatcher` found out about the places of a text, so that it does nothing twice.
///
/// All of it holds for the text as a whole: from an instruction at a place the rest of the program fails, or does not,
/// however it came there.
struct PatternMemory {
    /// The forks from which nothing led on.
    var failures: PlaceSet
    /// The forks in look-arounds and in what is atomic from which those matched, and where they then ended.
    private var matches: PlaceNumbers
    private let start: Int
    private let end: Int
    /// For each run and each end that was tried in vain, the nearest one on the side that is tried next which may not
    /// have been. Places count from 1, so that there is one before and one after them all.
    private var links: PlaceNumbers
    /// For each run without limit and each place that it passes, where it ends.
    private var ends: PlaceNumbers

    init(start: Int, end: Int) {
        failures = PlaceSet(start: start, end: end)
        matches = PlaceNumbers(count: end - start + 1)
        links = PlaceNumbers(count: end - start + 3)
        ends = PlaceNumbers(count: end - start + 1)
        self.start = start
        self.end = end
    }

    /// Where the match ends that was found from a fork.
    func matchEnd(_ fork: Int, at position: Int) -> Int? { matches[fork, position - start].map { $0 + start } }

    mutating func note(_ fork: Int, at position: Int, matchEnd: Int) {
        matches[fork, position - start] = matchEnd - start
    }

    /// Notes that nothing led on from an end of a run.
    /// - Parameter next: the end that would be tried next; before the start or after the end of the text if none.
    mutating func insert(_ run: Int, failedAt position: Int, next: Int) {
        links[run, position - start + 1] = next - start + 1
    }

    /// The first end of a run, from one on in the order of trying, that was not tried in vain.
    mutating func firstUntried(_ run: Int, from position: Int) -> Int {
        let place = position - start + 1
        var root = place
        while let next = links[run, root] { root = next }
        // What was passed is linked to where it led, so that the way is short the next time.
        var passed = place
        while passed != root, let next = links[run, passed] {
            links[run, passed] = root
            passed = next
        }
        return root + start - 1
    }

    /// Where a run that passes a place ends, if that is known.
    func runEnd(_ run: Int, at position: Int) -> Int? { ends[run, position - start].map { $0 + start } }

    mutating func note(_ run: Int, endsAt runEnd: Int, from position: Int) {
        ends[run, position - start] = runEnd - start
    }
}

/// A number for some pairs of an instruction and a place; instructions with none take no memory.
private struct PlaceNumbers {
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
