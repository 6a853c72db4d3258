package import EngineContract

/// An engine that computes nothing: the next token is a function of the tokens before it, as far as it sees them.
///
/// What it knows of a session it reads back out of the blocks it was given, so a wrong block table, a wrong position or
/// a block shared wrongly gives wrong tokens. Tests and `--mock` run on it.
package actor ScriptedEngine: InferenceEngine, BlockTransfer {
    package nonisolated let description: EngineDescription
    private let stepDuration: Duration?
    private var lastDue: ContinuousClock.Instant?
    private let script: @Sendable ([Token]) -> Token
    private let draftScript: (@Sendable ([Token]) -> Token)?
    private var memory: [BlockIndex: [Token]] = [:]
    /// What a draft model has taken in.
    private var followed: [BlockIndex: [Token]] = [:]
    /// In a slot of state memory, all tokens of the text.
    private var states: [StateSlot: [Token]] = [:]
    /// The steps' entries, counted: sessions and tokens of each step, for tests.
    package private(set) var history: [[SessionID: Int]] = []
    private let keepsHistory: Bool
    private let substitutes: [Token]
    private var failure: EngineError?
    /// Used again from token to token.
    private var mask: TokenMask

    /// - Parameters:
    ///   - stepDuration: how long a step takes.
    ///   - substitutes: tokens to take, the first that is allowed, where a constraint does not allow the script's.
    ///   - drafts: what a draft head or model takes for the token after a prefix, if the description has one. A model that
    ///     has not taken in all of the prefix takes another one.
    ///   - script: the token after a whole prefix, or after its last tokens if the description has a window.
    package init(
        description: EngineDescription,
        stepDuration: Duration? = nil,
        keepsHistory: Bool = false,
        substitutes: [Token] = [],
        drafts: (@Sendable ([Token]) -> Token)? = nil,
        script: @escaping @Sendable ([Token]) -> Token
    ) {
        self.description = description
        self.stepDuration = stepDuration
        self.keepsHistory = keepsHistory
        self.substitutes = substitutes
        self.script = script
        draftScript = drafts
        mask = TokenMask(tokenCount: description.vocabularySize)
    }

    /// Makes the next step fail.
    package func failNextStep(_ error: EngineError) { failure = error }

    package func step(_ step: Step) async throws(EngineError) -> StepResult {
        if let stepDuration { await pace(stepDuration) }
        if let error = failure {
            failure = nil
            throw error
        }
        if keepsHistory {
            history.append(Dictionary(step.entries.map { ($0.session, $0.tokens.count) }) { $0 + $1 })
        }
        var result = StepResult(samples: [])
        for (index, entry) in step.entries.enumerated() {
            let samples = try compute(entry)
            result.samples.append(samples)
            follow(entry, samples)
            result.drafts.append(drafts(after: samples, of: entry))
            if entry.samples, samples.isEmpty { result.failures[index] = .nothingAllowed }
        }
        return result
    }

    package func release(_ blocks: [BlockIndex]) {
        for block in blocks { (memory[block], followed[block]) = (nil, nil) }
    }

    package func release(states slots: [StateSlot]) {
        for slot in slots { states[slot] = nil }
    }

    package nonisolated var blockIdentity: String { "scripted" }
    package nonisolated var blockBytes: Int { description.blockSize * 4 }

    package func contents(of block: BlockIndex) -> [UInt8] {
        (memory[block] ?? Array(repeating: -1, count: description.blockSize)).withUnsafeBytes(Array.init)
    }

    package func restore(_ blocks: [RestoredBlock]) throws(EngineError) {
        guard blocks.allSatisfy({ $0.contents.count == blockBytes }) else { throw EngineError("no block's contents") }
        for restored in blocks {
            memory[restored.block] = tokens(restored.contents)
            followed[restored.block] = memory[restored.block]
        }
    }

    package func contents(ofState slot: StateSlot) -> [UInt8] { (states[slot] ?? []).withUnsafeBytes(Array.init) }

    package func restore(state slot: StateSlot, _ contents: [UInt8]) {
        states[slot] = tokens(contents)
    }

    private func tokens(_ contents: [UInt8]) -> [Token] {
        contents.withUnsafeBytes { bytes in
            stride(from: 0, through: bytes.count - 4, by: 4).map {
                bytes.loadUnaligned(fromByteOffset: $0, as: Token.self)
            }
        }
    }

    /// Waits until a step's time is over. Steps that follow each other are timed from the first, so that what waking up
    /// costs does not slow the rate asked for.
    private func pace(_ duration: Duration) async {
        let now = ContinuousClock.now
        var due = (lastDue ?? now) + duration
        if due + duration < now { due = now + duration }
        lastDue = due
        try? await Task.sleep(until: due, clock: .continuous)
    }

    private func compute(_ entry: StepEntry) throws(EngineError) -> [Token] {
        let size = description.blockSize
        let end = entry.startPosition + entry.tokens.count
        guard 0..<entry.tokens.count ~= entry.draftCount, entry.blocks.count * size >= end + entry.wantedDrafts,
            entry.wantedDrafts == 0 || description.drafter != nil
        else {
            throw EngineError(
                "\(entry.session): \(entry.blocks.count) blocks, \(end) tokens, \(entry.draftCount) drafted"
            )
        }
        write(entry.tokens[...], from: entry.startPosition, entry.blocks, &memory)
        let text = try advanceState(of: entry)
        guard entry.samples else { return [] }
        let known = end - entry.draftCount
        var samples: [Token] = []
        var constraint = entry.constraint
        for (offset, drafted) in ([nil] + entry.drafts.map(Optional.some)).enumerated() {
            if let drafted, constraint?.accept(drafted) == false { break }
            let prefix = prefix(of: entry, upTo: known + offset, in: memory)
            // A wrong state gives a wrong token, as wrong blocks do.
            let ofState = text?.prefix(known + offset)
            let isSound = ofState.map { $0.count == known + offset && $0.suffix(prefix.count) == prefix[...] } ?? true
            let scripted = script(isSound ? prefix : prefix + [-1])
            guard let token = allowed(scripted, by: constraint) else { break }
            samples.append(token)
        }
        return samples
    }

    private func write(
        _ tokens: ArraySlice<Token>,
        from start: Int,
        _ blocks: [BlockIndex],
        _ memory: inout [BlockIndex: [Token]]
    ) {
        let size = description.blockSize
        for (position, token) in zip(start..., tokens) {
            memory[blocks[position / size], default: Array(repeating: -1, count: size)][position % size] = token
        }
    }

    /// Lets a draft model take in what counts of an entry's tokens.
    private func follow(_ entry: StepEntry, _ samples: [Token]) {
        guard description.drafter == .model else { return }
        write(entry.unfollowed, from: entry.unfollowedStart, entry.blocks, &followed)
        guard entry.isFollowed else { return }
        let count = entry.tokens.count - entry.draftCount + StepResult.rightDrafts(samples, of: entry)
        write(entry.tokens.prefix(count), from: entry.startPosition, entry.blocks, &followed)
    }

    /// What the draft head or model makes of what was sampled and counts.
    private func drafts(after samples: [Token], of entry: StepEntry) -> [Token] {
        guard entry.wantedDrafts > 0, let draftScript, !samples.isEmpty else { return [] }
        let right = StepResult.rightDrafts(samples, of: entry)
        let known = entry.startPosition + entry.tokens.count - entry.draftCount
        var text = prefix(of: entry, upTo: known, in: memory) + samples.prefix(right + 1)
        let count = text.count
        let end = known + right
        let isKnown =
            description.drafter != .model
            || prefix(of: entry, upTo: end, in: followed) == prefix(of: entry, upTo: end, in: memory)
        for _ in 0..<entry.wantedDrafts {
            let next = draftScript(description.window.map { Array(text.suffix($0)) } ?? text)
            text.append(isKnown ? next : next == 0 ? 1 : 0)
        }
        return Array(text[count...])
    }

    /// Moves the state of an entry's session on.
    /// - Returns: the text that the state is of; nil if the description has no states.
    private func advanceState(of entry: StepEntry) throws(EngineError) -> [Token]? {
        guard description.stateMemory != nil else { return nil }
        guard let state = entry.state, (state.source == nil) == (entry.startPosition == 0) else {
            throw EngineError("\(entry.session): no state, or one of another text")
        }
        let before = state.source.map { states[$0] ?? [] } ?? []
        states[state.slot] = before + entry.tokens
        for snapshot in state.snapshots { states[snapshot.slot] = before + entry.tokens.prefix(snapshot.tokens) }
        return states[state.slot]
    }

    /// The scripted token, or in its place a substitute or the lowest token that a constraint allows; nil if it allows none.
    private func allowed(_ scripted: Token, by constraint: (any TokenConstraint)?) -> Token? {
        guard let constraint else { return scripted }
        constraint.allow(into: &mask)
        return mask.contains(scripted) ? scripted : substitutes.first(where: mask.contains) ?? mask.first
    }

    /// What the blocks of an entry hold of the positions before `end`, as far as the token after them sees them.
    private func prefix(of entry: StepEntry, upTo end: Int, in memory: [BlockIndex: [Token]]) -> [Token] {
        let size = description.blockSize
        let firstSeen = description.window.map { max(0, end - $0) } ?? 0
        var prefix: [Token] = []
        prefix.reserveCapacity(end - firstSeen + size)
        for position in stride(from: firstSeen / size * size, to: end, by: size) {
            let block = memory[entry.blocks[position / size]] ?? Array(repeating: -1, count: size)
            prefix += block.prefix(end - position)
        }
        return Array(prefix.dropFirst(firstSeen % size))
    }
}
