package import EngineContract

/// The Scheduler's bounds.
package struct SchedulerConfiguration: Sendable {
    /// Tokens computed in one step; no more than the engine can.
    package var stepTokenBudget = 256
    /// How long a step may take while answers run: prompts are computed in pieces that keep it. Nil is about twice the
    /// time of a step without prompts, or 20 ms if that is longer.
    package var interTokenGoal: Duration?
    package var maxRunningSessions = 64
    package var maxWaitingSessions = 256
    /// Tokens a session may be ahead of its reader.
    package var deliveryWindow = 256
    /// How long a session is kept for a reader that lags and reads nothing. Meanwhile others may have its memory.
    package var readerStallLimit: Duration = .seconds(60)
    /// Whether small steps carry guesses of the next tokens. Answers are the same with and without.
    package var speculates = true
    /// How long blocks are kept for their contents when nobody uses them; nil: until others need them.
    package var cacheIdleLimit: Duration? = .seconds(900)
    /// How long memory that is of no use now is kept for the next requests.
    package var memoryIdleLimit: Duration = .seconds(20)

    package init() {}
}

/// Figures of the moment, for `/health` and `/metrics`.
package struct SchedulerStatistics: Sendable {
    package var sessionsWaiting = 0
    package var sessionsRunning = 0
    package var blocksTotal = 0
    package var blocksInUse = 0
    /// Blocks that nobody uses but whose contents may be found again.
    package var blocksCached = 0
    package var stepsTotal = 0
    /// Where the time of all steps went.
    package var stepTimes = StepTimes()
    package var tokensGeneratedTotal = 0
    package var prefixHitTokensTotal = 0
    /// Tokens guessed, and those of them that were sampled then.
    package var draftedTokensTotal = 0
    package var acceptedTokensTotal = 0
    package var cancellationsTotal = 0
    package var preemptionsTotal = 0
    /// Tokens sampled per second over the last few seconds.
    package var tokensPerSecond = 0.0

    package init() {}
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
