import EngineContract

/// Blocks that an earlier process saved: sessions get them instead of computing them.
extension SchedulerState {
    /// Whether the next block of a session is in the store, so that the session waits for it. Asks for that block and those
    /// after it, unless they are being read already.
    mutating func awaitsStoredBlocks(_ session: Session) -> Bool {
        guard let stored, session.usesStore, session.sequence.endsAtBlockBorder,
            let first = session.sequence.storedBlock(session.sequence.fullBlocks, in: stored.store)
        else { return false }
        if reads.firstNames.contains(first.name) { return true }
        guard stored.store.contains(first.name) else { return false }
        guard reads.firstNames.count < BlockReads.maxReads else { return true }
        let firstIndex = session.sequence.fullBlocks
        var blocks = [first]
        let limit = max(1, BlockReads.maxBytes / max(1, stored.engine.blockBytes))
        while blocks.count < limit,
            let next = session.sequence.storedBlock(firstIndex + blocks.count, in: stored.store),
            stored.store.contains(next.name)
        {
            blocks.append(next)
        }
        reads.firstNames.insert(first.name)
        append(.readBlocks(BlockRead(session: session.id, firstIndex: firstIndex, blocks: blocks)))
        return true
    }

    /// Other sessions that wait for the same blocks look for them again.
    mutating func endRead(_ read: BlockRead) {
        if let first = read.blocks.first { reads.firstNames.remove(first.name) }
    }

    /// Allocates the blocks for what was read.
    /// - Returns: the session and the blocks to restore; nil if the session has no use for them any more or there is no
    ///   memory.
    mutating func prepareRestoring(
        _ read: BlockRead,
        _ contents: [[UInt8]]
    ) -> (session: Session, blocks: [RestoredBlock])? {
        guard !contents.isEmpty, let session = sessions[read.session], session.status == .running,
            // Others may have computed the same meanwhile, or it may have been preempted.
            session.sequence.fullBlocks == read.firstIndex, session.sequence.endsAtBlockBorder
        else { return nil }
        guard kv.allocateBlocks(for: &session.sequence, tokens: contents.count * blockSize) else {
            session.usesStore = false
            return nil
        }
        let blocks = zip(session.sequence.blocks[read.firstIndex...], contents)
        return (session, blocks.map { RestoredBlock(block: $0, contents: $1) })
    }

    /// Counts restored blocks as computed, if the session has not ended meanwhile.
    mutating func finishRestoring(_ session: Session, blocks: Int) {
        guard session.status == .running else { return }
        kv.markComputed(blocks * blockSize, of: &session.sequence)
        recordCacheHit(session, tokens: blocks * blockSize)
    }
}
