import Synchronization

/// Counts the bytes that request bodies hold, all connections together: so many clients at once may send bodies that
/// one limit for each would bound nothing.
final class BodyMemory: Sendable {
    private let limit: Int
    private let held = Atomic(0)

    /// There is always room for one body.
    init(_ limits: Limits) { limit = max(limits.maxBodyMemoryBytes, limits.maxBodyBytes) }

    /// Whether there is room for so many bytes more; if so they count until `giveBack`.
    func take(_ count: Int) -> Bool {
        guard held.add(count, ordering: .relaxed).newValue > limit else { return true }
        giveBack(count)
        return false
    }

    func giveBack(_ count: Int) { held.subtract(count, ordering: .relaxed) }
}
