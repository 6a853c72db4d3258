import EngineContract

/// The states of sequences, in models that have them: a text can be continued only where there is a snapshot of its state.
extension KVCacheManager {
    /// Whether there is a slot for one more sequence.
    var hasRoomForState: Bool { states.map { $0.availableCount > 0 } ?? true }

    /// Gives a sequence that begins to run, and has been given the cached blocks for it, its slot.
    mutating func takeState(for sequence: inout SequenceState) {
        guard states != nil, sequence.memory?.slot == nil else { return }
        var memory = sequence.memory ?? SequenceMemory()
        if let slot = states?.take() {
            memory.slot = slot
        } else if let source = memory.source {
            // The snapshot that it begins from is the last one: it goes on in its place.
            if let block = memory.sourceBlock { states?.remove(block) }
            memory.slot = source
        }
        sequence.memory = memory
    }

    /// Lets a sequence begin from the snapshot at the end of a block that it has just been given.
    mutating func beginState(of sequence: inout SequenceState, at block: BlockIndex) {
        guard let source = states?.use(block) else { return }
        var memory = sequence.memory ?? SequenceMemory()
        if let old = memory.source, old != memory.slot { states?.release(old) }
        memory.source = source
        memory.sourceBlock = block
        sequence.memory = memory
    }

    /// Plans where to take snapshots of a sequence's text: in its prompt, and where it leaves another text.
    mutating func planBorders(of sequence: inout SequenceState, in store: (any BlockStore)? = nil) {
        guard let states else { return }
        if sequence.borders == nil {
            sequence.borders = SnapshotBorders(
                promptTokens: sequence.promptCount,
                blockSize: sequence.blockSize,
                slots: states.count
            )
        }
        // Others have computed so much of it; a snapshot was missing, and will be missed again.
        let cached = sequence.fullBlocks + matchingBlocks(of: sequence).count
        let common = store.map { knownBlocks(of: &sequence, from: sequence.fullBlocks, in: $0).count } ?? cached
        if common > sequence.fullBlocks { sequence.borders?.insert(common) }
    }

    /// The next border of a sequence's prompt, where another one that begins alike has one too, whatever it has met before.
    func nextBorder(of sequence: SequenceState) -> Int? {
        sequence.borders?.own.first {
            $0 * sequence.blockSize > sequence.computed && $0 * sequence.blockSize < sequence.tokens.count
        }
    }

    /// Takes slots for the snapshots that fall into a sequence's next tokens, as far as there are any.
    mutating func planSnapshots(of sequence: inout SequenceState, tokens: Int) {
        guard states != nil, sequence.memory != nil else { return }
        let size = sequence.blockSize
        let (first, last) = (sequence.computed / size + 1, (sequence.computed + tokens) / size)
        var borders = (sequence.borders?.borders ?? []).filter { first <= $0 && $0 <= last }
        // Of an answer, the last whole block: the next turn will continue from there.
        let isOfAnswer = last >= first && last * size > sequence.promptCount
        if isOfAnswer, borders.last ?? 0 < last { borders.append(last) }
        let planned = sequence.memory?.planned.map(\.border) ?? []
        for border in borders where !planned.contains(border) && !hasSnapshot(of: sequence, at: border) {
            if isOfAnswer, border == last, let old = sequence.memory?.ofAnswer {
                states?.replace(old.block, in: old.slot)
                sequence.memory?.ofAnswer = nil
            }
            guard let slot = states?.take() else { break }
            sequence.memory?.planned.append(SequenceMemory.Planned(slot: slot, border: border))
        }
    }

    private func hasSnapshot(of sequence: SequenceState, at border: Int) -> Bool {
        // What drafts reach is not known yet.
        guard border * sequence.blockSize <= sequence.tokens.count else { return false }
        return cachedBlock(of: sequence, border - 1).map { states?.hasSnapshot(at: $0) == true } ?? false
    }

    /// Takes note that a step has moved a sequence's state on, and taken the snapshots planned for it.
    /// - Parameter hasDrafts: whether it has gone through drafts, of which is not known yet whether they are right.
    mutating func commitState(of sequence: inout SequenceState, hasDrafts: Bool = false) {
        guard var memory = sequence.memory else { return }
        if let source = memory.source, source != memory.slot { states?.release(source) }
        memory.source = memory.slot
        let planned = memory.planned
        memory.planned = hasDrafts ? planned.filter { $0.border > sequence.fullBlocks } : []
        for planned in planned where planned.border <= sequence.fullBlocks || !hasDrafts {
            guard planned.border <= sequence.fullBlocks, let block = cachedBlock(of: sequence, planned.border - 1)
            else {
                states?.release(planned.slot)
                continue
            }
            states?.keep(planned.slot, at: block)
            if planned.border * sequence.blockSize > sequence.promptCount { memory.ofAnswer = (block, planned.slot) }
        }
        sequence.memory = memory
    }

    // MARK: Drafts

    /// Takes a slot for a sequence's state before its drafts, for one step.
    /// - Returns: false if there is none, and there can be no drafts.
    mutating func prepareDrafts(of sequence: inout SequenceState) -> Bool {
        guard states != nil else { return true }
        guard sequence.memory != nil, let slot = states?.take() else { return false }
        sequence.memory?.beforeDrafts = slot
        return true
    }

    /// Counts the drafts of a sequence with a state as computed if all were right. If one was wrong, the state has gone too
    /// far: the sequence continues with the one before the drafts, and those that were right are computed again.
    /// - Returns: how many are.
    mutating func settleDrafts(of sequence: inout SequenceState, accepted: Int, of count: Int) -> Int {
        guard accepted < count else {
            markComputed(accepted, of: &sequence)
            commitState(of: &sequence)
            if let slot = sequence.memory?.beforeDrafts { states?.release(slot) }
            sequence.memory?.beforeDrafts = nil
            return 0
        }
        // Snapshots among the drafts are given up.
        commitState(of: &sequence)
        let before = sequence.memory?.beforeDrafts
        sequence.memory?.source = before
        sequence.memory?.beforeDrafts = nil
        return accepted
    }

    mutating func releaseState(of sequence: inout SequenceState) {
        for slot in sequence.memory?.held ?? [] { states?.release(slot) }
        sequence.memory = nil
    }
}
