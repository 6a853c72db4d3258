import EngineContract

/// Runs an engine with steps as a scheduler composes them, and measures the time.
///
/// Tokens are random. For decode rows one prompt is computed, and its KV blocks are copied to the blocks of every
/// session, so that each session reads memory of its own. Every row decodes from its own position over the same blocks.
struct Bench {
    let engine: any BlockTransfer
    let plan: BenchPlan
    /// Tokens of a prefill step.
    let chunk: Int

    var description: EngineDescription { engine.description }

    init(engine: any BlockTransfer, plan: BenchPlan, stepTokens: Int) {
        self.engine = engine
        self.plan = plan
        chunk = max(1, min(stepTokens, engine.description.maxStepTokens))
    }

    /// Runs the rows of the plan.
    /// - Parameter report: receives each row when it is complete.
    /// - Throws: the engine's errors.
    func run(_ report: (BenchRow) -> Void) async throws {
        // The first step starts threads and touches weights, which is part of loading.
        try await prefill(sessions(1, of: 1)[0], tokens: 1)
        for tokens in plan.prefill {
            if let reason = reasonToSkip(sessions: 1, of: tokens) {
                report(BenchRow(.prefill(tokens: tokens), skipped: reason))
            } else {
                report(try await prefillRow(tokens))
            }
        }
        try await decode(report)
    }

    /// Runs the decode rows of the plan with constrained sessions and without.
    /// - Parameter report: receives the text of each row when it is complete.
    /// - Throws: the engine's errors.
    func compare(_ constraint: any TokenConstraint, stopTokens: Set<Token>, _ report: (String) -> Void) async throws {
        try await prefill(sessions(1, of: 1)[0], tokens: 1)
        for context in plan.contexts {
            for sessions in plan.sessions where reasonToSkip(sessions: sessions, of: context) == nil {
                let filled = try await filledSessions([Int](repeating: context, count: sessions))
                var row = ConstrainedRow(engine, filled, constraint, stopTokens: stopTokens)
                progress("decode with constraints, \(sessions) at \(context) tokens")
                for _ in 1...plan.runs { try await row.run((context - plan.tokens)..<context) }
                clearProgress()
                report(row.line(context: context))
            }
        }
    }

    // MARK: Prefill

    private func prefillRow(_ tokens: Int) async throws -> BenchRow {
        var row = BenchRow(.prefill(tokens: tokens))
        let session = sessions(1, of: tokens)[0]
        for run in 1...plan.runs {
            progress("prefill of \(tokens) tokens, run \(run) of \(plan.runs)")
            let (seconds, times) = try await prefill(session, tokens: tokens)
            row.runs.append(BenchRow.Run(tokens: tokens, steps: [seconds], times: times))
        }
        clearProgress()
        return row
    }

    /// Computes the first tokens of a session in chunks, and samples once.
    @discardableResult
    private func prefill(_ session: BenchSession, tokens: Int) async throws -> (seconds: Double, times: StepTimes) {
        let start = ContinuousClock.now
        var times = StepTimes()
        for first in stride(from: 0, to: tokens, by: chunk) {
            let end = min(first + chunk, tokens)
            times = times + (try await compute([session.entry(first..<end, samples: end == tokens)]))
        }
        return ((ContinuousClock.now - start) / .seconds(1), times)
    }

    // MARK: Decode

    private func decode(_ report: (BenchRow) -> Void) async throws {
        let rows = plan.contexts.flatMap { context in plan.sessions.map { (context: context, sessions: $0) } }
        let possible = rows.filter { reasonToSkip(sessions: $0.sessions, of: $0.context) == nil }
        // The same sessions for all rows or, if these do not fit, for the rows of one context.
        let fitsAll = lengths(for: possible).reduce(0) { $0 + blockCount($1) } <= description.blockCount
        var filled: [BenchSession] = []
        var filledContext: Int?
        for row in rows {
            let kind = BenchRow.Kind.decode(sessions: row.sessions, context: row.context)
            if let reason = reasonToSkip(sessions: row.sessions, of: row.context) {
                report(BenchRow(kind, skipped: reason))
                continue
            }
            if filled.isEmpty || !fitsAll && filledContext != row.context {
                let together = fitsAll ? possible : possible.filter { $0.context == row.context }
                filled = try await filledSessions(lengths(for: together))
                filledContext = row.context
            }
            report(try await decodeRow(kind, Array(filled.prefix(row.sessions)), context: row.context))
        }
    }

