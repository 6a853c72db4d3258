import EngineContract

/// Memory that is not used any more, on its way back to the system.
struct IdleMemory {
    /// Looks at idle memory from time to time, while there is some.
    var watch: Task<Void, Never>?
    /// Whether the loop is to give back what can be given back now.
    var isDue = false
    /// The last step, or work elsewhere that left memory behind; nil once all was given back.
    var lastWork: ContinuousClock.Instant?
    /// Writes blocks that were evicted to the store: steps do not wait for a disk.
    var saving: Task<Void, Never>?
    /// Whether the engine has trimmed its memory since the last work.
    var isTrimmed = true

    /// The most blocks given back at once: bounds how long a step may have to wait.
    static let maxBlocks = 256
    /// The same where each block is copied for the store; with a state, which may be large, one.
    static let maxStoredBlocks = 8

    static func maxBlocks(isStored: Bool, hasStates: Bool) -> Int {
        guard isStored else { return maxBlocks }
        return hasStates ? 1 : maxStoredBlocks
    }
}

/// Giving memory back: cached blocks that no prompt asked for in a long time, free blocks, and what the engine keeps
/// between steps.
extension Scheduler {
    /// Time between two looks.
    private var tick: Duration {
        let limits = [configuration.memoryIdleLimit / 2, configuration.cacheIdleLimit.map { $0 / 4 } ?? .seconds(10)]
        return max(.milliseconds(5), min(.seconds(10), limits[0], limits[1]))
    }

    private func ticks(_ limit: Duration) -> Int { Int((limit / tick).rounded(.up)) }

    private var hasIdleMemory: Bool { !idleMemory.isTrimmed || state.hasIdleMemory }

    /// Starts the timer that looks at idle memory, if there is some: an idle server has no timer.
    func watchMemory() {
        if idleMemory.lastWork != nil { idleMemory.isTrimmed = false }
        guard idleMemory.watch == nil, hasIdleMemory else { return }
        idleMemory.watch = Task { [weak self, tick] in
            while true {
                try? await Task.sleep(for: tick)
                guard await self?.checkIdleMemory() == true else { return }
            }
        }
    }

    /// Tells that a large request was handled, of which the heap may keep memory.
    package func noteWork() {
        idleMemory.lastWork = .now
        watchMemory()
    }

    /// - Returns: whether to look again.
    private func checkIdleMemory() -> Bool {
        update {
            $0.kv.advanceTick()
            $0.recent.advanceTick()
        }
        idleMemory.isDue = true
        startLoop()
        guard !hasIdleMemory, state.sessions.isEmpty else { return true }
        idleMemory.watch = nil
        return false
    }

    /// Gives back a part of what can be given back, between two steps: nobody else has the blocks meanwhile.
    func giveBackMemory() async {
        // What is to be saved in the end must be there then.
        guard !isStopping else {
            idleMemory.isDue = false
            return
        }
        if let limit = configuration.cacheIdleLimit, idleMemory.saving == nil {
            update { $0.recent.forgetIdle(since: ticks(limit)) }
            let blocks = state.kv.idleEvictable(
                since: ticks(limit),
                limit: IdleMemory.maxBlocks(isStored: stored != nil, hasStates: state.kv.states != nil)
            )
            if !blocks.isEmpty {
                await save(blocks)
                update { $0.kv.evict(blocks) }
                return
            }
        }
        let idleTicks = ticks(configuration.memoryIdleLimit)
        let free = update { $0.kv.takeIdleFree(since: idleTicks, limit: IdleMemory.maxBlocks) }
        if !free.isEmpty {
            await engine.release(free)
            return
        }
        let states = update { $0.kv.takeIdleFreeStates(since: idleTicks) }
        if !states.isEmpty { await engine.release(states: states) }
        idleMemory.isDue = false
        guard state.sessions.isEmpty, let last = idleMemory.lastWork,
            ContinuousClock.now - last >= configuration.memoryIdleLimit
        else { return }
        idleMemory.lastWork = nil
        idleMemory.isTrimmed = true
        await engine.trim()
    }

    /// Copies blocks that are about to be evicted, if there is a store, and begins to write them: they are ordered such that
    /// a text's end comes first.
    private func save(_ blocks: [BlockIndex]) async {
        guard let stored else { return }
        var copies: [(block: StoredBlock, contents: [UInt8]?)] = []
        for part in state.kv.parts(of: blocks, in: stored.store) {
            let isStored = stored.store.contains(part.description.part, of: part.description.name)
            copies.append((part.description, isStored ? nil : await stored.contents(of: part)))
        }
        guard !copies.isEmpty else { return }
        idleMemory.saving = Task { [weak self, copies] in
            for copy in copies { await stored.saveCopy(copy.contents, of: copy.block) }
            await self?.finishSaving()
        }
    }

    private func finishSaving() {
        idleMemory.saving = nil
        idleMemory.isDue = true
        // The copies have left memory behind.
        idleMemory.lastWork = idleMemory.lastWork ?? .now
        startLoop()
    }
}
