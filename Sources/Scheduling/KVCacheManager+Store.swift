import EngineContract

/// What goes to a block store, and what comes from it.
extension KVCacheManager {
    // MARK: Saving

    /// What a store could find again of blocks, each before the state at its end.
    func parts(of blocks: [BlockIndex], in store: any BlockStore) -> [CachedPart] {
        var names: [PrefixCache.Key: String] = [:]
        var parts: [CachedPart] = []
        for block in blocks {
            guard let description = cache.description(of: block, in: store, names: &names) else { continue }
            parts.append(CachedPart(place: .block(block), description: description))
            guard let slot = states?.slot(at: block) else { continue }
            parts.append(CachedPart(place: .state(slot), description: description.state))
        }
        return parts
    }

    /// What a store could find again of the evictable blocks and has room for: what was used last first, and of a text the
    /// beginning.
    func partsToSave(in store: any BlockStore) -> [CachedPart] {
        guard let states else {
            let limit = store.capacity / max(1, store.bytes(of: .block))
            return parts(of: pool.evictableBlocks, in: store).suffix(limit).reversed()
        }
        var parts: [CachedPart] = []
        var names: [PrefixCache.Key: String] = [:]
        var taken: Set<BlockIndex> = []
        var room = store.capacity
        for last in states.blocksByUse {
            // A state is of use with all the blocks before it, and these up to a state.
            guard let slot = states.slot(at: last), let chain = cache.chain(to: last) else { continue }
            let others = chain.filter { !taken.contains($0) }
            let bytes = others.count * store.bytes(of: .block) + store.bytes(of: .state)
            guard bytes <= room else { continue }
            room -= bytes
            for block in others {
                guard let description = cache.description(of: block, in: store, names: &names) else { break }
                parts.append(CachedPart(place: .block(block), description: description))
                taken.insert(block)
            }
            guard let description = cache.description(of: last, in: store, names: &names) else { continue }
            parts.append(CachedPart(place: .state(slot), description: description.state))
        }
        return parts
    }

    // MARK: Texts that continue from a state in a store

    /// How far a sequence's text is known.
    struct KnownBlocks: Equatable {
        /// Up to which block the blocks are cached or in a store.
        var count: Int
        /// Up to which of them a state is, too.
        var countWithState: Int
    }

    /// How far the blocks of a sequence after the first `count` are cached or in a store, such that at least one token is
    /// left to compute.
    func knownBlocks(of sequence: inout SequenceState, from count: Int, in store: any BlockStore) -> KnownBlocks {
        var known = KnownBlocks(count: count, countWithState: count)
        while sequence.reachesPast(block: known.count) {
            let name = sequence.storedName(known.count, in: store)
            let cached = cachedBlock(of: sequence, known.count)
            guard known.count < sequence.fullBlocks || cached != nil || store.contains(.block, of: name) else { break }
            known.count += 1
            if cached.map({ states?.hasSnapshot(at: $0) == true }) ?? false || store.contains(.state, of: name) {
                known.countWithState = known.count
            }
        }
        return known
    }

    /// Gives a sequence the cached ones of its blocks up to the first `count`, at whose end a state is that is to follow.
    mutating func beginBlocks(of sequence: inout SequenceState, upTo count: Int) {
        sequence.blocksOfState = sequence.blocksOfState ?? sequence.fullBlocks
        // Where a state or blocks turned out to be damaged, it continues from an earlier one.
        if sequence.fullBlocks > count { cutBack(&sequence, to: count) }
        let blocks = matchingBlocks(of: sequence).prefix(count - sequence.fullBlocks)
        if !blocks.isEmpty { _ = adopt(Array(blocks), for: &sequence) }
    }

    /// Lets a sequence continue from the snapshot at the end of its blocks.
    /// - Returns: how many tokens need not be computed because of it; nil if there is no snapshot.
    mutating func beginCachedState(of sequence: inout SequenceState) -> Int? {
        guard let before = sequence.blocksOfState, let block = cachedBlock(of: sequence, sequence.fullBlocks - 1),
            states?.hasSnapshot(at: block) == true
        else { return nil }
        beginState(of: &sequence, at: block)
        sequence.blocksOfState = nil
        releaseOutOfWindowBlocks(of: &sequence)
        return sequence.computed - before * sequence.blockSize
    }

    /// Gives up a sequence's blocks after those that its state is of.
    mutating func giveUpBlocks(of sequence: inout SequenceState) {
        guard let count = sequence.blocksOfState else { return }
        cutBack(&sequence, to: count)
        sequence.blocksOfState = nil
    }

    /// Takes a slot for a state from a store, at the end of a sequence's blocks.
    mutating func takeSlotForRestoring(of sequence: inout SequenceState) -> StateSlot? {
        guard sequence.memory != nil, let slot = states?.take() else { return nil }
        sequence.memory?.restored = slot
        return slot
    }

    /// Makes the state that came from a store the snapshot at the end of a sequence's blocks.
    /// - Returns: how many tokens need not be computed because of it; nil if it can be the snapshot of no cached block.
    mutating func finishRestoring(of sequence: inout SequenceState) -> Int? {
        guard let slot = sequence.memory?.restored else { return nil }
        sequence.memory?.restored = nil
        guard let block = cachedBlock(of: sequence, sequence.fullBlocks - 1) else {
            states?.release(slot)
            return nil
        }
        states?.keep(slot, at: block)
        return beginCachedState(of: &sequence)
    }

    /// Gives back the slot for a state from a store that did not come.
    mutating func cancelRestoring(of sequence: inout SequenceState) {
        if let slot = sequence.memory?.restored { states?.release(slot) }
        sequence.memory?.restored = nil
    }
}
