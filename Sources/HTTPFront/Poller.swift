import CLinux
import Platform
import Synchronization

/// Waits for socket events with deadlines: one thread in `epoll_wait` for all sockets.
///
/// Tasks try a system call first and wait here only when it would block.
final class Poller: Sendable {
    enum Interest: CaseIterable {
        case readable
        case writable
        /// The peer has shut down its sending side, or the connection is broken.
        case hangup
        /// The connection is broken: nothing can be sent any more.
        case broken
    }

    enum Outcome {
        case ready
        case timedOut
        /// The waiting task was cancelled.
        case cancelled
        /// The server shuts down, and the wait was for a new request or connection.
        case interrupted
        /// The poller has stopped or the socket was closed.
        case closed
    }

    private typealias Waiters = WaiterTable<CheckedContinuation<Outcome, Never>>

    private static let wakeupToken = UInt64.max

    private let epoll: Int32
    private let wakeup: Int32
    private let lastID = Atomic<Int>(0)
    private let sockets = Atomic<Int>(0)
    /// Outside the poller's thread the two descriptors above are used under this lock only. The thread closes them
    /// under this lock; they are not used afterwards, because `isStopped` is set by then.
    private let waiters = Mutex(Waiters())

    /// Creates a poller and starts its thread, which runs until `stop`.
    /// - Throws: `HTTPServerError` if the system refuses a descriptor or the thread.
    init() throws(HTTPServerError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .system("cannot watch sockets (epoll_create1)") }
        wakeup = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard wakeup >= 0 else {
            let error = HTTPServerError.system("cannot watch sockets (eventfd)")
            Platform.close(epoll)
            throw error
        }
        // Edge-triggered, so the counter need not be reset by reading it.
        var event = epoll_event(
            events: EPOLLIN.rawValue | EPOLLET.rawValue,
            data: epoll_data_t(u64: Poller.wakeupToken)
        )
        guard epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event) == 0,
            startThread(named: "http-poller", { self.loop() })
        else {
            let error = HTTPServerError.system("cannot watch sockets (poller thread)")
            Platform.close(epoll)
            Platform.close(wakeup)
            throw error
        }
    }

    /// Open sockets that use this poller, each with one descriptor.
    var socketCount: Int { sockets.load(ordering: .relaxed) }

    /// Counts a socket; must be called once for each descriptor that will be closed by `close(_:)`.
    func adopt() { sockets.add(1, ordering: .relaxed) }

    /// Ends all waits for a descriptor, then closes it, and only then stops counting it.
    func close(_ descriptor: Int32) {
        resume(waiters.withLock { $0.forget(descriptor) })
        Platform.close(descriptor)
        sockets.subtract(1, ordering: .relaxed)
    }

    /// Whether the server is shutting down.
    var isDraining: Bool { waiters.withLock { $0.isDraining } }

    /// Suspends until the descriptor is ready, the deadline has passed, or the task is cancelled.
    ///
    /// At most one task may wait for the same interest in the same descriptor.
    func wait(
        _ descriptor: Int32,
        for interest: Interest,
        until deadline: ContinuousClock.Instant?,
        endsOnDrain: Bool = false
    ) async -> Outcome {
        let id = lastID.wrappingAdd(1, ordering: .relaxed).newValue
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waiter = Waiters.Waiter(
                    id: id,
                    deadline: deadline,
                    endsOnDrain: endsOnDrain,
                    continuation: continuation
                )
                if let outcome = register(waiter, descriptor, interest) { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            waiters.withLock { $0.remove(id, descriptor, interest) }?.resume(returning: .cancelled)
        }
    }

    /// Adds a waiter, or returns the outcome if it need not wait.
    ///
    /// Cancellation is checked under the lock. A task is marked as cancelled before its handler runs; so if the handler
    /// takes the lock first and finds no waiter, the mark is seen here; if it comes later, it finds the waiter. Without
    /// the lock the handler could run between check and registration, and the wait would never end.
    private func register(_ waiter: Waiters.Waiter, _ descriptor: Int32, _ interest: Interest) -> Outcome? {
        waiters.withLock { waiters in
            if Task.isCancelled { return .cancelled }
            if waiters.isStopped { return .closed }
            if waiter.endsOnDrain, waiters.isDraining { return .interrupted }
            let (arming, wakes) = waiters.add(waiter, descriptor, interest)
            guard arm(descriptor, arming) else {
                _ = waiters.remove(waiter.id, descriptor, interest)
                return .closed
            }
            if wakes { wakeThread() }
            return nil
        }
    }

    /// Ends all waits for new requests and connections, present and future.
    func drain() {
        resume(waiters.withLock { $0.drain() })
    }

    /// Ends all waits, present and future, and the thread.
    func stop() {
        let wakeups = waiters.withLock { waiters -> [Waiters.Wakeup] in
            guard !waiters.isStopped else { return [] }
            wakeThread()
            return waiters.stop()
        }
        resume(wakeups)
    }

    /// Called under the lock.
    private func arm(_ descriptor: Int32, _ arming: Waiters.Arming) -> Bool {
        var event = epoll_event(
            events: arming.mask | EPOLLONESHOT.rawValue,
            data: epoll_data_t(u64: UInt64(arming.generation) << 32 | UInt64(UInt32(bitPattern: descriptor)))
        )
        return epoll_ctl(epoll, arming.isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event) == 0
    }

    /// Called under the lock.
    private func wakeThread() {
        eventfd_write(wakeup, 1)
    }

    private func resume(_ wakeups: [Waiters.Wakeup]) {
        for wakeup in wakeups { wakeup.continuation.resume(returning: wakeup.outcome) }
    }

    private func loop() {
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        while true {
            let timeout = waiters.withLock { waiters in
                waiters.isStopped ? nil : waiters.beginSleep(at: .now)
            }
            guard let timeout else { break }
            let count = epoll_wait(epoll, &events, Int32(events.count), timeout)
            let fired = events.prefix(Int(max(count, 0)))
            let wakeups = waiters.withLock { waiters in
                waiters.endSleep()
                var wakeups = waiters.expire(at: .now)
                for event in fired where event.data.u64 != Poller.wakeupToken {
                    wakeups += fire(event, &waiters)
                }
                return wakeups
            }
            resume(wakeups)
        }
        waiters.withLock { _ in
            Platform.close(epoll)
            Platform.close(wakeup)
        }
    }

    /// Called under the lock.
    private func fire(_ event: epoll_event, _ waiters: inout Waiters) -> [Waiters.Wakeup] {
        let descriptor = Int32(truncatingIfNeeded: event.data.u64)
        let generation = UInt32(event.data.u64 >> 32)
        let (wakeups, arming) = waiters.fire(descriptor, generation, event.events)
        if let arming, !arm(descriptor, arming) { return wakeups + waiters.forget(descriptor) }
        return wakeups
    }
}

extension Poller.Interest {
    /// The events to ask epoll for; errors and complete hang-ups are always reported.
    var mask: UInt32 {
        switch self {
        case .readable: EPOLLIN.rawValue
        case .writable: EPOLLOUT.rawValue
        case .hangup: EPOLLRDHUP.rawValue
        case .broken: 0
        }
    }

    var wakingEvents: UInt32 { mask | EPOLLHUP.rawValue | EPOLLERR.rawValue }
}
