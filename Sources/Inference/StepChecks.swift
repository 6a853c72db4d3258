import EngineContract

/// What a step must satisfy before the kernels, which check nothing, may see it.
struct StepChecks: Sendable {
    /// Bounds the memory for activations.
    static let maxTokens = 8192

    private let vocabularySize: Int
    private let contextLength: Int
    private let blockSize: Int
    private let blockCount: Int
    private let window: Int?
    /// 0: no layer is recurrent.
    private let stateSlots: Int
    private let drafter: EngineDrafter?

    init(_ description: EngineDescription) {
        vocabularySize = description.vocabularySize
        contextLength = description.contextLength
        blockSize = description.blockSize
        blockCount = description.blockCount
        window = description.window
        stateSlots = description.stateMemory?.slotCount ?? 0
        drafter = description.drafter
    }

    func check(_ entries: [StepEntry]) throws(EngineError) {
        var tokenCount = 0
        var isWritten = [Bool](repeating: false, count: blockCount)
        for entry in entries {
            tokenCount += entry.tokens.count
            try check(entry, marking: &isWritten)
        }
        guard tokenCount <= Self.maxTokens else {
            throw EngineError("a step of \(tokenCount) tokens; \(Self.maxTokens) are possible")
        }
        for entry in entries {
            let computed = entry.blocks[firstSeenBlock(entry)..<(entry.startPosition / blockSize)]
            if let block = computed.first(where: { isWritten[Int($0)] }) {
                throw EngineError("\(entry.session): block \(block) would be read and written in one step")
            }
        }
        let unfollowed = entries.reduce(0) { $0 + $1.unfollowed.count }
        guard unfollowed <= StepEntry.mostUnfollowed else {
            throw EngineError(
                "\(unfollowed) tokens for the draft model before a step; \(StepEntry.mostUnfollowed) are possible"
            )
        }
        try checkStates(of: entries)
    }

    private func check(_ entry: StepEntry, marking isWritten: inout [Bool]) throws(EngineError) {
        let (start, count) = (entry.startPosition, entry.tokens.count)
        guard count > 0 else { throw EngineError("\(entry.session): no tokens") }
        guard start >= 0, start <= contextLength, count <= contextLength - start else {
            throw EngineError(
                "\(entry.session): \(count) tokens from position \(start); the context has \(contextLength)"
            )
        }
        if let token = entry.tokens.first(where: { $0 < 0 || $0 >= vocabularySize }) {
            throw EngineError("\(entry.session): token \(token); the vocabulary has \(vocabularySize)")
        }
        let wanted = entry.wantedDrafts
        guard 0...(contextLength - start - count) ~= wanted, wanted == 0 || entry.samples && drafter != nil else {
            throw EngineError("\(entry.session): \(wanted) tokens to be drafted after \(count)")
        }
        let needed = (start + count + wanted + blockSize - 1) / blockSize
        guard entry.blocks.count >= needed else {
            throw EngineError("\(entry.session): \(entry.blocks.count) blocks; \(needed) are needed")
        }
        if let block = entry.blocks[firstSeenBlock(entry)...].first(where: { $0 < 0 || $0 >= blockCount }) {
            throw EngineError("\(entry.session): block \(block); there are \(blockCount)")
        }
        for block in entry.blocks[(start / blockSize)..<needed] {
            guard !isWritten[Int(block)] else {
                throw EngineError("\(entry.session): block \(block) would be written from two places")
            }
            isWritten[Int(block)] = true
        }
        try checkUnfollowed(entry)
        guard 0..<count ~= entry.draftCount, entry.samples || entry.draftCount == 0 else {
            throw EngineError("\(entry.session): \(entry.draftCount) drafted tokens among \(count) tokens")
        }
        try check(entry.sampling, of: entry)
    }

