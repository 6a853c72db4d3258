import CLinux

/// Who waits for what, as a plain value: each event returns what is to be done, and `Poller` does it.
///
/// A descriptor has one place each for a reader, a writer and watchers of hang-ups and breaks. It is armed one-shot for all that
/// are waiting; after an event, those whose wait did not end are armed again.
struct Registration<Continuation: Sendable>: Sendable {
    struct Waiter: Sendable {
        var id: Int
        var deadline: ContinuousClock.Instant?
        /// Waits for a new request or connection, which a server that shuts down does not want any more.
        var endsOnDrain: Bool
        var continuation: Continuation
    }

    struct Wakeup: Sendable {
        var continuation: Continuation
        var outcome: Poller.Outcome
    }

    private struct Entry: Sendable {
        /// Tells events of this socket from late ones of an earlier socket with the same number.
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

        var isAwaited: Bool { Poller.Interest.allCases.contains { self[$0] != nil } }

        var mask: UInt32 {
            Poller.Interest.allCases.reduce(0) { self[$1] == nil ? $0 : $0 | $1.mask }
        }
    }

    /// How epoll is to be told of a descriptor.
    struct Arming: Equatable {
        var isNew: Bool
        var mask: UInt32
        var generation: UInt32
    }

    /// Deadlines are met this late at most: it bounds how often all waiters are looked through.
    static var sweepInterval: Duration { .milliseconds(20) }

    private var entries: [Entry] = []
    private(set) var isDraining = false
    private(set) var isStopped = false
    /// No deadline lies before this instant, except by the sweep interval.
    private var nextSweep: ContinuousClock.Instant?
    /// How long the poller's thread sleeps, if it does and if not for ever.
    private var sleepsUntil: ContinuousClock.Instant?

    /// Adds a waiter. `wakes` says that the thread must not sleep on.
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

    /// Takes out a waiter whose wait is called off; nil if it has ended already.
    mutating func remove(_ id: Int, _ descriptor: Int32, _ interest: Poller.Interest) -> Continuation? {
        let index = Int(descriptor)
        guard entries.indices.contains(index), let waiter = entries[index][interest], waiter.id == id else {
            return nil
        }
        entries[index][interest] = nil
        return waiter.continuation
    }

    /// An event of a descriptor: who is to be woken, and how to arm it again for those who are not.
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
        guard entries[index].isAwaited else { return (wakeups, nil) }
        return (wakeups, Arming(isNew: false, mask: entries[index].mask, generation: generation))
    }

    /// The descriptor is about to be closed.
    mutating func forget(_ descriptor: Int32) -> [Wakeup] {
        let index = Int(descriptor)
        guard entries.indices.contains(index) else { return [] }
        let wakeups = takeWaiters(at: index, as: .closed) { _ in true }
        entries[index].isInEpoll = false
        entries[index].generation &+= 1
        return wakeups
    }

    /// Ends all waits for something new, now and from now on.
    mutating func drain() -> [Wakeup] {
        isDraining = true
        return entries.indices.flatMap { takeWaiters(at: $0, as: .interrupted) { $0.endsOnDrain } }
    }

    /// Ends all waits, now and from now on.
    mutating func stop() -> [Wakeup] {
        isStopped = true
        return entries.indices.flatMap { takeWaiters(at: $0, as: .closed) { _ in true } }
    }

    /// Ends the waits whose time is over, if it is time to look.
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

    /// How many milliseconds the thread may sleep; -1: until something happens.
    mutating func sleep(at now: ContinuousClock.Instant) -> Int32 {
        sleepsUntil = nextSweep
        guard let nextSweep else { return -1 }
        let left = nextSweep - now
        let milliseconds = left / .milliseconds(1)
        return Int32(min(max(milliseconds.rounded(.up), 0), 3_600_000))
    }

    /// The thread is awake, and will look at the deadlines before it sleeps again.
    mutating func wakeUp() {
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
