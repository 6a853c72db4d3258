package import EngineContract

/// The Scheduler's limits.
package struct SchedulerConfiguration: Sendable {
    /// The most tokens computed in one step; the engine's own limit if that is less.
    package var stepTokenBudget = 256
    /// How long a step may take while answers run: prompts are computed in pieces that keep it. Nil is about twice the
    /// time of a step without prompts, or 20 ms if that is longer.
    package var interTokenGoal: Duration?
    package var maxRunningSessions = 64
    package var maxWaitingSessions = 256
    /// Tokens a session may be ahead of its reader.
    package var deliveryWindow = 256
    /// How long a session is kept for a reader that lags and reads nothing. Meanwhile others may take its memory.
    package var readerStallLimit: Duration = .seconds(60)
    /// Whether small steps carry drafts of the next tokens. Answers are the same with and without.
    package var speculates = true
    /// Whether the engine is asked for drafts only as far as they pay by the time that they take; else as if they took none.
    package var weighsDrafts = true
    /// Whether tokens that a constraint forces are computed together, without sampling each. Answers are the same with and
    /// without.
    package var ridesForcedTokens = true
    /// How long blocks stay in the prefix cache when no session uses them; nil: until their memory is needed.
    package var cacheIdleLimit: Duration? = .seconds(900)
    /// How long unused memory is kept for the next requests before the system gets it back.
    package var memoryIdleLimit: Duration = .seconds(20)
    /// How long sessions wait for blocks to be read from the store. Then it rests until it has read them.
    package var storeReadLimit: Duration = .seconds(10)

    package init() {}
}

/// Counts and gauges, for `/health` and `/metrics`.
package struct SchedulerStatistics: Sendable {
    package var sessionsWaiting = 0
    package var sessionsRunning = 0
    package var blocksTotal = 0
    package var blocksInUse = 0
    /// Evictable blocks: no session uses them, but the prefix cache may hand them out again.
    package var blocksCached = 0
    /// Slots of state memory: those that sessions have, and those that hold snapshots of texts that may be continued.
    package var stateSlotsTotal = 0
    package var stateSlotsInUse = 0
    package var stateSnapshots = 0
    package var stepsTotal = 0
    /// Where the time of all steps went.
    package var stepTimes = StepTimes()
    package var tokensGeneratedTotal = 0
    package var prefixHitTokensTotal = 0
    /// Those of each source that there was one of.
    package var drafts: [DraftSource: DraftCounts] = [:]
    /// Tokens that a constraint forced, which no step had to sample.
    package var forcedTokensTotal = 0
    package var cancellationsTotal = 0
    package var preemptionsTotal = 0
    /// Tokens sampled per second over the last few seconds.
    package var tokensPerSecond = 0.0

    package init() {}

    package var draftedTokensTotal: Int { drafts.values.reduce(0) { $0 + $1.drafted } }
    package var acceptedTokensTotal: Int { drafts.values.reduce(0) { $0 + $1.accepted } }
}

/// Drafted tokens, and those of them that were sampled then.
package struct DraftCounts: Sendable, Equatable {
    package private(set) var drafted = 0
    package private(set) var accepted = 0

    package init() {}

    mutating func add(_ drafted: Int, accepted: Int) {
        self.drafted += drafted
        self.accepted += accepted
    }
}

/// Told of what happens, synchronously; must be quick.
package protocol SchedulerObserver: Sendable {
    func stepFinished(seconds: Double, tokens: Int, sessions: Int)
    func queued(seconds: Double)
    func firstToken(seconds: Double)
    func interToken(seconds: Double)
    func finished(_ summary: GenerationSummary)
    func preempted()
}
