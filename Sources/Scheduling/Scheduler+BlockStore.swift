import EngineContract

/// Reading blocks from the store while sessions run, and saving the cached ones in the end.
extension Scheduler {
    func read(_ read: BlockRead) {
        guard let store = stored?.store else { return }
        Task { [weak self] in
            let contents = await store.read(read.blocks)
            await self?.finishRead(read, contents)
        }
    }

    private func finishRead(_ read: BlockRead, _ contents: [[UInt8]]) {
        finishedReads.append((read, contents))
        startLoop()
    }

    /// Restores blocks that were read to their session. Called between steps: nobody else is given the blocks meanwhile,
    /// even if the session ends.
    func restore(_ read: BlockRead, _ contents: [[UInt8]]) async {
        defer { update { $0.endRead(read) } }
        guard let stored, let (session, blocks) = update({ $0.prepareRestoring(read, contents) }) else { return }
        do {
            try await stored.engine.restore(blocks)
        } catch {
            update { _ in session.usesStore = false }
            return
        }
        update { $0.finishRestoring(session, blocks: blocks.count) }
    }

    /// Saves the cached blocks, the most recently used if there is not room for all. Call it once the Scheduler has stopped.
    /// - Returns: how many are saved.
    package func saveBlocks() async -> Int {
        guard let stored, isStopping, state.sessions.isEmpty else { return 0 }
        let blocks = state.kv.evictableBlocks(in: stored.store).suffix(stored.store.capacity)
        var saved = 0
        // The newest first: they are there even if the process is killed meanwhile.
        for (block, description) in blocks.reversed() where !isSavingStopped {
            if !stored.store.use(description.name) {
                guard let contents = try? await stored.engine.contents(of: block),
                    await stored.store.write(description, contents)
                else { break }
            }
            saved += 1
        }
        // In the store, too, the beginning of a text is to be removed after what follows it.
        for (_, description) in blocks { _ = stored.store.use(description.name) }
        return saved
    }

    /// Ends `saveBlocks` early, because the process must end soon.
    package func stopSaving() { isSavingStopped = true }
}
