import EngineContract

/// Decides which sessions get how many tokens of a step.
///
/// There are no phases: each session has tokens that are known but not computed, and a step closes that gap within a token
/// budget. Decoding sessions come first, with a token each. What is left goes to what else is known, as much as
/// `PrefillBudget` allows beside running answers: to the forced tokens of decoding sessions, which take half of it at most
/// while there are prefills, and to prefills: the oldest of each client, clients taking turns. A long prompt leaves a part
/// to those behind it, and a block that several sessions need is computed by one of them.
struct StepPlanner {
    struct Candidate {
        var session: SessionID
        var client: String
        /// Tokens known but not computed; at least 1.
        var remaining: Int
        /// Whether the session is past its first token and lacks the last one, and what was forced after it.
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

    /// Matrix products compute so many tokens together, and what is left of a step's tokens takes nearly as long.
    private static let tile = 8

    let budget: Int
    private var prefillBudget: PrefillBudget
    private var decodeTurn = 0
    /// The decoding sessions of the last plan.
    private var decoding: Set<SessionID> = []
    /// The client whose turn was last.
    private var lastClient = ""

    /// - Parameter goalSeconds: the longest step wanted while answers run; nil is about twice a step without prompts.
    init(budget: Int, goalSeconds: Double? = nil) {
        self.budget = max(1, budget)
        prefillBudget = PrefillBudget(goalSeconds: goalSeconds)
    }

    /// Learns from the time that a step of the last plan took. Forced tokens cost what those of prompts do.
    mutating func learn(_ step: Step, seconds: Double) {
        let answers = step.entries.filter { decoding.contains($0.session) }
        let answerTokens = answers.reduce(0) { $0 + 1 + $1.draftCount }
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
        self.decoding = Set(decoding.lazy.map(\.session))
        let isAlone = candidates.count == 1
        left = min(left - shares.count, isAlone ? .max : promptTokens(beside: shares.count))

        let prefills = prefillOrder(withoutDuplicates(candidates.filter { !$0.isDecoding }))
        if shares.count == decoding.count {
            left -= addForced(of: decoding, to: &shares, atMost: prefills.isEmpty ? left : left / 2)
        }
        return shares + split(left, among: prefills)
    }

    /// What `PrefillBudget` allows, but whole tiles with the answers' tokens: fewer, unless that leaves next to nothing.
    private func promptTokens(beside answers: Int) -> Int {
        let allowed = prefillBudget.tokens(beside: answers)
        guard answers > 0, (1..<budget).contains(allowed) else { return allowed }
        let whole = (answers + allowed) / Self.tile * Self.tile - answers
        return whole >= Self.tile / 2 ? whole : whole + Self.tile
    }

    /// Gives decoding sessions their forced tokens, the oldest first.
    /// - Parameter shares: those of `decoding`.
    /// - Returns: how many tokens were added.
    private func addForced(of decoding: [Candidate], to shares: inout [Share], atMost limit: Int) -> Int {
        var left = limit
        for (index, candidate) in decoding.enumerated() where left > 0 {
            let more = min(left, candidate.remaining - 1)
            shares[index].tokens += more
            left -= more
        }
        return limit - left
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
