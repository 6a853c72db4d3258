import EngineContract

/// One turn: composing a step, and applying its result.
extension Scheduler {
    /// The next step, or nil if no session can go on.
    func composeStep() -> Step? {
        admit()
        var entries: [StepEntry] = []
        for share in planner.plan(candidates()) {
            // A session may have lost its blocks to an older one of the same step.
            guard let session = sessions[share.session], running.contains(where: { $0 === session }) else { continue }
            guard reserve(session, tokens: share.tokens) else { continue }
            entries.append(session.entry(share.tokens))
            session.isInStep = true
        }
        return entries.isEmpty ? nil : Step(entries: entries)
    }

    private func candidates() -> [StepPlanner.Candidate] {
        running.compactMap { session in
            guard session.delivery.hasRoom() else {
                pause(session)
                return nil
            }
            session.isPaused = false
            return StepPlanner.Candidate(
                session: session.id,
                client: session.request.client,
                remaining: session.remaining,
                isDecoding: session.isDecoding
            )
        }
    }

    /// Lets waiting sessions in, while there are seats and memory for their prompts.
    private func admit() {
        while running.count < configuration.maxRunningSessions, let session = waiting.next() {
            guard kv.fits(session, others: running) || running.isEmpty else { return }
            waiting.remove(session)
            kv.begin(session)
            if session.sampled == 0 {
                figures.prefixHitTokensTotal += session.cachedTokens ?? 0
                observer?.queued(seconds: (ContinuousClock.now - session.submitted) / .seconds(1))
            }
            let index = running.firstIndex { $0.id > session.id } ?? running.endIndex
            running.insert(session, at: index)
        }
    }

    /// Gives a session the blocks for its next tokens, taking them from the youngest if there are none.
    private func reserve(_ session: Session, tokens: Int) -> Bool {
        while !kv.grow(session, by: tokens) {
            guard let youngest = running.last(where: { !$0.isInStep }), youngest.id >= session.id else {
                // All younger ones are in this step already: wait for the next.
                return false
            }
            preempt(youngest)
            if youngest === session { return false }
        }
        return true
    }

    private func preempt(_ session: Session) {
        kv.release(session)
        session.reset()
        running.removeAll { $0 === session }
        waiting.append(session)
        figures.preemptionsTotal += 1
        observer?.preempted()
    }

    func apply(_ result: StepResult, of step: Step) {
        var sampled = 0
        for (entry, token) in zip(step.entries, result.samples) {
            guard let session = sessions[entry.session] else { continue }
            session.isInStep = false
            if let reason = session.ending {
                finish(session, reason)
                continue
            }
            session.advance(entry.tokens.count)
            kv.register(session)
            if let token {
                sampled += 1
                accept(token, for: session)
            } else if session.sampleLimit == 0, session.remaining == 0 {
                finish(session, session.limitReason)
            }
        }
        if sampled > 0 {
            figures.tokensGeneratedTotal += sampled
            rate.add(sampled)
        }
    }

    private func accept(_ token: Token, for session: Session) {
        let now = ContinuousClock.now
        session.sampled += 1
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

    /// An engine's error ends the sessions of its step; the others go on.
    func fail(_ step: Step, _ error: EngineError) {
        for entry in step.entries {
            guard let session = sessions[entry.session] else { continue }
            session.isInStep = false
            finish(session, session.ending ?? .failed(error.description))
        }
    }

    /// Ends a session now, or after the step that still writes to its blocks.
    func end(_ session: Session, _ reason: FinishReason) {
        if session.isInStep {
            if session.ending == nil { session.ending = reason }
        } else {
            finish(session, reason)
            start()
        }
    }

    private func finish(_ session: Session, _ reason: FinishReason) {
        sessions[session.id] = nil
        kv.release(session)
        running.removeAll { $0 === session }
        waiting.remove(session)
        if reason == .cancelled { figures.cancellationsTotal += 1 }
        let summary = session.summary(reason)
        // Counted first: who has its answer finds it in the figures.
        observer?.finished(summary)
        session.delivery.finish(summary)
    }

    /// A reader that does not read holds memory; after a while that is over.
    private func pause(_ session: Session) {
        guard !session.isPaused else { return }
        session.isPaused = true
        let (id, limit, sampled) = (session.id, configuration.readerStallLimit, session.sampled)
        Task { [weak self] in
            try? await Task.sleep(for: limit)
            await self?.endIfStalled(id, sampled: sampled)
        }
    }

    private func endIfStalled(_ id: SessionID, sampled: Int) {
        guard let session = sessions[id], session.isPaused, session.sampled == sampled else { return }
        guard !session.delivery.hasRoom() else { return }
        end(session, .failed("the reader did not read for \(configuration.readerStallLimit)"))
    }

    /// What is wrong with the accounting, or nil if nothing is.
    package func checkIntegrity() -> String? {
        var references: [BlockIndex: Int] = [:]
        for session in sessions.values {
            for block in session.blocks { references[block, default: 0] += 1 }
        }
        for (block, count) in references where kv.pool.references(to: block) != count {
            return "block \(block) has \(kv.pool.references(to: block)) references, sessions have \(count)"
        }
        guard kv.pool.referencedCount == references.count else {
            return "\(kv.pool.referencedCount) blocks are referenced, sessions refer to \(references.count)"
        }
        guard running.count + waiting.count == sessions.count else {
            return "\(running.count) running and \(waiting.count) waiting are not \(sessions.count) sessions"
        }
        return nil
    }
}
