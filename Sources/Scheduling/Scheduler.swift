package import EngineContract

/// The owner of every session's state. Each turn it composes one step, awaits the engine once, and hands each sampled
/// token to its session's reader.
package actor Scheduler {
    package nonisolated let engineDescription: EngineDescription

    let engine: any InferenceEngine
    let configuration: SchedulerConfiguration
    let observer: (any SchedulerObserver)?
    let stored: StoredBlocks?
    let onFailure: @Sendable (String) -> Void

    var sessions: [SessionID: Session] = [:]
    /// Oldest first.
    var running: [Session] = []
    var waiting: WaitingQueue
    var kv: KVAccounting
    var planner: StepPlanner
    var figures = SchedulerStatistics()
    var rate = TokenRate()
    var reads = BlockReads()
    var idleMemory = IdleMemory()

    private var nextID: UInt64 = 1
    private var loop: Task<Void, Never>?
    var readerWatch: Task<Void, Never>?
    private(set) var isStopping = false
    /// Why nothing can be computed any more; nil while all is well.
    package internal(set) var failure: String?
    var isHurried = false
    private var waitingForEnd: [CheckedContinuation<Void, Never>] = []

    /// - Parameter onFailure: told, once, why nothing can be computed any more; must be quick.
    package init(
        engine: any InferenceEngine,
        configuration: SchedulerConfiguration = SchedulerConfiguration(),
        observer: (any SchedulerObserver)? = nil,
        stored: StoredBlocks? = nil,
        onFailure: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        var configuration = configuration
        configuration.stepTokenBudget = min(configuration.stepTokenBudget, engine.description.maxStepTokens)
        configuration.maxRunningSessions = max(1, configuration.maxRunningSessions)
        self.engine = engine
        self.configuration = configuration
        self.observer = observer
        self.stored = stored
        self.onFailure = onFailure
        engineDescription = engine.description
        kv = KVAccounting(
            blocks: engineDescription.blockCount,
            blockSize: engineDescription.blockSize,
            window: engineDescription.window,
            stepTokens: configuration.stepTokenBudget
        )
        planner = StepPlanner(
            budget: configuration.stepTokenBudget,
            goalSeconds: configuration.interTokenGoal.map { $0 / .seconds(1) }
        )
        waiting = WaitingQueue()
    }

    /// The most tokens a session can hold: the model's context, or all KV memory if that is less.
    package nonisolated var contextLength: Int {
        min(engineDescription.contextLength, engineDescription.blockCount * engineDescription.blockSize)
    }

    /// Takes a request on.
    /// - Throws: `AdmissionError` if it can never be served, or not now.
    package func submit(_ request: GenerationRequest) throws(AdmissionError) -> Generation {
        guard !isStopping else { throw .shuttingDown }
        guard !request.prompt.isEmpty else { throw .emptyPrompt }
        let room = contextLength - request.prompt.count
        guard room >= 1 else { throw .promptTooLong(tokens: request.prompt.count, maximum: contextLength - 1) }
        let vocabulary = Token(clamping: engineDescription.vocabularySize)
        if let token = request.prompt.first(where: { $0 < 0 || $0 >= vocabulary }) { throw .invalidToken(token) }
        guard
            sessions.count - configuration.maxRunningSessions < configuration.maxWaitingSessions
                || makeRoom(for: request.client)
        else { throw .queueFull(retryAfterSeconds: 2) }

        let id = SessionID(nextID)
        nextID += 1
        let (stream, continuation) = AsyncStream<GenerationEvent>.makeStream()
        let leave = { @Sendable [weak self] (reason: FinishReason) in _ = Task { await self?.finish(id, reason) } }
        continuation.onTermination = { @Sendable termination in
            if case .cancelled = termination { leave(.cancelled) }
        }
        let delivery = Delivery(
            window: configuration.deliveryWindow,
            continuation: continuation,
            wake: { @Sendable [weak self] in _ = Task { await self?.start() } },
            leave: leave
        )
        let session = Session(
            id: id,
            request: request,
            delivery: delivery,
            sampleLimit: min(max(0, request.maxTokens), room),
            limitReason: request.maxTokens > room ? .contextFull : .maxTokens
        )
        sessions[id] = session
        waiting.append(session)
        start()
        return Generation(
            id: id,
            cachedTokens: kv.cachedTokens(of: session),
            stream: stream,
            delivery: delivery
        )
    }

    /// Ends a session, whose blocks are free at once. Unknown sessions are no error.
    package func cancel(_ id: SessionID) { finish(id, .cancelled) }

    private func finish(_ id: SessionID, _ reason: FinishReason) {
        if let session = sessions[id] { finish(session, reason) }
    }

    package func statistics() -> SchedulerStatistics {
        var result = figures
        result.sessionsWaiting = waiting.count
        result.sessionsRunning = running.count
        result.blocksTotal = kv.pool.count
        result.blocksInUse = kv.pool.referencedCount
        result.blocksCached = kv.pool.keptCount
        result.tokensPerSecond = rate.perSecond(at: .now)
        return result
    }

    /// Closes admission, lets sessions finish for a time, then ends the rest; returns when none is left.
    package func stop(within time: Duration) async {
        isStopping = true
        let ending = Task {
            // Whoever is left when the time is over ends; nobody is if the sleep was broken off.
            try? await Task.sleep(for: time)
            for session in sessions.values.sorted(by: { $0.id < $1.id }) { finish(session, .shutdown) }
        }
        await untilEmpty()
        ending.cancel()
    }

    /// Returns when there is no session, waiting or running.
    package func untilEmpty() async {
        guard !sessions.isEmpty else { return }
        await withCheckedContinuation { waitingForEnd.append($0) }
    }

    /// Ends a session. What it leaves may be what others wait for.
    func finish(_ session: Session, _ reason: FinishReason) {
        sessions[session.id] = nil
        kv.release(session)
        leave(session)
        session.place = .ended
        if reason == .cancelled { figures.cancellationsTotal += 1 }
        let summary = session.summary(reason)
        // Counted first: who has its answer finds it in the figures.
        observer?.finished(summary)
        session.delivery.finish(summary)
        start()
        watchMemory()
        guard sessions.isEmpty else { return }
        for continuation in waitingForEnd { continuation.resume() }
        waitingForEnd = []
    }

    /// Runs steps until there is nothing to do; idle costs nothing.
    func start() {
        guard loop == nil else { return }
        loop = Task { await self.run() }
    }

    private func run() async {
        while true {
            if !reads.arrivals.isEmpty {
                await restore(reads.arrivals.removeFirst())
                continue
            }
            // A piece before each step, all of it if there is none.
            if idleMemory.isDue { await giveBackMemory() }
            let turn = ContinuousClock.now
            guard let step = composeStep() else {
                if idleMemory.isDue || !reads.arrivals.isEmpty { continue }
                break
            }
            let begin = ContinuousClock.now
            idleMemory.lastWork = begin
            do {
                let result = try await engine.step(step)
                let seconds = (ContinuousClock.now - begin) / .seconds(1)
                figures.stepsTotal += 1
                planner.learn(step, seconds: seconds)
                observer?.stepFinished(seconds: seconds, tokens: step.tokenCount, sessions: step.entries.count)
                apply(result, of: step)
                count(result.times, since: turn)
            } catch {
                fail(step, error)
            }
        }
        // No suspension since the last look at the sessions: whoever comes now starts the loop anew.
        loop = nil
        watchMemory()
        assert(checkIntegrity() == nil, checkIntegrity() ?? "")
    }

    /// Counts where the time of one turn of the loop went: all that the engine does not say is ours.
    private func count(_ engineTimes: StepTimes, since turn: ContinuousClock.Instant) {
        var times = engineTimes
        times.scheduling = max(0, (ContinuousClock.now - turn) / .seconds(1) - engineTimes.total)
        figures.stepTimes = figures.stepTimes + times
    }

    /// What is wrong with the accounting, or nil if nothing is.
    package func checkIntegrity() -> String? {
        guard running.allSatisfy({ $0.place == .running && sessions[$0.id] === $0 }),
            zip(running, running.dropFirst()).allSatisfy({ $0.id < $1.id })
        else { return "the running sessions are out of order" }
        guard running.count + waiting.count == sessions.count else {
            return "\(running.count) running and \(waiting.count) waiting are not \(sessions.count) sessions"
        }
        return kv.problem(with: sessions.values)
    }
}
