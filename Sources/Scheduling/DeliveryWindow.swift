import Synchronization

/// How many tokens of one session are made and not yet read, shared by the scheduler and the reader.
///
/// The scheduler pauses a session when `limit` tokens are in flight, the reader wakes it when half of them are read.
/// No wake-up is lost: the scheduler first says "paused" and then looks at the count again, the reader first lowers the
/// count and then looks whether it says "paused"; whichever comes second sees the other.
final class DeliveryWindow: Sendable {
    private let limit: Int
    private let inFlight = Atomic<Int>(0)
    private let paused = Atomic<Bool>(false)

    init(limit: Int) { self.limit = max(limit, 1) }

    /// Tokens made and not read.
    var count: Int { inFlight.load(ordering: .sequentiallyConsistent) }

    /// The scheduler's side: a token is on its way.
    func sent() {
        inFlight.add(1, ordering: .sequentiallyConsistent)
    }

    /// The scheduler's side: whether another token may be made. After `false` the reader will wake the scheduler.
    func isOpen() -> Bool {
        if paused.load(ordering: .sequentiallyConsistent) { return false }
        if count < limit { return true }
        paused.store(true, ordering: .sequentiallyConsistent)
        guard count <= limit / 2 else { return false }
        paused.store(false, ordering: .sequentiallyConsistent)
        return true
    }

    /// The reader's side: a token was read. True if the scheduler waits to be woken.
    func acknowledge() -> Bool {
        let left = inFlight.subtract(1, ordering: .sequentiallyConsistent).newValue
        guard left <= limit / 2 else { return false }
        return paused.exchange(false, ordering: .sequentiallyConsistent)
    }
}
