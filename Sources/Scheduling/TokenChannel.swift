import EngineContract
import Synchronization

/// The bounded way from the Scheduler to one reader.
///
/// A token is never dropped: the Scheduler schedules no session whose window is full, and the reader wakes it once half
/// of the window is free again.
final class TokenChannel: Sendable {
    typealias Reading = Generation.Reading

    private struct State {
        /// Sent and not read, oldest first.
        var unread: [GenerationEvent] = []
        /// The window was full and half of it is not free yet.
        var isHeld = false
        var hasStarted = false
        /// Why the session ended, if it has.
        var finishReason: FinishReason?
        /// Whether the reader left before the session ended.
        var isAbandoned = false
        /// Counts what a suspended reader may wait for.
        var changes = 0
        var waiter: CheckedContinuation<Void, Never>?
        /// When the waiter is resumed although nothing came.
        var deadline: ContinuousClock.Instant?
        /// Resumes the waiter at its deadline; goes on from one wait to the next, so that not every token needs a new one.
        var timer: Task<Void, Never>?
        /// When the timer looks next.
        var timerDue: ContinuousClock.Instant?

        /// Notes a change.
        /// - Returns: who waits for it.
        mutating func noteChange() -> CheckedContinuation<Void, Never>? {
            changes += 1
            deadline = nil
            return waiter.take()
        }
    }

    private let window: Int
    private let state = Mutex(State())
    private let resumeScheduling: @Sendable () -> Void
    private let endSession: @Sendable (FinishReason) -> Void

    /// - Parameters:
    ///   - window: how many events may be unread.
    ///   - resumeScheduling: called when a session that was held back can go on.
    ///   - endSession: ends the session for a reason; called at any time, also when it has ended.
    init(
        window: Int,
        resumeScheduling: @escaping @Sendable () -> Void,
        endSession: @escaping @Sendable (FinishReason) -> Void
    ) {
        self.window = max(1, window)
        self.resumeScheduling = resumeScheduling
        self.endSession = endSession
    }

    // MARK: For the Scheduler

    /// Events sent and not read. While the session is held back, only the reader changes it.
    var unreadCount: Int { state.withLock { $0.unread.count } }

    /// How many more tokens the window holds; only the Scheduler makes it smaller.
    var room: Int { max(0, window - unreadCount) }

    /// Whether another token may be made. Once the window is full, not before the reader has read half of it: a session
    /// would otherwise be held back anew for each token.
    func hasRoomToContinue() -> Bool {
        state.withLock { state in
            if state.unread.count >= window { state.isHeld = true }
            return !state.isHeld
        }
    }

    /// The session runs for the first time.
    func start() {
        state.withLock { state in
            state.hasStarted = true
            return state.noteChange()
        }?.resume()
    }

    func send(_ token: Token) {
        state.withLock { state in
            state.unread.append(.token(token))
            return state.noteChange()
        }?.resume()
    }

    func finish(_ summary: GenerationSummary) {
        state.withLock { state in
            state.unread.append(.finished(summary))
            state.finishReason = summary.reason
            state.timer?.cancel()
            return state.noteChange()
        }?.resume()
    }

    // MARK: For the reader

    var finishReason: FinishReason? { state.withLock { $0.finishReason } }

    /// Ends the session.
    func end(_ reason: FinishReason) { endSession(reason) }

    /// Nobody reads on: ends the session, if it has not ended.
    func abandon() {
        let (waiter, isFirst) = state.withLock { state in
            let isFirst = !state.isAbandoned && state.finishReason == nil
            if isFirst { state.isAbandoned = true }
            state.timer?.cancel()
            return (state.noteChange(), isFirst)
        }
        waiter?.resume()
        if isFirst { endSession(.cancelled) }
    }

    /// The next event, waiting for it until `deadline`. Only one task may read.
    func read(until deadline: ContinuousClock.Instant? = nil) async -> Reading {
        await wait(until: deadline) { state in
            if let event = state.unread.first {
                state.unread.removeFirst()
                return .event(event)
            }
            return state.finishReason != nil ? .ended : nil
        }
    }

    /// Returns when the session has run or ended, or at the deadline.
    func waitForStart(until deadline: ContinuousClock.Instant) async {
        _ = await wait(until: deadline) { $0.hasStarted || $0.finishReason != nil ? .ended : nil }
    }

    /// Suspends until `result` has one, the deadline is over or the task is cancelled, which ends the session.
    private func wait(
        until deadline: ContinuousClock.Instant?,
        for result: (inout State) -> Reading?
    ) async -> Reading {
        while true {
            // What a session that has ended left is read to its end.
            if Task.isCancelled, finishReason == nil {
                abandon()
                return .ended
            }
            let (found, changes, mayResume) = state.withLock { state -> (Reading?, Int, Bool) in
                let found = state.isAbandoned ? .ended : result(&state)
                let mayResume = state.isHeld && state.unread.count <= window / 2
                if mayResume { state.isHeld = false }
                return (found, state.changes, mayResume)
            }
            if mayResume { resumeScheduling() }
            if let found { return found }
            if let deadline, deadline <= .now { return .timedOut }
            await suspend(until: deadline, unlessChangedSince: changes)
        }
    }

    private func suspend(until deadline: ContinuousClock.Instant?, unlessChangedSince changes: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isWaiting = state.withLock { state in
                    guard state.changes == changes else { return false }
                    assert(state.waiter == nil, "two tasks read one answer")
                    state.waiter = continuation
                    state.deadline = deadline
                    if let deadline { setTimer(deadline, &state) }
                    return true
                }
                if !isWaiting { continuation.resume() }
            }
        } onCancel: {
            abandon()
        }
    }

    /// Resumes the waiter if its deadline is over.
    /// - Returns: when to look again; nil if nobody waits for a deadline.
    private func timerFires() -> ContinuousClock.Instant? {
        let (waiter, next) = state.withLock { state -> (CheckedContinuation<Void, Never>?, ContinuousClock.Instant?) in
            let isOver = state.deadline.map { $0 <= .now } ?? false
            let waiter = isOver ? state.noteChange() : nil
            if state.deadline == nil { state.timer = nil }
            state.timerDue = state.deadline
            return (waiter, state.deadline)
        }
        waiter?.resume()
        return next
    }

    /// Makes a timer unless there is one that looks early enough.
    private func setTimer(_ deadline: ContinuousClock.Instant, _ state: inout State) {
        if state.timer != nil, let due = state.timerDue, due <= deadline { return }
        state.timer?.cancel()
        state.timer = makeTimer(deadline)
        state.timerDue = deadline
    }

    private func makeTimer(_ deadline: ContinuousClock.Instant) -> Task<Void, Never> {
        Task { [weak self] in
            var due = Optional(deadline)
            while let next = due {
                do { try await Task.sleep(until: next, clock: .continuous) } catch { return }
                due = self?.timerFires()
            }
        }
    }
}
