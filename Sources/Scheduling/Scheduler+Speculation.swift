import EngineContract

/// Guesses that ride along in small steps, and what becomes of them.
///
/// A guess is checked by sampling at its place with the very draw that the place would have had without it. While the
/// sample equals the guess, the next sample counts too; the first that differs is the token itself. As a token's logits
/// do not depend on what is computed beside it, answers are the same, token for token, whether greedy or drawn.
extension Scheduler {
    /// A step of up to this many tokens takes hardly longer than one of a single token: its time is that of reading the
    /// weights.
    private static let freeTokens = 8

    /// Adds guesses to a step in which every session decodes, where it has room for them.
    func addDrafts(to entries: inout [StepEntry]) {
        var room = min(Self.freeTokens, configuration.stepTokenBudget) - entries.count
        guard configuration.speculates, room > 0,
            entries.allSatisfy({ sessions[$0.session]?.isDecoding == true })
        else { return }
        for index in entries.indices where room > 0 {
            guard let session = sessions[entries[index].session] else { continue }
            let sharers = entries.count - index
            let draft = session.draft(atMost: (room + sharers - 1) / sharers)
            guard !draft.isEmpty else { continue }
            guard kv.grow(session, by: 1 + draft.count) else {
                kv.shrink(session)
                continue
            }
            entries[index] = session.entry(1, draft: draft)
            room -= draft.count
        }
    }

    /// Takes the samples of an entry as far as the guesses before them came true.
    func accept(_ samples: [Token], of entry: StepEntry, for session: Session, at now: ContinuousClock.Instant) {
        guard 1...(entry.draftCount + 1) ~= samples.count else {
            finish(session, .failed("the engine gave \(samples.count) tokens for \(entry.draftCount) guesses"))
            return
        }
        let draft = entry.tokens.suffix(entry.draftCount)
        var accepted = 0
        for (sample, guess) in zip(samples, draft.map(Optional.some) + [nil]) {
            accept(sample, for: session, at: now)
            guard session.place == .running, sample == guess else { break }
            // Its keys and values are in the session's blocks already.
            session.advance(1)
            kv.register(session)
            accepted += 1
        }
        guard !draft.isEmpty else { return }
        figures.draftedTokensTotal += draft.count
        figures.acceptedTokensTotal += accepted
        session.drafter.learn(accepted: accepted, of: draft.count)
        kv.shrink(session)
    }
}