    /// The tokens of each session in its longest row.
    private func lengths(for rows: [(context: Int, sessions: Int)]) -> [Int] {
        let count = rows.map(\.sessions).max() ?? 0
        return (0..<count).map { index in rows.filter { $0.sessions > index }.map(\.context).max() ?? 0 }
    }

    /// Sessions of these lengths, the longest first, prefilled except for the tokens that will be decoded.
    func filledSessions(_ lengths: [Int]) async throws -> [BenchSession] {
        let result = sessions(lengths)
        guard let longest = result.first else { return [] }
        progress("prefill of the sessions that decode")
        try await prefill(longest, tokens: lengths[0] - plan.tokens)
        for (index, block) in longest.blocks.enumerated() {
            let contents = try await engine.contents(of: block)
            let copies = result.dropFirst().filter { index < $0.blocks.count }
            try await engine.restore(copies.map { RestoredBlock(block: $0.blocks[index], contents: contents) })
        }
        clearProgress()
        return result
    }

    private func decodeRow(_ kind: BenchRow.Kind, _ sessions: [BenchSession], context: Int) async throws -> BenchRow {
        var row = BenchRow(kind)
        let start = context - plan.tokens
        // Touches the buffers of this batch size and new KV blocks.
        try await compute(sessions.map { $0.entry(start..<(start + 1), samples: true) })
        for run in 1...plan.runs {
            progress("decode, \(sessions.count) at \(context) tokens, run \(run) of \(plan.runs)")
            var run = BenchRow.Run(tokens: plan.tokens * sessions.count, steps: [])
            for position in start..<context {
                let begin = ContinuousClock.now
                let times = try await compute(sessions.map { $0.entry(position..<(position + 1), samples: true) })
                run.times = run.times + times
                run.steps.append((ContinuousClock.now - begin) / .seconds(1))
            }
            row.runs.append(run)
        }
        clearProgress()
        return row
    }

    @discardableResult
    private func compute(_ entries: [StepEntry]) async throws -> StepTimes {
        let result = try await engine.step(Step(entries: entries))
        if let failure = result.failures.first?.value { throw failure }
        return result.times
    }

    // MARK: Limits

    /// Why sessions of a length cannot be measured; nil if they can.
    func reasonToSkip(sessions: Int, of tokens: Int) -> String? {
        guard tokens <= description.contextLength else {
            return "a session holds \(Format.count(description.contextLength)) tokens"
        }
        let blocks = blockCount(tokens) * sessions
        guard blocks <= description.blockCount else {
            let bytes = blocks * description.blockSize * description.kvBytesPerToken
            return "needs \(Format.bytes(bytes)) of KV memory (--kv-memory)"
        }
        if let states = description.stateMemory, sessions > states.slotCount {
            return "needs \(Format.bytes(sessions * states.slotBytes)) of state memory (--kv-memory)"
        }
        return nil
    }

    private func blockCount(_ tokens: Int) -> Int { (tokens + description.blockSize - 1) / description.blockSize }

    /// Sessions of these lengths in separate blocks, from the first block on.
    private func sessions(_ lengths: [Int]) -> [BenchSession] {
        var next: BlockIndex = 0
        return lengths.enumerated().map { index, length in
            let blocks = next..<(next + BlockIndex(blockCount(length)))
            next = blocks.upperBound
            let vocabulary = Token(clamping: description.vocabularySize)
            return BenchSession(
                id: SessionID(UInt64(index)),
                tokens: (0..<length).map { _ in Token.random(in: 0..<vocabulary) },
                blocks: Array(blocks),
                state: description.stateMemory.map { _ in StateSlot(index) }
            )
        }
    }

    private func sessions(_ count: Int, of length: Int) -> [BenchSession] {
        sessions([Int](repeating: length, count: count))
    }

    func progress(_ text: String) {
        if Terminal.canRedraw { Terminal.line(text + " …") }
    }

    func clearProgress() {
        if Terminal.canRedraw { Terminal.line("") }
    }
}

/// A session of random tokens and its KV blocks.
struct BenchSession {
    let id: SessionID
    let tokens: [Token]
    let blocks: [BlockIndex]
    /// Nil if the model has no state.
    let state: StateSlot?

    /// The step entry that computes some of the session's positions.
    func entry(_ positions: Range<Int>, samples: Bool) -> StepEntry {
        StepEntry(
            session: id,
            tokens: Array(tokens[positions]),
            startPosition: positions.lowerBound,
            blocks: blocks,
            samples: samples,
            sampling: .greedy,
            sampleIndex: 0,
            state: state.map { StateUse(slot: $0, source: positions.lowerBound > 0 ? $0 : nil) }
        )
    }
}
