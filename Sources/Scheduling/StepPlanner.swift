import EngineContract

/// Decides which sessions get how many tokens of a step.
///
/// There are no phases: each session has tokens that are known but not computed, and a step closes that gap within a token
/// budget. Decoding sessions come first, with a token each, but for a few tokens that prompts always have. What is left goes
/// to what else is known, as much as `PrefillBudget` allows beside running answers: to the forced tokens of decoding sessions,
/// which take half of it at most while there are prefills, and to prefills: the oldest of each client, clients taking turns. A
/// long prompt leaves a part to those behind it, and a block that several sessions need is computed by one of them.
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

    let budget: Int
    private var prefillBudget: PrefillBudget
    private var decodeTurn = 0
    /// Where a step has one token: whether a prompt gets it next.
    private var isPromptsTurn = false
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
        var shares: [Share] = []
        let decoding = candidates.filter(\.isDecoding)
        // Not where the time of answers alone is to be measured.
        let hasPrompts = decoding.count < candidates.count && prefillBudget.tokens(beside: decoding.count) > 0
        let seats = budget - (hasPrompts ? leastForPrompts() : 0)
        // More decoding sessions than there are tokens for them: they take turns.
        let first = decoding.count > seats ? decodeTurn % decoding.count : 0
        for offset in 0..<min(seats, decoding.count) {
            shares.append(Share(session: decoding[(first + offset) % decoding.count].session, tokens: 1))
        }
        if decoding.count > seats { decodeTurn = (first + seats) % decoding.count }
        self.decoding = Set(decoding.lazy.map(\.session))
        let isAlone = candidates.count == 1
        var left = min(budget - shares.count, isAlone ? .max : promptTokens(beside: shares.count))

        let prefills = withoutDuplicates(prefillOrder(candidates.filter { !$0.isDecoding }))
        if shares.count == decoding.count {
            left -= addForced(of: decoding, to: &shares, atMost: prefills.isEmpty ? left : left / 2)
        }
        return shares + split(left, among: prefills)
    }

    /// What decoding sessions leave to prompts, however many they are.
    private mutating func leastForPrompts() -> Int {
        guard budget == 1 else { return min(PrefillBudget.minTokens, budget / 2) }
        defer { isPromptsTurn.toggle() }
        return isPromptsTurn ? 1 : 0
    }

    /// What `PrefillBudget` allows, but whole tiles with the answers' tokens: fewer, unless that leaves next to nothing.
    private func promptTokens(beside answers: Int) -> Int {
        let allowed = prefillBudget.tokens(beside: answers)
        guard answers > 0, (1..<budget).contains(allowed) else { return allowed }
        let whole = (answers + allowed) / Step.tile * Step.tile - answers
        return whole >= Step.tile / 2 ? whole : whole + Step.tile
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

    /// Of sessions that fill the same block next, the one that is furthest in it, when it is the first one's turn.
    private func withoutDuplicates(_ candidates: [Candidate]) -> [Candidate] {
        var places: [PrefixCache.Key: Int] = [:]
        var result: [Candidate] = []
        for candidate in candidates {
            guard let block = candidate.nextBlock, let place = places[block.key] else {
                if let block = candidate.nextBlock { places[block.key] = result.count }
                result.append(candidate)
                continue
            }
            if block.computed > result[place].nextBlock?.computed ?? 0 { result[place] = candidate }
        }
        return result
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
