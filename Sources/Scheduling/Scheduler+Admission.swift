import EngineContract

/// Who may run: seats and memory for those that wait, and the readers that lag.
extension Scheduler {
    /// How often a session may be passed by ones behind it, and by how many at once.
    private static let maxTimesPassed = 32
    private static let maxPassedAtOnce = 4

    /// Lets waiting sessions in while there are seats and memory.
    ///
    /// One whose prompt does not fit now lets smaller ones pass, but not for ever; one that has run before lets nobody.
    func admit() {
        shareSeats()
        var passed: [Session] = []
        while passed.allSatisfy({ $0.timesPassed < Self.maxTimesPassed }),
            let session = waiting.next(besides: passed, seats: waiting.returning.isEmpty ? [:] : seats)
        {
            if hasRoom(for: session) {
                seat(session)
                for other in passed { other.timesPassed += 1 }
                continue
            }
            guard running.count < configuration.maxRunningSessions, !session.hasRun,
                passed.count < Self.maxPassedAtOnce
            else { return }
            passed.append(session)
        }
    }

    /// Whether there are a seat and memory for a session; sessions whose readers lag give theirs up for it.
    func hasRoom(for session: Session) -> Bool {
        while !running.isEmpty {
            if running.count < configuration.maxRunningSessions, kv.fits(session, others: running) { return true }
            guard let lagging = running.last(where: { $0.pause != nil }) else { return false }
            preempt(lagging)
        }
        return true
    }

    /// Makes room in the full queue for a client's session, if another client has more there: the newest session of the
    /// client with the most gives way. Of two that would merely change places, the one with more running sessions does.
    /// - Returns: whether there is room now.
    func makeRoom(for client: String) -> Bool {
        guard let (most, newest) = waiting.longest else { return false }
        let own = waiting.count(of: client)
        guard most >= own + 1, newest.request.client != client else { return false }
        guard most > own + 1 || seats[newest.request.client, default: 0] > seats[client, default: 0] else {
            return false
        }
        finish(newest, .displaced)
        return true
    }

    func seat(_ session: Session) {
        waiting.serve(session)
        if !session.hasRun {
            session.cachedTokens = 0
            session.delivery.begin()
            observer?.queued(seconds: (ContinuousClock.now - session.submitted) / .seconds(1))
        }
        reuse(session)
        session.place = .running
        let index = running.firstIndex { $0.id > session.id } ?? running.endIndex
        running.insert(session, at: index)
    }

    /// Takes a session off its seat, or out of the queue.
    func leave(_ session: Session) {
        switch session.place {
        case .running: running.removeAll { $0 === session }
        case .waiting: waiting.remove(session)
        case .ended: break
        }
    }

    /// Sees which readers are too far behind for another token.
    func lookAtReaders() {
        for session in running + waiting.returning {
            if session.delivery.mayGoOn() {
                session.pause = nil
            } else if session.pause == nil {
                session.pause = Session.Pause(since: .now, unread: session.delivery.unreadCount)
                watchReaders()
            }
        }
    }

    /// Ends sessions whose readers do not read. One timer serves all, and there is none when nobody lags.
    private func watchReaders() {
        guard readerWatch == nil else { return }
        readerWatch = Task { [weak self, limit = configuration.readerStallLimit] in
            var due = ContinuousClock.now + limit
            while true {
                try? await Task.sleep(until: due, clock: .continuous)
                guard let next = await self?.endStalled() else { return }
                due = next
            }
        }
    }

    /// - Returns: when to look again; nil if nobody lags.
    private func endStalled() -> ContinuousClock.Instant? {
        let now = ContinuousClock.now
        var next: ContinuousClock.Instant?
        for session in sessions.values {
            guard var pause = session.pause else { continue }
            let unread = session.delivery.unreadCount
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
        if next == nil { readerWatch = nil }
        return next
    }
}
