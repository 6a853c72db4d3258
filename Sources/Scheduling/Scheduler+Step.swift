import EngineContract

/// Composing a step, and applying its result.
extension Scheduler {
    /// The next step, or nil if no session can go on.
    ///
    /// Blocks are given out here only, so while no step runs: what a session gives back when it ends in the middle of a
    /// step, nobody else has before the engine is done with it.
    func composeStep() -> Step? {
        lookAtReaders()
        admit()
        while true {
            let shares = planner.plan(candidates())
            if shares.isEmpty { return nil }
            var entries = take(shares)
            if !entries.isEmpty {
                addDrafts(to: &entries)
                return Step(entries: entries)
            }
            // Who had a turn had no memory, who has the memory had no turn. The oldest, alone, has all it needs.
            if let youngest = running.last { preempt(youngest) }
        }
    }

    private func candidates() -> [StepPlanner.Candidate] {
        running.compactMap { session in
            guard session.pause == nil else { return nil }
            if !session.isDecoding {
                reuse(session)
                if awaitsStored(session) { return nil }
            }
            return StepPlanner.Candidate(
                session: session.id,
                client: session.request.client,
                remaining: session.remaining,
                isDecoding: session.isDecoding,
                nextBlock: kv.nextBlock(of: session)
            )
        }
    }

    /// The entries of those that get the memory they need. The oldest come first and take it from the youngest, so the
    /// oldest always goes on, and no two sessions can take blocks from one another for ever.
    private func take(_ shares: [StepPlanner.Share]) -> [StepEntry] {
        var entries: [StepEntry] = []
        entries.reserveCapacity(shares.count)
        for share in shares.sorted(by: { $0.session < $1.session }) {
            guard let session = sessions[share.session], session.place == .running else { continue }
            guard reserve(session, tokens: share.tokens) else { continue }
            entries.append(session.entry(share.tokens))
        }
        return entries
    }

    /// Gives a session the blocks for its next tokens, taking them from those whose readers lag, then from the youngest:
    /// of the client with the most sessions, if that has many more than the youngest's.
    /// - Returns: false if it is that session itself: it waits, holding what it has until another one needs it.
    private func reserve(_ session: Session, tokens: Int) -> Bool {
        while !kv.grow(session, by: tokens) {
            guard let youngest = running.last else { return false }
            // Never from one that is older: it may be in this step already.
            let fairest = youngestOfMost(besides: youngest.request.client).flatMap { $0.id >= session.id ? $0 : nil }
            let victim = running.last { $0.pause != nil } ?? fairest ?? youngest
            guard victim !== session else { return false }
            preempt(victim)
        }
        return true
    }

    func preempt(_ session: Session) {
        kv.release(session)
        session.wasPreempted = true
        leave(session)
        session.place = .waiting
        waiting.append(session)
        figures.preemptionsTotal += 1
        observer?.preempted()
    }

    /// Spares a session what others have computed since it last looked.
    func reuse(_ session: Session) {
        spare(session, kv.reuse(session))
    }

    /// Counts what a session need not compute.
    func spare(_ session: Session, _ spared: Int) {
        guard spared > 0, !session.wasPreempted else { return }
        session.cachedTokens = (session.cachedTokens ?? 0) + spared
        figures.prefixHitTokensTotal += spared
    }

    func apply(_ result: StepResult, of step: Step) {
        guard result.samples.count == step.entries.count else {
            fail(step, EngineError("\(result.samples.count) samples for \(step.entries.count) sessions"))
            return
        }
        let now = ContinuousClock.now
        let before = figures.tokensGeneratedTotal
        for (index, entry) in step.entries.enumerated() {
            // It may have ended while the step ran.
            guard let session = sessions[entry.session] else { continue }
            if let failure = result.failures[index] {
                finish(session, .failed(failure.description))
            } else {
                apply(result.samples[index], of: entry, to: session, at: now)
            }
        }
        rate.add(figures.tokensGeneratedTotal - before, at: now)
    }

    private func apply(_ samples: [Token], of entry: StepEntry, to session: Session, at now: ContinuousClock.Instant) {
        session.advance(entry.tokens.count - entry.draftCount)
        kv.register(session)
        if entry.samples {
            accept(samples, of: entry, for: session, at: now)
        } else if session.remaining == 0 {
            // Nothing was to be sampled, only the prompt to be computed.
            finish(session, session.limitReason)
        }
    }

    func accept(_ token: Token, for session: Session, at now: ContinuousClock.Instant) {
        session.sampled += 1
        figures.tokensGeneratedTotal += 1
        if let last = session.lastTokenAt {
            observer?.interToken(seconds: (now - last) / .seconds(1))
        } else {
            observer?.firstToken(seconds: (now - session.submitted) / .seconds(1))
        }
        session.lastTokenAt = now
        guard !session.request.stopTokens.contains(token) else {
            finish(session, .stopToken(token))
            return
        }
        session.append(token)
        session.delivery.send(token)
        if session.sampled >= session.sampleLimit { finish(session, session.limitReason) }
    }

    /// An error of the whole step ends its sessions; the others go on.
    func fail(_ step: Step, _ error: EngineError) {
        if error.isLasting, failure == nil {
            failure = error.description
            onFailure(error.description)
        }
        for entry in step.entries {
            if let session = sessions[entry.session] { finish(session, .failed(error.description)) }
        }
    }
}
