import EngineContract

/// What a token costs that the engine drafts, as a share of a step without: to draft it, and to compute it along; and how often
/// such tokens are accepted. Measured, the last steps counting most.
struct DraftCost {
    /// Of the first tokens of all sessions' drafts, the share that is accepted: what a new session begins with, at most
    /// what it would without.
    private(set) var acceptedShare = EngineDraftPace.firstShare

    /// Seconds of steps of so many answers and no drafts.
    private var plainSeconds: [Int: Double] = [:]
    private var drafting: Double?
    private var checking = 0.0

    /// Nil before the first.
    var share: Double? { drafting.map { $0 + checking } }

    mutating func learn(_ result: StepResult, of step: Step) {
        let (count, drafts) = (step.entries.count, step.entries.reduce(0) { $0 + $1.draftCount })
        let rest = result.times.total - result.draftSeconds
        // Of answers alone, and what a draft model makes up for is not what a draft costs.
        guard rest > 0, step.tokenCount - drafts == count,
            step.entries.allSatisfy({ $0.samples && $0.unfollowed.isEmpty })
        else { return }
        if drafts == 0 {
            plainSeconds[count] = Self.average(plainSeconds[count], rest)
        } else if let plain = plainSeconds[count] {
            let more = max(0, rest / plain - 1) * Double(count) / Double(drafts)
            checking = Self.average(checking, min(1, more))
        }
        guard result.draftRounds > 0, result.draftSeconds > 0 else { return }
        let cost = result.draftSeconds / Double(result.draftRounds) / (plainSeconds[count] ?? rest)
        drafting = Self.average(drafting, min(4, cost))
    }

    /// Takes note of whether the first token of a draft was accepted.
    mutating func learn(isAccepted: Bool) {
        acceptedShare = min(EngineDraftPace.firstShare, acceptedShare + ((isAccepted ? 1 : 0) - acceptedShare) / 32)
    }

    private static func average(_ before: Double?, _ value: Double) -> Double {
        before.map { $0 + (value - $0) / 8 } ?? value
    }
}
