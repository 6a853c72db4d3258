import CLinux

/// The waiters for socket events, as a plain value: methods return what is to be done, and `Poller` does it.
///
/// A descriptor has at most one waiter for each `Poller.Interest`. It is armed one-shot (`EPOLLONESHOT`) for all of its
/// waiters, and re-armed after an event for those that still wait.
struct WaiterTable<Continuation: Sendable>: Sendable {
    struct Waiter: Sendable {
        var id: Int
        var deadline: ContinuousClock.Instant?
        /// A wait for a new request or connection, which `drain` ends.
        var endsOnDrain: Bool
        var continuation: Continuation
    }

    struct Wakeup: Sendable {
        var continuation: Continuation
        var outcome: Poller.Outcome
    }

    private struct Entry: Sendable {
        /// Distinguishes events of this socket from late events of an earlier socket with the same descriptor.
        var generation: UInt32 = 0
        var isInEpoll = false
        var waiters: (readable: Waiter?, writable: Waiter?, hangup: Waiter?, broken: Waiter?) = (nil, nil, nil, nil)

        subscript(interest: Poller.Interest) -> Waiter? {
            get {
                switch interest {
                case .readable: waiters.readable
                case .writable: waiters.writable
                case .hangup: waiters.hangup
                case .broken: waiters.broken
                }
            }
            set {
                switch interest {
                case .readable: waiters.readable = newValue
                case .writable: waiters.writable = newValue
                case .hangup: waiters.hangup = newValue
                case .broken: waiters.broken = newValue
                }
            }
        }

        var hasWaiters: Bool { Poller.Interest.allCases.contains { self[$0] != nil } }

        var mask: UInt32 {
            Poller.Interest.allCases.reduce(0) { self[$1] == nil ? $0 : $0 | $1.mask }
        }
    }

    /// How to register a descriptor with epoll.
    struct Arming: Equatable {
        var isNew: Bool
        var mask: UInt32
        var generation: UInt32
    }

    /// The least time between two sweeps over all waiters; time-outs are at most this late.
    static var sweepInterval: Duration { .milliseconds(20) }

    private var entries: [Entry] = []
    private(set) var isDraining = false
    private(set) var isStopped = false
    /// When to look for expired deadlines next; nil if there are none.
    private var nextSweep: ContinuousClock.Instant?
    /// Until when the poller's thread sleeps at most; nil while it sleeps without a limit.
    private var sleepsUntil: ContinuousClock.Instant?

    /// Adds a waiter. `wakes`: its deadline is before the end of the thread's sleep, so the thread must be woken.
    mutating func add(
        _ waiter: Waiter,
        _ descriptor: Int32,
        _ interest: Poller.Interest
    ) -> (arming: Arming, wakes: Bool) {
        let index = Int(descriptor)
        while entries.count <= index { entries.append(Entry()) }
        entries[index][interest] = waiter
        let arming = Arming(
            isNew: !entries[index].isInEpoll,
            mask: entries[index].mask,
            generation: entries[index].generation
        )
        entries[index].isInEpoll = true
        guard let deadline = waiter.deadline else { return (arming, false) }
        if nextSweep.map({ deadline < $0 }) ?? true { nextSweep = deadline }
        return (arming, sleepsUntil.map { deadline < $0 } ?? true)
    }

    /// Removes a waiter that was cancelled; nil if its wait has ended already.
    mutating func remove(_ id: Int, _ descriptor: Int32, _ interest: Poller.Interest) -> Continuation? {
        let index = Int(descriptor)
        guard entries.indices.contains(index), let waiter = entries[index][interest], waiter.id == id else {
            return nil
        }
        entries[index][interest] = nil
        return waiter.continuation
    }

    /// Handles events of a descriptor: the waiters to wake, and how to re-arm the descriptor for the others.
    mutating func fire(
        _ descriptor: Int32,
        _ generation: UInt32,
        _ events: UInt32
    ) -> (wakeups: [Wakeup], arming: Arming?) {
        let index = Int(descriptor)
        guard entries.indices.contains(index), entries[index].generation == generation else { return ([], nil) }
        var wakeups: [Wakeup] = []
        for interest in Poller.Interest.allCases where events & interest.wakingEvents != 0 {
            guard let waiter = entries[index][interest] else { continue }
            entries[index][interest] = nil
            wakeups.append(Wakeup(continuation: waiter.continuation, outcome: .ready))
        }
        guard entries[index].hasWaiters else { return (wakeups, nil) }
        return (wakeups, Arming(isNew: false, mask: entries[index].mask, generation: generation))
    }

    /// Ends all waits for a descriptor that is about to be closed.
    mutating func forget(_ descriptor: Int32) -> [Wakeup] {
        let index = Int(descriptor)
        guard entries.indices.contains(index) else { return [] }
        let wakeups = takeWaiters(at: index, as: .closed) { _ in true }
        entries[index].isInEpoll = false
        entries[index].generation &+= 1
        return wakeups
    }

    /// Ends all waits for new requests and connections. `Poller` refuses them from then on.
    mutating func drain() -> [Wakeup] {
        isDraining = true
        return entries.indices.flatMap { takeWaiters(at: $0, as: .interrupted) { $0.endsOnDrain } }
    }

    /// Ends all waits. `Poller` refuses them from then on.
    mutating func stop() -> [Wakeup] {
        isStopped = true
        return entries.indices.flatMap { takeWaiters(at: $0, as: .closed) { _ in true } }
    }

    /// Ends the waits whose deadlines have passed, if a sweep is due.
    mutating func expire(at now: ContinuousClock.Instant) -> [Wakeup] {
        guard let due = nextSweep, due <= now else { return [] }
        var wakeups: [Wakeup] = []
        var next: ContinuousClock.Instant?
        for index in entries.indices {
            for interest in Poller.Interest.allCases {
                guard let waiter = entries[index][interest], let deadline = waiter.deadline else { continue }
                if deadline <= now {
                    entries[index][interest] = nil
                    wakeups.append(Wakeup(continuation: waiter.continuation, outcome: .timedOut))
                } else {
                    next = min(next ?? deadline, deadline)
                }
            }
        }
        nextSweep = next.map { max($0, now + Self.sweepInterval) }
        return wakeups
    }

    /// Called before the thread sleeps. Returns the time-out for `epoll_wait`: milliseconds, -1 for none.
    mutating func beginSleep(at now: ContinuousClock.Instant) -> Int32 {
        sleepsUntil = nextSweep
        guard let nextSweep else { return -1 }
        let left = nextSweep - now
        let milliseconds = left / .milliseconds(1)
        return Int32(min(max(milliseconds.rounded(.up), 0), 3_600_000))
    }

    /// Called when the thread is awake: it will look at the deadlines before it sleeps again.
    mutating func endSleep() {
        sleepsUntil = .now
    }

    private mutating func takeWaiters(
        at index: Int,
        as outcome: Poller.Outcome,
        where predicate: (Waiter) -> Bool
    ) -> [Wakeup] {
        var wakeups: [Wakeup] = []
        for interest in Poller.Interest.allCases {
            guard let waiter = entries[index][interest], predicate(waiter) else { continue }
            entries[index][interest] = nil
            wakeups.append(Wakeup(continuation: waiter.continuation, outcome: outcome))
        }
        return wakeups
    }
}
