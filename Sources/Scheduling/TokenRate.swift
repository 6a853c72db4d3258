/// Tokens per second over the last few seconds, counted in slots of a quarter second.
struct TokenRate {
    private static let slotCount = 20
    private static let slotLength = Duration.milliseconds(250)

    private let start = ContinuousClock.now
    private var counts = [Int](repeating: 0, count: slotCount)
    /// The slot last added to, numbered from the start.
    private var newest = 0

    private func slot(at time: ContinuousClock.Instant) -> Int { Int((time - start) / Self.slotLength) }

    mutating func add(_ tokens: Int, at now: ContinuousClock.Instant) {
        let slot = max(newest, slot(at: now))
        for passed in (newest + 1)..<max(newest + 1, min(slot, newest + Self.slotCount) + 1) {
            counts[passed % Self.slotCount] = 0
        }
        newest = slot
        counts[slot % Self.slotCount] += tokens
    }

    /// Since the first token of the window.
    func perSecond(at now: ContinuousClock.Instant) -> Double {
        let current = max(newest, slot(at: now))
        let oldest = max(0, current - Self.slotCount + 1)
        guard oldest <= newest else { return 0 }
        let window = oldest...newest
        guard let first = window.first(where: { counts[$0 % Self.slotCount] > 0 }) else { return 0 }
        let tokens = window.reduce(0) { $0 + counts[$1 % Self.slotCount] }
        let begin = start + Self.slotLength * first
        return Double(tokens) / max(0.25, (now - begin) / .seconds(1))
    }
}
