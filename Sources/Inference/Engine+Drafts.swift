import EngineContract

/// Drafts of a model's draft head, for the next step.
extension Engine {
    /// An entry for which tokens are drafted.
    private struct Drafting {
        var entry: Int
        /// What was sampled and counts, in order, and what has been drafted after it.
        var tokens: [Token]
        /// Of the token to be drafted after.
        var position: Int
        /// The row of the last hidden states that the next draft comes of.
        var row: Int
    }

    /// Takes note of which drafts of a step were right, and drafts tokens after the sampled ones for the entries that want
    /// some.
    ///
    /// A draft is drawn with the very draw that its place will have: where the head's logits are the model's, it is right
    /// whatever the temperature.
    func draft(after step: Step, _ result: inout StepResult) {
        var active: [Drafting] = []
        for (index, entry) in step.entries.enumerated() where !result.samples[index].isEmpty {
            let samples = result.samples[index]
            let right = StepResult.rightDrafts(samples, of: entry)
            let known = entry.tokens.count - entry.draftCount
            // A state that has gone through a wrong draft begins again before them all.
            if right > 0, entry.state == nil || right == entry.draftCount {
                pass.carry(known..<known + right, of: index)
            }
            guard entry.wantedDrafts > 0 else { continue }
            active.append(
                Drafting(
                    entry: index,
                    tokens: Array(samples.prefix(right + 1)),
                    position: entry.startPosition + known + right,
                    row: pass.segments[index].firstRow + known + right - 1
                )
            )
        }
        guard !active.isEmpty else { return }
        result.drafts = [[Token]](repeating: [], count: step.entries.count)
        while !active.isEmpty {
            let tokens = draftTokens(active, of: step)
            active = active.indices.compactMap { row in
                guard let token = tokens[row] else { return nil }
                var next = active[row]
                result.drafts[next.entry].append(token)
                next.tokens.append(token)
                next.position += 1
                next.row = row
                return result.drafts[next.entry].count < step.entries[next.entry].wantedDrafts ? next : nil
            }
        }
    }

    /// One token for each of `active`; nil where there is none.
    private func draftTokens(_ active: [Drafting], of step: Step) -> [Token?] {
        let size = transformer.description.hiddenSize
        pass.gather(active.map { Int32($0.row) }, of: pass.finalHidden, size: size, into: pass.previousHidden)
        let entries = active.map { drafting in
            var entry = step.entries[drafting.entry]
            entry.tokens = drafting.tokens.suffix(1)
            entry.startPosition = drafting.position
            entry.state = nil
            return entry
        }
        pass.begin(entries)
        transformer.draft(pass)
        let draws = active.map { drafting in
            let entry = step.entries[drafting.entry]
            return Draw(
                parameters: entry.sampling,
                index: entry.sampleIndex + drafting.tokens.count,
                seen: entry.sampling.penalizesRepetition ? entry.seen : [],
                drafted: drafting.tokens[...],
                constraint: entry.constraint
            )
        }
        return BatchSampler.sample(
            draws,
            pass.logits.buffer(draws.count * description.vocabularySize),
            vocabularySize: description.vocabularySize,
            masks: &masks,
            on: pass.compute
        ).map(\.token)
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
