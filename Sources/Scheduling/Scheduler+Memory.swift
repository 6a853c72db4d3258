import EngineContract

/// Memory that is of no use any more, on its way back to the system.
struct IdleMemory {
    /// Looks for it while there is some; nobody waits for it otherwise.
    var watch: Task<Void, Never>?
    /// Whether the loop is to give back what can be given now.
    var isDue = false
    /// The last step, or work elsewhere that left memory behind; nil since all was given back.
    var lastWork: ContinuousClock.Instant?
    /// Whether nothing was kept since then for the next steps and requests.
    var isTrimmed = true

    /// Bounds how long a step may have to wait.
    static let maxBlocks = 256
    /// The same where each block is written to the store first.
    static let maxStoredBlocks = 8
}

/// Giving memory back: blocks kept for contents that nobody asked for in a long time, blocks that nobody has, and what
/// the engine keeps between steps.
extension Scheduler {
    /// Time between two looks.
    private var tick: Duration {
        let limits = [configuration.memoryIdleLimit / 2, configuration.cacheIdleLimit.map { $0 / 4 } ?? .seconds(10)]
        return max(.milliseconds(5), min(.seconds(10), limits[0], limits[1]))
    }

    private func ticks(_ limit: Duration) -> Int { Int((limit / tick).rounded(.up)) }

    /// Sees to it that memory is looked at as long as there is some to give back: an idle server has no timer.
    func watchMemory() {
        if idleMemory.lastWork != nil { idleMemory.isTrimmed = false }
        guard idleMemory.watch == nil, hasIdleMemory else { return }
        idleMemory.watch = Task { [weak self, tick] in
            while true {
                try? await Task.sleep(for: tick)
                guard await self?.lookAtMemory() == true else { return }
            }
        }
    }

    /// Counts work on a request, large ones at least, of which the heap may keep memory.
    package func noteWork() {
        idleMemory.lastWork = .now
        watchMemory()
    }

    private var hasIdleMemory: Bool {
        let keeps = configuration.cacheIdleLimit == nil ? kv.pool.keptCount : 0
        return !idleMemory.isTrimmed || kv.pool.touchedCount > kv.pool.referencedCount + keeps
    }

    /// - Returns: whether to look again.
    private func lookAtMemory() -> Bool {
        kv.passTick()
        idleMemory.isDue = true
        start()
        guard !hasIdleMemory, sessions.isEmpty else { return true }
        idleMemory.watch = nil
        return false
    }

    /// Gives back a piece of what can be given, between two steps: nobody else has the blocks meanwhile.
    func giveBackMemory() async {
        // What is saved when all ends must be there then.
        guard !isStopping else {
            idleMemory.isDue = false
            return
        }
        if let limit = configuration.cacheIdleLimit {
            let blocks = kv.idleKept(
                since: ticks(limit),
                limit: stored == nil ? IdleMemory.maxBlocks : IdleMemory.maxStoredBlocks
            )
            if !blocks.isEmpty {
                await save(blocks)
                kv.forget(blocks)
                return
            }
        }
        let free = kv.takeIdleFree(since: ticks(configuration.memoryIdleLimit), limit: IdleMemory.maxBlocks)
        if !free.isEmpty {
            await engine.release(free)
            return
        }
        idleMemory.isDue = false
        guard sessions.isEmpty, let last = idleMemory.lastWork,
            ContinuousClock.now - last >= configuration.memoryIdleLimit
        else { return }
        idleMemory.lastWork = nil
        idleMemory.isTrimmed = true
        await engine.trim()
    }

    /// Saves blocks that are about to be forgotten, if there is a store: what follows them comes before them.
    private func save(_ blocks: [BlockIndex]) async {
        guard let stored else { return }
        for (block, description) in kv.descriptions(of: blocks, in: stored.store) {
            guard !stored.store.use(description.name) else { continue }
            guard let contents = try? await stored.engine.contents(of: block) else { return }
            _ = await stored.store.write(description, contents)
        }
    }
}
