package import EngineContract

/// Serves all sessions with one engine. Each turn it lets its state compose a step, awaits the engine once, applies the
/// result, and tells readers and observer what came of it.
///
/// The actor only performs effects; what it decides with is a value, `SchedulerState`.
package actor Scheduler {
    package nonisolated let engineDescription: EngineDescription

    let engine: any InferenceEngine
    let configuration: SchedulerConfiguration
    let stored: StoredBlocks?
    private let observer: (any SchedulerObserver)?
    private let onFailure: @Sendable (String) -> Void

    /// Changed by `update` only, so that no event is left behind.
    private(set) var state: SchedulerState
    /// What is being read from the store, and what ends the waiting for it.
    var runningReads: [(read: BlockRead, deadline: Task<Void, Never>)] = []
    /// Blocks read from the store that their sessions do not have yet.
    var finishedReads: [(read: BlockRead, contents: [[UInt8]])] = []
    var idleMemory = IdleMemory()

    private var nextID: UInt64 = 1
    private var loop: Task<Void, Never>?
    private var readerWatch: Task<Void, Never>?
    private(set) var isStopping = false
    var isSavingStopped = false
    private var waitingForEnd: [CheckedContinuation<Void, Never>] = []

    /// - Parameters:
    ///   - observer: told of what happens, synchronously; must be quick.
    ///   - onFailure: told once if nothing can be computed any more, and why; must be quick.
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
        state = SchedulerState(engineDescription, configuration: configuration, stored: stored)
    }

    /// The most tokens a session can hold: the model's context, or all KV memory if that is less.
    package nonisolated var contextLength: Int {
        min(engineDescription.contextLength, engineDescription.blockCount * engineDescription.blockSize)
    }

    /// Why nothing can be computed any more; nil while steps can be.
    package var failure: String? { state.failure }

    package func statistics() -> SchedulerStatistics { state.currentStatistics }

    /// What is inconsistent in the accounting, or nil if nothing is.
    package func checkIntegrity() -> String? { state.problem }

    // MARK: Sessions

    /// Admits a request.
    /// - Throws: `AdmissionError` if it can never be served, or not now.
    package func submit(_ request: GenerationRequest) throws(AdmissionError) -> Generation {
        guard !isStopping else { throw .shuttingDown }
        guard !request.prompt.isEmpty else { throw .emptyPrompt }
        let room = contextLength - request.prompt.count
        guard room >= 1 else { throw .promptTooLong(tokens: request.prompt.count, maximum: contextLength - 1) }
        let vocabulary = Token(clamping: engineDescription.vocabularySize)
        if let token = request.prompt.first(where: { $0 < 0 || $0 >= vocabulary }) { throw .invalidToken(token) }
        guard update({ $0.makeRoomInQueue(for: request.client) }) else { throw .queueFull(retryAfterSeconds: 2) }

        let id = SessionID(nextID)
        nextID += 1
        let channel = TokenChannel(
            window: configuration.deliveryWindow,
            resumeScheduling: { [weak self] in _ = Task { await self?.startLoop() } },
            endSession: { [weak self] reason in _ = Task { await self?.finish(id, reason) } }
        )
        let session = Session(
            id: id,
            request: request,
            channel: channel,
            room: room,
            blockSize: engineDescription.blockSize,
            vocabularySize: engineDescription.vocabularySize
        )
        if configuration.ridesForcedTokens { session.appendLeading() }
        update { $0.add(session) }
        startLoop()
        return Generation(
            id: id,
            cachedTokens: min(state.kv.cachedTokens(of: session.sequence), session.mostCachedTokens),
            reader: Generation.Reader(channel)
        )
    }

    private func finish(_ id: SessionID, _ reason: FinishReason) {
        update { state in
            if let session = state.sessions[id] { state.finish(session, reason) }
        }
    }

    /// Closes admission, lets sessions finish within `time`, then ends the rest; returns when none is left.
    package func stop(within time: Duration) async {
        isStopping = true
        let ending = Task {
            // If the sleep is cancelled, no session is left.
            try? await Task.sleep(for: time)
            for id in state.sessions.keys.sorted() { finish(id, .shutdown) }
        }
        await untilEmpty()
        ending.cancel()
    }

    /// Returns when there is no session, waiting or running.
    package func untilEmpty() async {
        guard !state.sessions.isEmpty else { return }
        await withCheckedContinuation { waitingForEnd.append($0) }
    }

    // MARK: The loop

    /// Runs steps until there is nothing to do; while idle, nothing runs.
    func startLoop() {
        guard loop == nil else { return }
        loop = Task { await self.runLoop() }
    }

    private func runLoop() async {
        while true {
            if !finishedReads.isEmpty {
                let (read, contents) = finishedReads.removeFirst()
                await restore(read, contents)
                continue
            }
            // A part before each step, all of it if there is no step.
            if idleMemory.isDue { await giveBackMemory() }
            let turn = ContinuousClock.now
            guard let step = update({ $0.schedule() }) else {
                if idleMemory.isDue || !finishedReads.isEmpty { continue }
                break
            }
            await run(step, since: turn)
        }
        // Nothing was awaited since the last look at the sessions: a session that comes now starts the loop anew.
        loop = nil
        watchMemory()
        assert(checkIntegrity() == nil, checkIntegrity() ?? "")
    }

    private func run(_ step: Step, since turn: ContinuousClock.Instant) async {
        let begin = ContinuousClock.now
        idleMemory.lastWork = begin
        do {
            let result = try await engine.step(step)
            let seconds = (ContinuousClock.now - begin) / .seconds(1)
            observer?.stepFinished(seconds: seconds, tokens: step.tokenCount, sessions: step.entries.count)
            update { state in
                state.statistics.stepsTotal += 1
                state.planner.learn(step, seconds: seconds)
                state.update(from: result, of: step)
            }
            update { $0.addTimes(result.times, since: turn) }
        } catch {
            update { $0.fail(step, error) }
        }
    }

    // MARK: Effects

    /// Changes the state, then performs the events that the change brought about.
    func update<Result>(_ change: (inout SchedulerState) -> Result) -> Result {
        let result = change(&state)
        for event in state.takeEvents() { perform(event) }
        return result
    }

    private func perform(_ event: SchedulerState.Event) {
        switch event {
        case .started(let session, let seconds):
            session.channel.start()
            observer?.queued(seconds: seconds)
        case .token(let token, let session):
            session.channel.send(token)
            session.unsent -= 1
        case .firstToken(let seconds): observer?.firstToken(seconds: seconds)
        case .interToken(let seconds): observer?.interToken(seconds: seconds)
        case .preempted: observer?.preempted()
        case .finished(let summary, let session):
            // The observer first: a reader that has its answer finds it counted.
            observer?.finished(summary)
            session.channel.finish(summary)
            sessionEnded()
        case .readerLags: watchReaders()
        case .readBlocks(let blocks): read(blocks)
        case .engineFailed(let reason): onFailure(reason)
        }
    }

    /// A session's end leaves room for others.
    private func sessionEnded() {
        startLoop()
        watchMemory()
        guard state.sessions.isEmpty else { return }
        for continuation in waitingForEnd { continuation.resume() }
        waitingForEnd = []
    }

    /// Ends sessions whose readers do not read. One timer serves all, and there is none while no reader lags.
    private func watchReaders() {
        guard readerWatch == nil else { return }
        readerWatch = Task { [weak self, limit = configuration.readerStallLimit] in
            var due = ContinuousClock.now + limit
            while true {
                try? await Task.sleep(until: due, clock: .continuous)
                guard let next = await self?.finishStalled() else { return }
                due = next
            }
        }
    }

    private func finishStalled() -> ContinuousClock.Instant? {
        let next = update { $0.finishStalled() }
        if next == nil { readerWatch = nil }
        return next
    }
}
