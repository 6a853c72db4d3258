import EngineContract

/// Drafts of a model's draft head, or of a draft model, for the next step.
extension Engine {
    /// An entry for which tokens are drafted.
    private struct Drafting {
        var entry: Int
        /// What was sampled and counts, in order, and what has been drafted after it.
        var tokens: [Token]
        /// Of the token to be drafted after.
        var position: Int
        /// With a draft head, the row of the last hidden states that the next draft comes of.
        var row: Int
    }

    /// Takes note of which drafts of a step were right, and drafts tokens after the sampled ones for the entries that want
    /// some.
    ///
    /// A draft is drawn with the very draw that its place will have: where the drafter's logits are the model's, it is right
    /// whatever the temperature.
    func draft(after step: Step, _ result: inout StepResult) {
        var active = step.entries.indices.compactMap { drafting($0, of: step, result) }
        if let draftModel {
            follow(step, &result, draftModel, &active)
        } else {
            carry(step, result)
            if !active.isEmpty { computeHead(active, of: step) }
        }
        guard !active.isEmpty else { return }
        result.drafts = [[Token]](repeating: [], count: step.entries.count)
        while true {
            result.draftRounds += 1
            let tokens = sample(active, of: step)
            active = active.indices.compactMap { row in
                guard let token = tokens[row] else { return nil }
                var next = active[row]
                result.drafts[next.entry].append(token)
                next.tokens.append(token)
                next.position += 1
                next.row = row
                return result.drafts[next.entry].count < step.entries[next.entry].wantedDrafts ? next : nil
            }
            guard !active.isEmpty else { return }
            if let draftModel { compute(active, of: step, draftModel) } else { computeHead(active, of: step) }
        }
    }

    /// Nil for an entry that wants no drafts, or of which nothing was sampled.
    private func drafting(_ index: Int, of step: Step, _ result: StepResult) -> Drafting? {
        let (entry, samples) = (step.entries[index], result.samples[index])
        guard entry.wantedDrafts > 0, !samples.isEmpty else { return nil }
        let right = StepResult.rightDrafts(samples, of: entry)
        let known = entry.tokens.count - entry.draftCount
        return Drafting(
            entry: index,
            tokens: Array(samples.prefix(right + 1)),
            position: entry.startPosition + known + right,
            row: pass.segments[index].firstRow + known + right - 1
        )
    }

    /// One token for each of `active`, of whose rows the logits are there; nil where there is none.
    private func sample(_ active: [Drafting], of step: Step) -> [Token?] {
        let pass = draftModel?.pass ?? pass
        // A draft model may lack the last tokens.
        let size = pass.model.vocabularySize
        let draws = active.map { drafting in
            let entry = step.entries[drafting.entry]
            return Draw(
                parameters: entry.sampling,
                index: entry.sampleIndex + drafting.tokens.count,
                seen: entry.sampling.penalizesRepetition ? entry.seen.filter { Int($0) < size } : [],
                drafted: drafting.tokens[...],
                constraint: entry.constraint
            )
        }
        return BatchSampler.sample(
            draws,
            pass.logits.buffer(draws.count * size),
            vocabularySize: size,
            masks: &masks,
            on: pass.compute
        ).map { outcome in outcome.token.flatMap { Int($0) < size ? $0 : nil } }
    }

    /// The entries of a step that drafts after single tokens.
    private func entries(_ active: [Drafting], of step: Step) -> [StepEntry] {
        active.map { drafting in
            var entry = step.entries[drafting.entry]
            entry.tokens = drafting.tokens.suffix(1)
            entry.startPosition = drafting.position
            entry.state = nil
            return entry
        }
    }

    // MARK: A draft model

    /// Lets the draft model take in what a step's entries say, and computes its logits for those that want drafts.
    /// - Parameter active: those; what the model cannot draft after is taken out.
    private func follow(
        _ step: Step,
        _ result: inout StepResult,
        _ model: DraftModel,
        _ active: inout [Drafting]
    ) {
        let followed = model.followed(step, result)
        result.notFollowed = Set(step.entries.indices).subtracting(followed.map(\.index))
        active.removeAll { result.notFollowed.contains($0.entry) }
        guard !followed.isEmpty else { return }
        var (rows, end) = ([Int](), 0)
        let drafting = Set(active.map(\.entry))
        for (index, entry) in followed {
            end += entry.tokens.count
            if drafting.contains(index) { rows.append(end - 1) }
        }
        model.pass.begin(followed.map(\.entry))
        model.transformer.forward(model.pass, logitsOf: rows)
    }

    /// Computes the draft model's logits after the last tokens.
    private func compute(_ active: [Drafting], of step: Step, _ model: DraftModel) {
        model.pass.begin(entries(active, of: step))
        model.transformer.forward(model.pass, logitsOf: Array(active.indices))
    }

    // MARK: A draft head

    /// Lets the blocks of a step carry the hidden states after the drafts that were right.
    private func carry(_ step: Step, _ result: StepResult) {
        for (index, entry) in step.entries.enumerated() {
            let right = StepResult.rightDrafts(result.samples[index], of: entry)
            let known = entry.tokens.count - entry.draftCount
            // A state that has gone through a wrong draft begins again before them all.
            guard right > 0, entry.state == nil || right == entry.draftCount else { continue }
            pass.carry(known..<known + right, of: index)
        }
    }

    /// Computes the head's logits after the last tokens.
    private func computeHead(_ active: [Drafting], of step: Step) {
        let size = transformer.description.hiddenSize
        pass.gather(active.map { Int32($0.row) }, of: pass.finalHidden, size: size, into: pass.previousHidden)
        pass.begin(entries(active, of: step))
        transformer.draft(pass)
    }

    /// The draft head's logits after each of `tokens` but the first, for tests: each comes of the model's own hidden states.
    /// Uses the first KV blocks and the first state slot, whatever they hold.
    func draftLogits(of tokens: [Token]) throws(EngineError) -> [[Float]] {
        _ = try logits(of: tokens)
        pass.lookBack()
        transformer.draft(pass)
        let size = description.vocabularySize
        let all = pass.logits.buffer(tokens.count * size)
        return (1..<max(1, tokens.count)).map { Array(UnsafeBufferPointer(start: all + $0 * size, count: size)) }
    }
}
