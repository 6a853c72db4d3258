import EngineContract

/// Blocks of earlier lives: sessions get them instead of computing them, and the kept ones are saved in the end.
extension Scheduler {
    /// Whether the next block of a session is in the store, so that the session waits for it; begins to read it and those
    /// behind it.
    func awaitsStored(_ session: Session) -> Bool {
        let size = engineDescription.blockSize
        guard let stored, session.usesStore, session.computed == session.fullBlocks * size,
            let block = session.storedBlock(session.fullBlocks, blockSize: size, in: stored.store)
        else { return false }
        if reads.names.contains(block.name) { return true }
        guard stored.store.contains(block.name) else { return false }
        guard reads.names.count < BlockReads.maxReads else { return true }
        var blocks = [block]
        let limit = max(1, BlockReads.maxBytes / max(1, stored.engine.blockBytes))
        while blocks.count < limit,
            let next = session.storedBlock(session.fullBlocks + blocks.count, blockSize: size, in: stored.store),
            stored.store.contains(next.name)
        {
            blocks.append(next)
        }
        reads.names.insert(block.name)
        let arrival = BlockReads.Arrival(
            session: session.id,
            firstIndex: session.fullBlocks,
            firstName: block.name,
            contents: []
        )
        Task { [weak self, store = stored.store, blocks] in
            var arrival = arrival
            arrival.contents = await store.read(blocks)
            await self?.arrived(arrival)
        }
        return true
    }

    private func arrived(_ arrival: BlockReads.Arrival) {
        reads.arrivals.append(arrival)
        start()
    }

    /// Gives a session what was read for it. Called between steps, so that nobody else has the blocks meanwhile, be the
    /// session gone.
    func restore(_ arrival: BlockReads.Arrival) async {
        defer { reads.names.remove(arrival.firstName) }
        let size = engineDescription.blockSize
        let tokens = arrival.contents.count * size
        guard let stored, tokens > 0, let session = sessions[arrival.session], session.place == .running,
            // Others may have computed the same meanwhile, or it may have begun anew.
            session.fullBlocks == arrival.firstIndex, session.computed == session.fullBlocks * size
        else { return }
        guard kv.grow(session, by: tokens) else {
            session.usesStore = false
            return
        }
        let blocks = zip(session.blocks[session.fullBlocks...], arrival.contents).map {
            RestoredBlock(block: $0, contents: $1)
        }
        do {
            try await stored.engine.restore(blocks)
        } catch {
            session.usesStore = false
            return
        }
        // It may have ended while the engine was at it.
        guard session.place == .running else { return }
        session.advance(tokens)
        kv.register(session)
        spare(session, tokens)
    }

    /// Saves the blocks that are kept, the most recently used if there is not room for all. Nothing else may run: call it
    /// when the Scheduler has stopped.
    /// - Returns: how many are saved.
    package func saveBlocks() async -> Int {
        guard let stored, isStopping, sessions.isEmpty else { return 0 }
        let blocks = kv.keptBlocks(in: stored.store).suffix(stored.store.capacity)
        var saved = 0
        // The newest first: they are there even if the process is killed meanwhile.
        for (block, description) in blocks.reversed() where !isHurried {
            if !stored.store.use(description.name) {
                guard let contents = try? await stored.engine.contents(of: block),
                    await stored.store.write(description, contents)
                else { break }
            }
            saved += 1
        }
        // In the store, too, the beginning of a text is to outlive what follows it.
        for (_, description) in blocks { _ = stored.store.use(description.name) }
        return saved
    }

    /// Breaks saving off: somebody does not want to wait for it.
    package func stopSaving() { isHurried = true }
}
