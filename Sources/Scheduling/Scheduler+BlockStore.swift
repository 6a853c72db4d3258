import EngineContract

/// Reading blocks and states from the store while sessions run, and saving the cached ones in the end.
extension Scheduler {
    func read(_ read: BlockRead) {
        guard let store = stored?.store else { return }
        let deadline = Task { [weak self, limit = configuration.storeReadLimit] in
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            await self?.giveUp(read)
        }
        runningReads.append((read, deadline))
        Task { [weak self] in
            let contents = await store.read(read.blocks)
            await self?.finishRead(read, contents)
        }
    }

    private func finishRead(_ read: BlockRead, _ contents: [[UInt8]]) {
        if let index = runningReads.firstIndex(where: { $0.read == read }) {
            runningReads.remove(at: index).deadline.cancel()
            finishedReads.append((read, contents))
        } else {
            update { $0.reads.overdueCount -= 1 }
        }
        startLoop()
    }

    /// Lets sessions compute what they waited for: the disk does not answer.
    private func giveUp(_ read: BlockRead) {
        guard let index = runningReads.firstIndex(where: { $0.read == read }) else { return }
        runningReads.remove(at: index)
        update { state in
            state.reads.overdueCount += 1
            // Those that wait for the same have waited as long.
            for session in state.sessions.values { session.usesStore = false }
            state.endRead(read)
        }
        startLoop()
    }

    /// Restores what was read to its session. Called between steps: nobody else is given the blocks or the slot meanwhile,
    /// even if the session ends.
    func restore(_ read: BlockRead, _ contents: [[UInt8]]) async {
        defer { update { $0.endRead(read) } }
        if read.isOfState {
            if let contents = contents.first { await restoreState(read, contents) }
            return
        }
        guard let stored, let (session, blocks) = update({ $0.prepareRestoring(read, contents) }) else { return }
        do {
            try await stored.engine.restore(blocks)
        } catch {
            update { _ in session.usesStore = false }
            return
        }
        update { $0.finishRestoring(session, blocks: blocks.count) }
    }

    private func restoreState(_ read: BlockRead, _ contents: [UInt8]) async {
        guard let stored, let (session, slot) = update({ $0.prepareRestoringState(read) }) else { return }
        do {
            try await stored.engine.restore(state: slot, contents)
            update { $0.finishRestoringState(session) }
        } catch {
            session.usesStore = false
            update { $0.kv.cancelRestoring(of: &session.sequence) }
        }
    }

    /// Saves the cached blocks and states, the most recently used if there is not room for all. Call it once the Scheduler
    /// has stopped.
    /// - Returns: how many blocks are saved.
    package func saveBlocks() async -> Int {
        guard let stored, isStopping, state.sessions.isEmpty else { return 0 }
        await idleMemory.saving?.value
        let parts = state.kv.partsToSave(in: stored.store)
        var saved = 0
        // The newest first: they are there even if the process is killed meanwhile.
        for part in parts where !isSavingStopped {
            guard await stored.save(part) else { break }
            if part.description.part == .block { saved += 1 }
        }
        // In the store, too, the beginning of a text is to be removed after what follows it.
        for part in parts.reversed() { _ = await stored.store.use(part.description.part, of: part.description.name) }
        return saved
    }

    /// Ends `saveBlocks` early, because the process must end soon.
    package func stopSaving() { isSavingStopped = true }
}
