import EngineContract

/// Decides which sessions get how many tokens of a step.
///
/// There are no phases: each session has tokens that are known but not computed, and a step closes that gap within a token
/// budget. Sessions one token behind are decoding and come first. What is left goes to prefills, as much as `PrefillBudget`
/// allows beside running answers: the oldest of each client, clients taking turns. A long prompt leaves a part to those
/// behind it, and a block that several sessions need is computed by one of them.
struct StepPlanner {
    struct Candidate {
        var session: SessionID
        var client: String
        /// Tokens known but not computed; at least 1.
        var remaining: Int
        /// Whether the session is past its first token and lacks one.
        var isDecoding: Bool
        var nextBlock: NextBlock?
    }

    /// The block that a session fills next, with tokens that are all known.
    struct NextBlock {
        /// The prefix cache's key of the full block.
        var key: PrefixCache.Key
        /// How many of its tokens are computed already.
        var computed: Int
    }

    struct Share: Equatable {
        var session: SessionID
        var tokens: Int
    }

    let budget: Int
    private var prefillBudget: PrefillBudget
    private var decodeTurn = 0
    /// The client whose turn was last.
    private var lastClient = ""

    /// - Parameter goalSeconds: the longest step wanted while answers run; nil is about twice a step without prompts.
    init(budget: Int, goalSeconds: Double? = nil) {
        self.budget = max(1, budget)
        prefillBudget = PrefillBudget(goalSeconds: goalSeconds)
    }

    /// Learns from the time that a step took.
    mutating func learn(_ step: Step, seconds: Double) {
        let answers = step.entries.filter { $0.tokens.count == $0.draftCount + 1 && $0.sampleIndex > 0 }
        let answerTokens = answers.reduce(0) { $0 + $1.tokens.count }
        prefillBudget.learn(seconds: seconds, answerTokens: answerTokens, promptTokens: step.tokenCount - answerTokens)
    }

    /// - Parameter candidates: sessions that can go on, oldest first.
    mutating func plan(_ candidates: [Candidate]) -> [Share] {
        var left = budget
        var shares: [Share] = []
        let decoding = candidates.filter(\.isDecoding)
        // More decoding sessions than the budget has tokens: they take turns.
        let first = decoding.count > left ? decodeTurn % decoding.count : 0
        for offset in 0..<min(left, decoding.count) {
            shares.append(Share(session: decoding[(first + offset) % decoding.count].session, tokens: 1))
        }
        if decoding.count > left { decodeTurn = (first + left) % decoding.count }
        left = min(left - shares.count, prefillBudget.tokens(beside: shares.count))

        let prefills = prefillOrder(withoutDuplicates(candidates.filter { !$0.isDecoding }))
        return shares + split(left, among: prefills)
    }

    /// Leaves out sessions whose next block is filled by another session that is further in it, or older.
    private func withoutDuplicates(_ candidates: [Candidate]) -> [Candidate] {
        var best: [PrefixCache.Key: (session: SessionID, computed: Int)] = [:]
        for candidate in candidates {
            guard let block = candidate.nextBlock, block.computed > best[block.key]?.computed ?? -1 else { continue }
            best[block.key] = (candidate.session, block.computed)
        }
        return candidates.filter { candidate in
            guard let block = candidate.nextBlock else { return true }
            return best[block.key]?.session == candidate.session
        }
    }

    /// A session that cannot be completed in this step takes half of what is left, so that short prompts need not wait for
    /// long ones; what nobody takes goes to the first.
    private func split(_ budget: Int, among candidates: [Candidate]) -> [Share] {
        var left = budget
        var shares: [Share] = []
        for candidate in candidates where left > 0 {
            let tokens = candidate.remaining <= left ? candidate.remaining : (left + 1) / 2
            shares.append(Share(session: candidate.session, tokens: tokens))
            left -= tokens
        }
        for index in shares.indices where left > 0 {
            let more = min(left, candidates[index].remaining - shares[index].tokens)
            shares[index].tokens += more
            left -= more
        }
        return shares
    }

    /// The oldest of every client, then the second of every client, …; the next client begins each time.
    private mutating func prefillOrder(_ candidates: [Candidate]) -> [Candidate] {
        guard candidates.count > 1 else { return candidates }
        var clients: [String] = []
        var queues: [String: [Candidate]] = [:]
        for candidate in candidates {
            if queues[candidate.client] == nil { clients.append(candidate.client) }
            queues[candidate.client, default: []].append(candidate)
        }
        guard clients.count > 1 else { return candidates }
        clients.sort()
        let first = clients.firstIndex { $0 > lastClient } ?? 0
        lastClient = clients[first]
        let order = clients[first...] + clients[..<first]
        var result: [Candidate] = []
        for round in 0..<candidates.count {
            for client in order {
                if let queue = queues[client], round < queue.count { result.append(queue[round]) }
            }
        }
        return result
    }
}
