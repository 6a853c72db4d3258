/// The rate of a count that grows, over the last seconds, so that it follows a network that changes.
struct RateMeter {
    private static let window = 10.0
    private var samples: [(seconds: Double, count: Int)] = []

    mutating func add(_ count: Int, at seconds: Double) {
        if let last = samples.last, count < last.count { samples.removeAll() }
        samples.append((seconds, count))
        // One sample older than the window stays, so that the window is spanned.
        while samples.count > 2, seconds - samples[1].seconds >= Self.window { samples.removeFirst() }
    }

    /// In a second; nil until half a second has been seen.
    var rate: Double? {
        guard let first = samples.first, let last = samples.last, last.seconds - first.seconds >= 0.5 else {
            return nil
        }
        return Double(last.count - first.count) / (last.seconds - first.seconds)
    }
}