    /// The tokens before the entry's that a draft model takes in.
    private func checkUnfollowed(_ entry: StepEntry) throws(EngineError) {
        guard drafter == .model else {
            guard !entry.isFollowed, entry.unfollowed.isEmpty else {
                throw EngineError("\(entry.session): tokens for a draft model; there is none")
            }
            return
        }
        let (start, tokens) = (entry.unfollowedStart, entry.unfollowed)
        guard entry.isFollowed || entry.wantedDrafts == 0 else {
            throw EngineError("\(entry.session): drafts of a model that does not take in the tokens")
        }
        guard !tokens.isEmpty else { return }
        guard start >= 0, start <= entry.startPosition, tokens.count <= entry.startPosition - start,
            !entry.isFollowed || tokens.count == entry.startPosition - start,
            tokens.allSatisfy({ 0..<vocabularySize ~= Int($0) }),
            entry.blocks[firstSeenBlock(from: start)..<(start + tokens.count + blockSize - 1) / blockSize]
                .allSatisfy({ 0..<blockCount ~= Int($0) })
        else {
            throw EngineError(
                "\(entry.session): \(tokens.count) tokens for the draft model from \(start), before \(entry.startPosition)"
            )
        }
    }

    // MARK: States

    private func checkStates(of entries: [StepEntry]) throws(EngineError) {
        guard stateSlots > 0 else {
            if let entry = entries.first(where: { $0.state != nil }) {
                throw EngineError("\(entry.session): a state; the model has none")
            }
            return
        }
        var written: Set<StateSlot> = []
        for entry in entries {
            guard let state = entry.state else { throw EngineError("\(entry.session): no state") }
            try check(state, of: entry)
            for slot in state.written where !written.insert(slot).inserted {
                throw EngineError("\(entry.session): state slot \(slot) would be written from two places")
            }
        }
        for entry in entries {
            guard let state = entry.state, let source = state.source, source != state.slot else { continue }
            if written.contains(source) {
                throw EngineError("\(entry.session): state slot \(source) would be read and written in one step")
            }
        }
    }

    private func check(_ state: StateUse, of entry: StepEntry) throws(EngineError) {
        let slots = state.written + (state.source.map { [$0] } ?? [])
        if let slot = slots.first(where: { $0 < 0 || $0 >= stateSlots }) {
            throw EngineError("\(entry.session): state slot \(slot); there are \(stateSlots)")
        }
        guard (state.source == nil) == (entry.startPosition == 0) else {
            throw EngineError("\(entry.session): position \(entry.startPosition) and state slot \(slots)")
        }
        var last = 1
        for snapshot in state.snapshots {
            guard last <= snapshot.tokens, snapshot.tokens <= entry.tokens.count else {
                throw EngineError(
                    "\(entry.session): a snapshot after \(snapshot.tokens) of \(entry.tokens.count) tokens"
                )
            }
            last = snapshot.tokens
        }
    }

    /// The first block of the table that is looked at: of those before it, no token of the entry sees a position.
    private func firstSeenBlock(_ entry: StepEntry) -> Int { firstSeenBlock(from: entry.startPosition) }

    private func firstSeenBlock(from position: Int) -> Int {
        guard let window else { return 0 }
        return max(0, position - window + 1) / blockSize
    }

    private func check(_ sampling: SamplingParameters, of entry: StepEntry) throws(EngineError) {
        guard sampling.temperature.isFinite, sampling.temperature >= 0 else {
            throw EngineError("\(entry.session): temperature \(sampling.temperature)")
        }
        guard sampling.topP > 0, sampling.topP <= 1, sampling.topK >= 0, 0...Int(Int32.max) ~= entry.sampleIndex
        else {
            throw EngineError(
                "\(entry.session): top-p \(sampling.topP), top-k \(sampling.topK), sample \(entry.sampleIndex)"
            )
        }
        guard 0...1 ~= sampling.minP, sampling.repetitionPenalty.isFinite, sampling.repetitionPenalty > 0 else {
            throw EngineError(
                "\(entry.session): min-p \(sampling.minP), repetition penalty \(sampling.repetitionPenalty)"
            )
        }
        if let token = entry.seen.first(where: { $0 < 0 || $0 >= vocabularySize }) {
            throw EngineError("\(entry.session): token \(token) before; the vocabulary has \(vocabularySize)")
        }
    }
}
