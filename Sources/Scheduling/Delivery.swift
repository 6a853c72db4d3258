import EngineContract
import Synchronization

/// The bounded way from the Scheduler to one reader.
///
/// A token is never dropped: the stream's buffer has no bound of its own, but the Scheduler gives no more turns to a
/// session whose window is full, and the reader wakes it when half of the window is free again.
final class Delivery: Sendable {
    private let window: Int
    private let unread = Atomic<Int>(0)
    private let isHeld = Atomic<Bool>(false)
    private let continuation: AsyncStream<GenerationEvent>.Continuation
    private let wake: @Sendable () -> Void
    /// Ends when the session has its first seat, or has ended.
    let turn: AsyncStream<Void>
    private let turnContinuation: AsyncStream<Void>.Continuation
    let endReason = Mutex<FinishReason?>(nil)
    /// Ends the session for this reason.
    let leave: @Sendable (FinishReason) -> Void

    init(
        window: Int,
        continuation: AsyncStream<GenerationEvent>.Continuation,
        wake: @escaping @Sendable () -> Void,
        leave: @escaping @Sendable (FinishReason) -> Void
    ) {
        self.window = max(1, window)
        self.continuation = continuation
        self.wake = wake
        self.leave = leave
        (turn, turnContinuation) = AsyncStream.makeStream()
    }

    /// The session has its first seat.
    func begin() { turnContinuation.finish() }

    /// Events sent and not read. While the session is held back, only the reader changes it.
    var unreadCount: Int { unread.load(ordering: .relaxed) }

    /// How many more tokens the window holds; only the Scheduler makes it smaller.
    var room: Int { max(0, window - unreadCount) }

    func send(_ token: Token) {
        unread.add(1, ordering: .relaxed)
        continuation.yield(.token(token))
    }

    func finish(_ summary: GenerationSummary) {
        unread.add(1, ordering: .relaxed)
        endReason.withLock { $0 = summary.reason }
        turnContinuation.finish()
        continuation.yield(.finished(summary))
        continuation.finish()
    }

    /// Whether another token may be made. Once the window is full, not before the reader has read half of it: a session
    /// would otherwise be held back anew for each token.
    func mayGoOn() -> Bool {
        guard !isHeld.load(ordering: .sequentiallyConsistent) else { return false }
        guard unread.load(ordering: .relaxed) >= window else { return true }
        isHeld.store(true, ordering: .sequentiallyConsistent)
        // Here `isHeld` is written and then `unread` read, in `acknowledge` the other way round, so one of the two sees
        // the other: the reader wakes the Scheduler, or its reading is seen now.
        guard unread.load(ordering: .sequentiallyConsistent) <= window / 2 else { return false }
        isHeld.store(false, ordering: .sequentiallyConsistent)
        return true
    }

    /// The reader has one event more.
    func acknowledge() {
        let left = unread.subtract(1, ordering: .sequentiallyConsistent).newValue
        guard left <= window / 2, isHeld.exchange(false, ordering: .sequentiallyConsistent) else { return }
        wake()
    }
}
