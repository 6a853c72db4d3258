import EngineContract

/// Which sessions run: seats and memory for those that wait, shares for clients, and pauses for readers that lag.
///
/// A session gives way to one of another client only where its client has at least two seats more, so that each change
/// brings the two closer; the oldest session never gives way, because it is not the youngest of several.
extension SchedulerState {
    /// How often a session may be passed by sessions behind it, and how many may be passed at once.
    private static let maxTimesPassed = 32
    private static let maxSkipped = 4

    /// Moves waiting sessions to the running ones while there are seats and memory.
    ///
    /// A session whose prompt does not fit now is passed by smaller ones behind it, but not for ever; a preempted one is
    /// never passed.
    mutating func admitWaiting() {
        shareSeats()
        var skipped: [Session] = []
        while skipped.allSatisfy({ $0.timesPassed < Self.maxTimesPassed }),
            let session = waiting.next(besides: skipped, seats: waiting.preempted.isEmpty ? [:] : seats)
        {
            if makeRoom(for: session) {
                run(session)
                for other in skipped { other.timesPassed += 1 }
                continue
            }
            guard running.count < configuration.maxRunningSessions, !session.hasRun,
                skipped.count < Self.maxSkipped
            else { return }
            skipped.append(session)
        }
    }

    /// Sees to a seat and memory for a session, preempting sessions whose readers lag if need be.
    /// - Returns: whether there are both.
    private mutating func makeRoom(for session: Session) -> Bool {
        while !running.isEmpty {
            if running.count < configuration.maxRunningSessions,
                kv.fits(session.sequence, beside: running.lazy.map(\.sequence))
            {
                return true
            }
            guard let lagging = running.last(where: { $0.pause != nil }) else { return false }
            preempt(lagging)
        }
        return true
    }

    /// Whether the queue takes another session of a client. In a full queue the newest session of the client with the most
    /// gives way, if that client has more there; where the two would merely change places, the one with more running
    /// sessions gives way.
    mutating func makeRoomInQueue(for client: String) -> Bool {
        if sessions.count - configuration.maxRunningSessions < configuration.maxWaitingSessions { return true }
        guard let (most, newest) = waiting.longest else { return false }
        let own = waiting.count(of: client)
        guard most >= own + 1, newest.client != client else { return false }
        guard most > own + 1 || seats[newest.client, default: 0] > seats[client, default: 0] else { return false }
        finish(newest, .displaced)
        return true
    }

    // MARK: Clients' shares

    /// Running sessions by client.
    private var seats: [String: Int] { running.reduce(into: [:]) { $0[$1.client, default: 0] += 1 } }

    /// Lets sessions of clients with few seats run in place of the youngest ones of the client with the most. Each session
    /// claims a seat once: one that does not fit even then waits for memory like all others.
    private mutating func shareSeats() {
        while waiting.newCount > 0, let most = seats.values.max(), most > 1,
            let session = waiting.claimant(seats: seats, below: most - 1)
        {
            session.hasClaimedSeat = true
            var hasRoom = makeRoom(for: session)
            while !hasRoom, let giver = youngestOfLargestClient(besides: session.client) {
                preempt(giver)
                hasRoom = makeRoom(for: session)
            }
            if hasRoom { run(session) }
        }
    }

    /// The youngest running session of the client with the most, if that has at least two more than `client`.
    func youngestOfLargestClient(besides client: String) -> Session? {
        let seats = seats
        guard let most = seats.max(by: { ($0.value, $0.key) < ($1.value, $1.key) }),
            most.value > seats[client, default: 0] + 1
        else { return nil }
        return running.last { $0.client == most.key }
    }

    // MARK: Readers that lag

    /// Pauses the sessions whose readers are too far behind for another token, and resumes those whose readers caught up.
    mutating func updatePauses() {
        for session in running + waiting.preempted {
            if session.channel.hasRoomToContinue() {
                session.pause = nil
            } else if session.pause == nil {
                session.pause = Session.Pause(since: .now, unread: session.channel.unreadCount)
                append(.readerLags)
            }
        }
    }

    /// Ends the sessions whose readers have read nothing for `readerStallLimit`.
    /// - Returns: when to look again; nil if no reader lags.
    mutating func finishStalled() -> ContinuousClock.Instant? {
        let now = ContinuousClock.now
        var next: ContinuousClock.Instant?
        for session in sessions.values {
            guard var pause = session.pause else { continue }
            let unread = session.channel.unreadCount
            if unread < pause.unread {
                // It reads, if slowly.
                pause = Session.Pause(since: now, unread: unread)
                session.pause = pause
            } else if now - pause.since >= configuration.readerStallLimit {
                finish(session, .failed("the reader did not read for \(configuration.readerStallLimit)"))
                continue
            }
            let due = pause.since + configuration.readerStallLimit
            next = min(next ?? due, due)
        }
        return next
    }
}
