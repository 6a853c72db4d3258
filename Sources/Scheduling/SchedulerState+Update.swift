import EngineContract

/// Applying a step's result.
extension SchedulerState {
    /// How often a constraint is asked for forced tokens after a step.
    private static let mostForcedRuns = 4

    /// Delivers the sampled tokens of a step and ends the sessions that are complete or failed.
    mutating func update(from result: StepResult, of step: Step) {
        guard result.samples.count == step.entries.count else {
            fail(step, EngineError("\(result.samples.count) samples for \(step.entries.count) sessions"))
            return
        }
        let now = ContinuousClock.now
        draftCost.learn(result, of: step)
        let before = statistics.tokensGeneratedTotal
        for (index, entry) in step.entries.enumerated() {
            // It may have ended while the step ran.
            guard let session = sessions[entry.session] else { continue }
            if entry.samples { deliverLeading(to: session, at: now) }
            if let failure = result.failures[index] {
                finish(session, .failed(failure.description))
                continue
            }
            kv.markComputed(entry.tokens.count - entry.draftCount, of: &session.sequence)
            if !result.notFollowed.contains(index) { follow(session, entry, result.samples[index]) }
            kv.commitState(of: &session.sequence, hasDrafts: entry.draftCount > 0)
            if entry.samples {
                accept(result.samples[index], of: entry, for: session, at: now)
                if result.drafts.indices.contains(index) { session.take(result.drafts[index]) }
                deliverForced(to: session, at: now)
                kv.releaseDraftBlocks(of: &session.sequence)
            } else if session.sequence.remaining == 0 {
                // Nothing was to be sampled, only the prompt to be computed.
                finish(session, session.limitReason)
            }
        }
        rate.add(statistics.tokensGeneratedTotal - before, at: now)
    }

    /// Takes note of what the engine's draft model has taken in of an entry.
    private mutating func follow(_ session: Session, _ entry: StepEntry, _ samples: [Token]) {
        if entry.isFollowed {
            let right = StepResult.rightDrafts(samples, of: entry)
            session.followedCount = entry.startPosition + entry.tokens.count - entry.draftCount + right
        } else if !entry.unfollowed.isEmpty {
            session.followedCount = entry.unfollowedStart + entry.unfollowed.count
        } else {
            return
        }
        kv.markFollowed(session.followedCount, of: session.sequence)
    }

    /// Accepts the samples of an entry, one after another, as long as the drafts before them were right.
    private mutating func accept(
        _ samples: [Token],
        of entry: StepEntry,
        for session: Session,
        at now: ContinuousClock.Instant
    ) {
        guard 1...(entry.draftCount + 1) ~= samples.count else {
            finish(session, .failed("the engine gave \(samples.count) tokens for \(entry.draftCount) drafted"))
            return
        }
        let draft = entry.drafts
        var acceptedDrafts = 0
        for (sample, drafted) in zip(samples, draft.map(Optional.some) + [nil]) {
            deliver(sample, to: session, at: now)
            // A right draft after which nothing could be sampled is computed again: the engine says why then.
            guard session.status == .running, sample == drafted, acceptedDrafts + 1 < samples.count else { break }
            // Its keys and values are in the session's blocks already; a state may have gone too far.
            if kv.states == nil { kv.markComputed(1, of: &session.sequence) }
            acceptedDrafts += 1
        }
        if session.status == .running, kv.states != nil, !draft.isEmpty {
            session.repeatedCount = kv.settleDrafts(of: &session.sequence, accepted: acceptedDrafts, of: draft.count)
        }
        guard !draft.isEmpty else { return }
        statistics.drafts[session.drafter.source, default: DraftCounts()].add(draft.count, accepted: acceptedDrafts)
        session.drafter.learn(accepted: acceptedDrafts, of: draft.count)
        if session.drafter.source == session.drafter.engine { draftCost.learn(isAccepted: acceptedDrafts > 0) }
    }

    /// Delivers the tokens that an answer begins with: its prompt is computed.
    private mutating func deliverLeading(to session: Session, at now: ContinuousClock.Instant) {
        for token in session.takeLeading() {
            statistics.forcedTokensTotal += 1
            count(token, of: session, at: now)
        }
    }

    /// Delivers the tokens that a session's constraint forces, as far as its reader has room. The next step computes them
    /// at once.
    private mutating func deliverForced(to session: Session, at now: ContinuousClock.Instant) {
        guard configuration.ridesForcedTokens else { return }
        // Behind what is forced, more may be: a constraint need not say all at once.
        for _ in 0..<Self.mostForcedRuns {
            guard session.status == .running else { return }
            let tokens = session.forcedTokens(atMost: session.channel.room - session.unsent)
            guard !tokens.isEmpty else { return }
            for token in tokens where session.status == .running {
                statistics.forcedTokensTotal += 1
                deliver(token, isForced: true, to: session, at: now)
            }
        }
    }

    /// Takes a token into the answer and sends it to the reader, or ends the session if it is a stop token, the last one,
    /// or nothing but a stop token can follow.
    private mutating func deliver(
        _ token: Token,
        isForced: Bool = false,
        to session: Session,
        at now: ContinuousClock.Instant
    ) {
        guard session.constraintAccepts(token) else {
            finish(session, .failed("the answer's constraint does not allow the token \(token)"))
            return
        }
        guard !session.request.stopTokens.contains(token) else {
            count(token, of: session, at: now, isDelivered: false)
            finish(session, .stopToken(token))
            return
        }
        session.append(token, isForced: isForced)
        count(token, of: session, at: now)
        if session.isFinished {
            finishWhole(session, at: now)
        } else if session.sampled >= session.sampleLimit {
            finish(session, session.limitReason)
        }
    }

    /// Ends a session after whose last token only a stop token could be sampled. That one is counted, as if it had been.
    private mutating func finishWhole(_ session: Session, at now: ContinuousClock.Instant) {
        guard let token = session.request.stopTokens.min() else {
            finish(session, .stopped)
            return
        }
        if session.sampled < session.sampleLimit { count(token, of: session, at: now, isDelivered: false) }
        finish(session, .stopToken(token))
    }

    /// Counts a token of an answer and sends it to the reader.
    private mutating func count(
        _ token: Token,
        of session: Session,
        at now: ContinuousClock.Instant,
        isDelivered: Bool = true
    ) {
        session.sampled += 1
        statistics.tokensGeneratedTotal += 1
        if let last = session.lastTokenAt {
            append(.interToken(seconds: (now - last) / .seconds(1)))
        } else {
            append(.firstToken(seconds: (now - session.submitted) / .seconds(1)))
        }
        session.lastTokenAt = now
        guard isDelivered else { return }
        session.unsent += 1
        append(.token(token, session))
    }

    /// Ends the sessions of a step that could not be computed; the others go on.
    mutating func fail(_ step: Step, _ error: EngineError) {
        if error.isLasting, failure == nil {
            failure = error.description
            append(.engineFailed(error.description))
        }
        for entry in step.entries {
            if let session = sessions[entry.session] { finish(session, .failed(error.description)) }
        }
    }

    /// Counts where the time of one turn went: what the engine does not account for was spent on scheduling.
    mutating func addTimes(_ engineTimes: StepTimes, since turn: ContinuousClock.Instant) {
        var times = engineTimes
        times.scheduling = max(0, (ContinuousClock.now - turn) / .seconds(1) - engineTimes.total)
        statistics.stepTimes = statistics.stepTimes + times
    }
}
