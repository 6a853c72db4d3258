package import EngineContract

/// Why a request was not taken.
package enum AdmissionError: Error, Sendable, Equatable {
    case queueFull(retryAfterSeconds: Int)
    case promptTooLong(tokens: Int, maximum: Int)
    case emptyPrompt
    case invalidToken(Token)
    case shuttingDown
}

/// The scheduler's limits. Every one of them bounds memory or time.
package struct SchedulerConfiguration: Sendable {
    /// Tokens computed in one step: bounds the gap that readers see while a long prompt is computed.
    package var stepTokenBudget = 256
    /// Sessions that hold KV blocks and take part in steps. Paused sessions do not count.
    package var maxRunningSessions = 64
    /// Sessions that wait for a place; past it `AdmissionError.queueFull`.
    package var maxWaitingSessions = 256
    /// Tokens made and not yet read, for each session.
    package var deliveryWindow = 256
    /// How long a paused session's reader may take nothing before the session is ended.
    package var readerStallLimit: Duration = .seconds(60)

    package init() {}
}

/// The scheduler's figures at one moment, and its counters since the start. All are measured.
package struct SchedulerStatistics: Sendable, Equatable {
    package var sessionsWaiting = 0
    /// Sessions that hold blocks, paused ones included.
    package var sessionsRunning = 0
    /// Running or waiting sessions whose reader is a window behind.
    package var sessionsPaused = 0
    package var blocksTotal = 0
    /// Blocks that belong to sessions.
    package var blocksInUse = 0
    /// Blocks that no session holds, kept for later prompts.
    package var blocksCached = 0
    package var stepsTotal = 0
    package var tokensComputedTotal = 0
    package var tokensGeneratedTotal = 0
    /// Generated tokens, over the last few seconds.
    package var tokensPerSecond = 0.0
    package var promptTokensTotal = 0
    package var prefixHitTokensTotal = 0
    package var submissionsTotal = 0
    package var refusalsTotal = 0
    package var cancellationsTotal = 0
    package var preemptionsTotal = 0
    package var failuresTotal = 0

    package init() {}
}

/// Hears what the scheduler does, for metrics. Called on the scheduler: must be quick.
package protocol SchedulerObserver: Sendable {
    func stepFinished(seconds: Double, tokens: Int, sessions: Int)
    /// From the submission to the first token.
    func firstToken(seconds: Double)
    /// From the token before to this one.
    func interToken(seconds: Double)
    /// From the submission to the first share of a step.
    func queued(seconds: Double)
    func finished(_ summary: GenerationSummary)
    func preempted()
}
