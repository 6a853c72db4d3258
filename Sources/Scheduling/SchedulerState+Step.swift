import EngineContract

/// Composing a step.
extension SchedulerState {
    /// A step of up to this many tokens takes hardly longer than one of a single token: its time is that of reading the
    /// weights.
    private static let freeTokens = 8
    /// Tokens that a draft model takes in of what it missed, in a step of answers alone: with so few it takes hardly longer
    /// than for one. And in a step with prompts.
    private static let madeUpTokens = (beside: 16, inPrompts: StepEntry.mostUnfollowed)

    /// The next step, or nil if no session can go on.
    ///
    /// Blocks are given out here only, that is, while no step runs: a block that a session gives back when it ends during a
    /// step goes to nobody else before the engine is done with it.
    mutating func schedule() -> Step? {
        updatePauses()
        admitWaiting()
        while true {
            let shares = planner.plan(candidates())
            if shares.isEmpty { return nil }
            var entries = allocate(shares)
            if !entries.isEmpty {
                addDrafts(to: &entries)
                return Step(entries: entries)
            }
            // Those with a share found no memory, those with memory had no share. The oldest session, alone, has all it needs.
            if let youngest = running.last { preempt(youngest) }
        }
    }

    private mutating func candidates() -> [StepPlanner.Candidate] {
        var candidates: [StepPlanner.Candidate] = []
        candidates.reserveCapacity(running.count)
        for session in running where session.pause == nil {
            // Blocks that await a state may be all but the last tokens of an answer that goes on.
            let awaitsState = session.sequence.blocksOfState != nil
            if !session.isDecoding || awaitsState {
                if !awaitsState { reuseCachedBlocks(for: session) }
                if awaitsStoredBlocks(session) { continue }
            }
            candidates.append(
                StepPlanner.Candidate(
                    session: session.id,
                    client: session.client,
                    remaining: session.sequence.remaining,
                    isDecoding: session.isDecoding,
                    nextBlock: kv.nextBlock(of: session.sequence)
                )
            )
        }
        return candidates
    }

    /// The entries of the sessions that get the memory for their shares. The oldest come first and take it from the
    /// youngest, so the oldest always progresses, and no two sessions can take blocks from one another for ever.
    private mutating func allocate(_ shares: [StepPlanner.Share]) -> [StepEntry] {
        var entries: [StepEntry] = []
        entries.reserveCapacity(shares.count)
        var madeUp = Self.madeUpTokens.inPrompts
        for share in shares.sorted(by: { $0.session < $1.session }) {
            guard let session = sessions[share.session], session.status == .running,
                allocateBlocks(for: session, tokens: share.tokens)
            else { continue }
            kv.planSnapshots(of: &session.sequence, tokens: share.tokens)
            let isFollowed = engineDrafter == .model && configuration.speculates && !session.isDecoding
            let entry = session.stepEntry(share.tokens, madeUp: isFollowed ? madeUp : nil)
            madeUp -= entry.unfollowed.count
            entries.append(entry)
        }
        return entries
    }

    /// Gives a session the blocks for its next tokens. Where there are none, it preempts sessions whose readers lag, then
    /// the youngest: of the client with the most sessions, if that has at least two more than the youngest's client.
    /// - Returns: false if the session itself is that one: it waits and holds what it has until another needs it.
    private mutating func allocateBlocks(for session: Session, tokens: Int) -> Bool {
        while !kv.allocateBlocks(for: &session.sequence, tokens: tokens) {
            guard let youngest = running.last else { return false }
            // Never an older one: it may be in this step already.
            let fairest = youngestOfLargestClient(besides: youngest.client).flatMap { $0.id >= session.id ? $0 : nil }
            let victim = running.last { $0.pause != nil } ?? fairest ?? youngest
            guard victim !== session else { return false }
            preempt(victim)
        }
        return true
    }

    /// Adds drafts to a step in which every session decodes, as far as it has free tokens, and asks the engine's draft head
    /// or model for those of the next one.
    ///
    /// A draft is verified by sampling at its place with the very draw that the place would have without it. While the
    /// sample equals the draft, the next sample counts too; the first that differs is the token itself. Because a token's
    /// logits do not depend on what is computed beside it, answers are the same token for token, greedy or sampled.
    private mutating func addDrafts(to entries: inout [StepEntry]) {
        var room = min(Self.freeTokens, configuration.stepTokenBudget) - entries.reduce(0) { $0 + $1.tokens.count }
        guard configuration.speculates, room > 0,
            entries.allSatisfy({ sessions[$0.session]?.isDecoding == true })
        else { return }
        let nextRoom = engineDrafter == nil ? 0 : room / entries.count
        let cost = configuration.weighsDrafts ? draftCost.share : nil
        var madeUp = Self.madeUpTokens.beside
        for index in entries.indices where room > 0 {
            guard entries[index].samples, let session = sessions[entries[index].session] else { continue }
            let sharers = entries.count - index
            let draft = session.makeDraft(atMost: (room + sharers - 1) / sharers, recent: recent)
            var wanted = session.wantedDrafts(beside: draft, atMost: nextRoom, cost: cost)
            if session.sequence.tokens.count + draft.count + wanted > draftContextLength { wanted = 0 }
            // What a draft model has missed comes first.
            let missed = wanted > 0 && engineDrafter == .model ? session.missedCount : nil
            if let missed, missed > madeUp { wanted = 0 }
            guard !draft.isEmpty || wanted > 0 || missed ?? 0 > 0 else { continue }
            let known = entries[index].tokens.count
            guard kv.allocateBlocks(for: &session.sequence, tokens: known + draft.count + wanted),
                draft.isEmpty || kv.prepareDrafts(of: &session.sequence)
            else {
                kv.releaseDraftBlocks(of: &session.sequence)
                continue
            }
            kv.planSnapshots(of: &session.sequence, tokens: known + draft.count)
            entries[index] = session.stepEntry(known, draft: draft, wanted: wanted, madeUp: missed.map { _ in madeUp })
            madeUp -= entries[index].unfollowed.count
            room -= draft.count
        }
    }
}
