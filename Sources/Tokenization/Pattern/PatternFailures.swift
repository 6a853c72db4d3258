/// What `PatternMatcher` found to lead nowhere.
struct PatternFailures {
    private let start: Int
    private let end: Int
    /// For each fork, a bit for each place.
    private var places: [Int: [UInt64]] = [:]
    /// For each run, the ends tried in vain, as far as they lie side by side.
    private var stretches: [Int: ClosedRange<Int>] = [:]
    /// For each run, the last place and end that it was scanned from and to.
    private var scans: [Int: ClosedRange<Int>] = [:]

    init(start: Int, end: Int) {
        self.start = start
        self.end = end
    }

    func contains(_ fork: Int, _ position: Int) -> Bool {
        guard let bits = places[fork] else { return false }
        let place = position - start
        return bits[place >> 6] >> UInt64(place & 63) & 1 == 1
    }

    mutating func insert(_ fork: Int, _ position: Int) {
        let place = position - start
        places[fork, default: [UInt64](repeating: 0, count: (end - start) >> 6 + 1)][place >> 6] |=
            1 << UInt64(place & 63)
    }

    func stretch(_ run: Int) -> ClosedRange<Int>? { stretches[run] }

    /// - Parameter next: the place after the end that was tried.
    mutating func insert(_ run: Int, run position: Int, next: Int) {
        guard let known = stretches[run] else { return stretches[run] = position...position }
        if known.contains(position) { return }
        if next == known.lowerBound {
            stretches[run] = position...known.upperBound
        } else if position > known.upperBound, isNext(position, after: known.upperBound) {
            stretches[run] = known.lowerBound...position
        } else {
            stretches[run] = position...position
        }
    }

    /// Whether no character begins between the two; characters have at most four bytes.
    private func isNext(_ position: Int, after other: Int) -> Bool { position - other <= 4 }

    func scan(_ run: Int) -> ClosedRange<Int>? { scans[run] }

    mutating func noteScan(_ run: Int, _ stretch: ClosedRange<Int>) { scans[run] = stretch }
}
