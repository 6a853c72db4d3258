/// Tokens per second over a sliding window.
struct TokenRate {
    private static let window = Duration.seconds(5)
    private var counts: [(at: ContinuousClock.Instant, tokens: Int)] = []

    mutating func add(_ tokens: Int) {
        let now = ContinuousClock.now
        counts.append((now, tokens))
        // Trim in bulk, so that a step costs O(1) on average.
        if counts.count > 64, counts[counts.count / 2].at < now - Self.window {
            counts.removeFirst(counts.count / 2)
        }
    }

    var perSecond: Double {
        let now = ContinuousClock.now
        let recent = counts.filter { $0.at >= now - Self.window }
        guard let first = recent.first else { return 0 }
        let seconds = max(0.25, (now - first.at) / .seconds(1))
        return Double(recent.reduce(0) { $0 + $1.tokens }) / seconds
    }
}
