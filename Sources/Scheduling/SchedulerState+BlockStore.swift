import EngineContract

/// Blocks that an earlier process saved: sessions get them instead of computing them.
extension SchedulerState {
    /// Whether the next block of a session is in the store, so that the session waits for it. Asks for that block and those
    /// after it, unless they are being read already.
    mutating func awaitsStoredBlocks(_ session: Session) -> Bool {
        guard let stored, session.sequence.endsAtBlockBorder else { return false }
        if kv.states != nil { return awaitsStoredState(session, in: stored) }
        return usesStore(session) && awaitsBlocks(session, before: .max, in: stored)
    }

    /// Not while the disk does not answer.
    private func usesStore(_ session: Session) -> Bool { session.usesStore && reads.overdueCount == 0 }

    /// - Parameter end: no block from this index on is asked for.
    private mutating func awaitsBlocks(_ session: Session, before end: Int, in stored: StoredBlocks) -> Bool {
        let firstIndex = session.sequence.fullBlocks
        guard let first = session.sequence.storedBlock(firstIndex, in: stored.store) else { return false }
        if reads.firstNames.contains(first.name) { return true }
        guard stored.store.contains(.block, of: first.name) else { return false }
        guard reads.firstNames.count < BlockReads.maxReads else { return true }
        var blocks = [first]
        let limit = min(end - firstIndex, max(1, BlockReads.maxBytes / max(1, stored.engine.blockBytes)))
        while blocks.count < limit,
            let next = session.sequence.storedBlock(firstIndex + blocks.count, in: stored.store),
            stored.store.contains(.block, of: next.name)
        {
            blocks.append(next)
        }
        reads.firstNames.insert(first.name)
        append(.readBlocks(BlockRead(session: session.id, blocksBefore: firstIndex, blocks: blocks)))
        return true
    }

    /// The same for a model with states: a session waits for blocks only where a state follows, and then for that. It
    /// continues from the deepest state that it can be given, with its blocks, from the cache and the store together.
    private mutating func awaitsStoredState(_ session: Session, in stored: StoredBlocks) -> Bool {
        let before = session.sequence.blocksOfState ?? session.sequence.fullBlocks
        let end =
            usesStore(session)
            ? kv.knownBlocks(of: &session.sequence, from: before, in: stored.store).countWithState : before
        guard end > before else {
            giveUpBlocks(of: session)
            return false
        }
        kv.beginBlocks(of: &session.sequence, upTo: end)
        if session.sequence.fullBlocks < end {
            if awaitsBlocks(session, before: end, in: stored) { return true }
            // The store has removed the block just now.
            giveUpBlocks(of: session)
            return false
        }
        if let tokens = kv.beginCachedState(of: &session.sequence) {
            recordCacheHit(session, tokens: tokens)
            return false
        }
        guard !reads.isReadingState, let last = session.sequence.storedBlock(end - 1, in: stored.store) else {
            return true
        }
        reads.isReadingState = true
        append(.readBlocks(BlockRead(session: session.id, blocksBefore: end, blocks: [last.state])))
        return true
    }

    /// Lets a session that was to be given a state from the store continue from the one that it has, or from a cached one.
    private mutating func giveUpBlocks(of session: Session) {
        guard session.sequence.blocksOfState != nil else { return }
        kv.giveUpBlocks(of: &session.sequence)
        reuseCachedBlocks(for: session)
    }

    /// Other sessions that wait for the same blocks look for them again.
    mutating func endRead(_ read: BlockRead) {
        if read.isOfState {
            reads.isReadingState = false
        } else if let first = read.blocks.first {
            reads.firstNames.remove(first.name)
        }
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
            session.sequence.fullBlocks == read.blocksBefore, session.sequence.endsAtBlockBorder,
            kv.states == nil || session.sequence.blocksOfState != nil
        else { return nil }
        guard kv.allocateBlocks(for: &session.sequence, tokens: contents.count * blockSize) else {
            session.usesStore = false
            return nil
        }
        let blocks = zip(session.sequence.blocks[read.blocksBefore...], contents)
        return (session, blocks.map { RestoredBlock(block: $0, contents: $1) })
    }

    /// Counts restored blocks as computed, if the session has not ended meanwhile.
    mutating func finishRestoring(_ session: Session, blocks: Int) {
        guard session.status == .running else { return }
        // With states, they count once there is one at their end.
        guard kv.states == nil else {
            kv.addComputed(blocks * blockSize, of: &session.sequence)
            kv.markFollowed(session.sequence.computed, of: session.sequence)
            return
        }
        kv.markComputed(blocks * blockSize, of: &session.sequence)
        // Most of what is saved was; what was not is only drafted after badly.
        kv.markFollowed(session.sequence.computed, of: session.sequence)
        recordCacheHit(session, tokens: blocks * blockSize)
    }

    /// Takes a slot for a state that was read.
    /// - Returns: the session and the slot; nil if the session has no use for it any more or there is no memory.
    mutating func prepareRestoringState(_ read: BlockRead) -> (session: Session, slot: StateSlot)? {
        guard let session = sessions[read.session], session.status == .running,
            session.sequence.fullBlocks == read.blocksBefore, session.sequence.blocksOfState != nil
        else { return nil }
        guard let slot = kv.takeSlotForRestoring(of: &session.sequence) else {
            session.usesStore = false
            return nil
        }
        return (session, slot)
    }

    /// Lets a session continue from the state that it was given, if it has not ended meanwhile.
    mutating func finishRestoringState(_ session: Session) {
        if let tokens = kv.finishRestoring(of: &session.sequence) {
            recordCacheHit(session, tokens: tokens)
        } else {
            session.usesStore = false
        }
    }
}
