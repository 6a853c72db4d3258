import EngineContract

/// What the Scheduler knows and decides: sessions, queues, KV accounting, statistics. A struct without
/// `async`, whose sessions are references: a copy shares them.
///
/// A turn has three parts: `schedule()` composes a step, the engine computes it, and `update(from:of:)` applies the result.
/// What readers, observers or the block store must hear of is appended to `events`, which the Scheduler performs in order.
struct SchedulerState {
    enum Event {
        /// A session runs for the first time.
        case started(Session, queuedSeconds: Double)
        case token(Token, Session)
        case firstToken(seconds: Double)
        case interToken(seconds: Double)
        case preempted
        case finished(GenerationSummary, Session)
        /// A session is held back because its reader lags.
        case readerLags
        case readBlocks(BlockRead)
        /// No later step can be computed; the reason. At most once.
        case engineFailed(String)
    }

    let configuration: SchedulerConfiguration
    let stored: StoredBlocks?
    let blockSize: Int
    /// What the engine drafts tokens with, if it does.
    let engineDrafter: EngineDrafter?
    let draftContextLength: Int

    private(set) var sessions: [SessionID: Session] = [:]
    /// Oldest first.
    var running: [Session] = []
    var waiting = WaitingQueue()
    var kv: KVCacheManager
    var planner: StepPlanner
    var reads = BlockReads()
    var recent = RecentTexts()
    var draftCost = DraftCost()
    var statistics = SchedulerStatistics()
    var rate = TokenRate()
    /// Why nothing can be computed any more; nil while steps can be.
    var failure: String?
    private var events: [Event] = []

    init(_ engine: EngineDescription, configuration: SchedulerConfiguration, stored: StoredBlocks?) {
        self.configuration = configuration
        self.stored = stored
        blockSize = engine.blockSize
        engineDrafter = engine.drafter
        draftContextLength = engine.draftContextLength
        kv = KVCacheManager(
            blocks: engine.blockCount,
            blockSize: engine.blockSize,
            window: engine.window,
            stepTokens: configuration.stepTokenBudget,
            stateSlots: engine.stateMemory?.slotCount
        )
        planner = StepPlanner(
            budget: configuration.stepTokenBudget,
            goalSeconds: configuration.interTokenGoal.map { $0 / .seconds(1) }
        )
    }

    mutating func append(_ event: Event) { events.append(event) }

    mutating func takeEvents() -> [Event] {
        guard !events.isEmpty else { return [] }
        defer { events = [] }
        return events
    }

    // MARK: The life of a session

    mutating func add(_ session: Session) {
        sessions[session.id] = session
        session.drafter = Drafter(
            engine: engineDrafter == .model ? .model : .head,
            share: draftCost.acceptedShare
        )
        waiting.append(session)
    }

    /// Moves a waiting session to the running ones.
    mutating func run(_ session: Session) {
        waiting.serve(session)
        if !session.hasRun {
            session.cachedTokens = 0
            append(.started(session, queuedSeconds: (ContinuousClock.now - session.submitted) / .seconds(1)))
        }
        kv.planBorders(of: &session.sequence, in: stored?.store)
        recent.use(for: session.sequence)
        reuseCachedBlocks(for: session)
        kv.takeState(for: &session.sequence)
        session.status = .running
        running.insert(session, at: running.firstIndex { $0.id > session.id } ?? running.endIndex)
    }

    /// Takes a running session's blocks and seat; it will be computed again from its tokens.
    mutating func preempt(_ session: Session) {
        kv.releaseBlocks(of: &session.sequence)
        session.followedCount = 0
        session.wasPreempted = true
        removeFromQueues(session)
        session.status = .waiting
        waiting.append(session)
        statistics.preemptionsTotal += 1
        append(.preempted)
    }

    /// Ends a session, waiting or running. Its blocks are free at once.
    mutating func finish(_ session: Session, _ reason: FinishReason) {
        sessions[session.id] = nil
        if configuration.speculates, session.hasRun { recent.add(session.sequence) }
        kv.releaseBlocks(of: &session.sequence)
        removeFromQueues(session)
        session.status = .finished
        if reason == .cancelled { statistics.cancellationsTotal += 1 }
        append(.finished(session.summary(reason), session))
    }

    private mutating func removeFromQueues(_ session: Session) {
        switch session.status {
        case .running: running.removeAll { $0 === session }
        case .waiting: waiting.remove(session)
        case .finished: break
        }
    }

    /// Gives a session the blocks that others have computed since it last looked.
    mutating func reuseCachedBlocks(for session: Session) {
        recordCacheHit(session, tokens: kv.reuseCachedBlocks(for: &session.sequence))
    }

    /// Counts tokens that a session need not compute. What a preempted session finds again is no hit.
    mutating func recordCacheHit(_ session: Session, tokens: Int) {
        session.followedCount = kv.followedCount(of: session.sequence, after: session.followedCount)
        guard tokens > 0, !session.wasPreempted else { return }
        let before = session.cachedTokens ?? 0
        // Forced tokens after the prompt may be in the cache too.
        let after = min(before + tokens, session.mostCachedTokens)
        session.cachedTokens = after
        statistics.prefixHitTokensTotal += after - before
    }

    // MARK: Looking

    var currentStatistics: SchedulerStatistics {
        var result = statistics
        result.sessionsWaiting = waiting.count
        result.sessionsRunning = running.count
        result.blocksTotal = kv.pool.count
        result.blocksInUse = kv.pool.referencedCount
        result.blocksCached = kv.pool.evictableCount
        result.stateSlotsTotal = kv.states?.count ?? 0
        result.stateSlotsInUse = kv.states?.sessionCount ?? 0
        result.stateSnapshots = kv.states?.snapshotCount ?? 0
        result.tokensPerSecond = rate.perSecond(at: .now)
        return result
    }

    /// Whether there is memory that the system could have back; cached blocks and recent texts count if they expire.
    var hasIdleMemory: Bool {
        if configuration.cacheIdleLimit != nil, !recent.isEmpty { return true }
        let cached = configuration.cacheIdleLimit == nil ? kv.pool.evictableCount : 0
        return kv.pool.touchedCount > kv.pool.referencedCount + cached || kv.states?.hasIdleFree == true
    }

    /// What is inconsistent, or nil if nothing is.
    var problem: String? {
        guard running.allSatisfy({ $0.status == .running && sessions[$0.id] === $0 }),
            zip(running, running.dropFirst()).allSatisfy({ $0.id < $1.id })
        else { return "the running sessions are out of order" }
        guard running.count + waiting.count == sessions.count else {
            return "\(running.count) running and \(waiting.count) waiting are not \(sessions.count) sessions"
        }
        return kv.problem(with: sessions.values.lazy.map(\.sequence))
    }
}
