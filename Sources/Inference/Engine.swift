import CKernels
package import EngineContract
package import ModelFiles

/// The owner of weights and KV memory; computes steps on a thread of its own.
package actor Engine: InferenceEngine {
    package nonisolated let description: EngineDescription
    package nonisolated let blockIdentity: String
    package nonisolated let blockBytes: Int

    private let executor: ThreadExecutor
    let transformer: Transformer
    let pass: ForwardPass
    let draftModel: DraftModel?
    private let checks: StepChecks
    private let files: [MappedFile]
    /// What constraints allow, for each compute thread; made when the first constraint comes.
    var masks: [TokenMask] = []

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameter draft: a smaller model of the same vocabulary, which drafts for it; neither has a draft head then.
    package init(
        model: LoadedModel,
        draft: LoadedModel? = nil,
        options: EngineOptions = EngineOptions()
    ) throws(ModelError) {
        try self.init(model: model, draft: draft, options: options, variant: options.variant())
    }

    /// - Parameter variant: the kernels to use, which this CPU must be able to run.
    init(
        model: LoadedModel,
        draft: LoadedModel? = nil,
        options: EngineOptions,
        variant: ck_variant
    ) throws(ModelError) {
        if let draft { try DraftModel.check(draft, for: model) }
        let transformer = model.transformer.description
        let threads = options.threads ?? SystemCores.count
        let compute = try Compute(
            variant: variant,
            threads: threads,
            precise: options.precise,
            activations: options.activations
        )
        let drafting = draft?.transformer.description
        let shape = KVShape(transformer, draft: drafting, blockSize: options.blockSize, type: options.chosenKVType)
        let plan = try EnginePlan(transformer, shape: shape, options: options)
        for model in [model, draft].compactMap(\.self) {
            try compute.reserve(for: model, contextLength: plan.kv.contextLength)
        }
        let states = try plan.makeStateMemory()
        let kv = try KVMemory(shape: shape, blockCount: plan.kv.blockCount)
        pass = ForwardPass(
            transformer,
            compute: compute,
            kv: kv,
            states: states,
            contextLength: plan.kv.contextLength
        )
        draftModel = draft.map { DraftModel($0, compute: compute, kv: kv, contextLength: plan.kv.contextLength) }
        self.transformer = model.transformer
        files = model.mappedFiles + (draft?.mappedFiles ?? [])
        blockIdentity = Self.blockIdentity(model, draft: draft, options, plan.kv, variant: compute.variant.name)
        blockBytes = shape.blockBytes
        description = EngineDescription(model, draft: draft, plan, shape: shape, compute)
        checks = StepChecks(description)
        do throws(ThreadError) {
            executor = try ThreadExecutor(name: "engine")
        } catch {
            throw ModelError("the engine's thread cannot be started")
        }
    }

    package func step(_ step: Step) throws(EngineError) -> StepResult {
        let (begin, before) = (ContinuousClock.now, pass.compute.times)
        var result = try samples(of: step)
        let drafting = ContinuousClock.now
        if description.drafter != nil {
            draft(after: step, &result)
            result.draftSeconds = (ContinuousClock.now - drafting) / .seconds(1)
        }
        result.times = pass.compute.times - before
        result.times.other = max(0, (ContinuousClock.now - begin) / .seconds(1) - result.times.total)
        return result
    }

    private func samples(of step: Step) throws(EngineError) -> StepResult {
        try checkFiles()
        let sampling = try compute(step)
        // Before anybody believes what was computed from zeros in place of weights.
        try checkFiles()
        var result = StepResult(samples: [[Token]](repeating: [], count: step.entries.count))
        let draws = sampling.flatMap { Draw.all(of: step.entries[$0]) }
        guard !draws.isEmpty else { return result }
        var outcomes = BatchSampler.sample(
            draws,
            pass.logits.buffer(draws.count * description.vocabularySize),
            vocabularySize: description.vocabularySize,
            masks: &masks,
            on: pass.compute
        )[...]
        for index in sampling {
            let own = outcomes.prefix(step.entries[index].draftCount + 1)
            outcomes = outcomes.dropFirst(own.count)
            result.samples[index] = own.prefix { $0.token != nil }.compactMap(\.token)
            if own.first == .nothingAllowed {
                result.failures[index] = .nothingAllowed
            } else if result.samples[index].isEmpty {
                result.failures[index] = EngineError("the model gave a logit that is not a finite number")
            }
        }
        return result
    }

    private func checkFiles() throws(EngineError) {
        guard let path = files.damagedPath else { return }
        throw EngineError(
            "\(path): weights cannot be read any more: the file was cut short, or its disk fails; "
                + "put it right and start again",
            isLasting: true
        )
    }

    /// The logits instead of samples of a step, for tests: one element for each entry, nil where it does not sample. Where
    /// it has drafted tokens, those after the last known token.
    package func logits(of step: Step) throws(EngineError) -> [[Float]?] {
        var result = [[Float]?](repeating: nil, count: step.entries.count)
        var row = 0
        for index in try compute(step) {
            result[index] = Array(logits(row))
            row += step.entries[index].draftCount + 1
        }
        return result
    }

    /// The logits after each of `tokens` from the index `first` on, for tests. Uses the first KV blocks and the first state
    /// slot, whatever they hold.
    package func logits(of tokens: [Token], from first: Int = 0) throws(EngineError) -> [[Float]] {
        let blocks = (tokens.count + description.blockSize - 1) / description.blockSize
        let entry = StepEntry(
            session: SessionID(0),
            tokens: tokens,
            startPosition: 0,
            blocks: (0..<blocks).map { BlockIndex($0) },
            samples: true,
            sampling: .greedy,
            sampleIndex: 0,
            state: description.stateMemory == nil ? nil : StateUse(slot: 0, source: nil)
        )
        try checks.check([entry])
        let rows = Array(tokens.indices.dropFirst(first))
        run([entry], logitsOf: rows)
        return rows.indices.map { Array(logits($0)) }
    }

    /// Computes a step, and the logits of the entries that sample, after the last known token and after each drafted one.
    /// - Returns: these entries' indices, in the order of the rows.
    private func compute(_ step: Step) throws(EngineError) -> [Int] {
        try checks.check(step.entries)
        var rows: [Int] = []
        var sampling: [Int] = []
        var end = 0
        for (index, entry) in step.entries.enumerated() {
            end += entry.tokens.count
            if entry.samples {
                rows += (end - 1 - entry.draftCount)..<end
                sampling.append(index)
            }
        }
        run(step.entries, logitsOf: rows)
        return sampling
    }

    private func run(_ entries: [StepEntry], logitsOf rows: [Int]) {
        guard !entries.isEmpty else { return }
        pass.begin(entries)
        transformer.forward(pass, logitsOf: rows)
        guard description.drafter == .head else { return }
        for (index, entry) in entries.enumerated() { pass.carry(0..<entry.tokens.count - entry.draftCount, of: index) }
    }

    private func logits(_ row: Int) -> UnsafeBufferPointer<Float> {
        let size = description.vocabularySize
        return UnsafeBufferPointer(start: pass.logits.buffer((row + 1) * size) + row * size, count: size)
    }
}
