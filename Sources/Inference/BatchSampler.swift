import CKernels
import EngineContract

/// How one token is to be drawn.
struct Draw {
    var parameters: SamplingParameters
    /// How many tokens the session has sampled before.
    var index: Int
    /// The tokens before this one, each once, if the parameters penalize repetition.
    var seen: [Token] = []
    /// Drafted tokens after them, which may be among them.
    var drafted: ArraySlice<Token> = []
}

extension Draw {
    /// The draws of an entry: after its last known token and after each drafted one.
    static func all(of entry: StepEntry) -> [Draw] {
        let drafts = entry.tokens.suffix(entry.draftCount)
        let penalizes = entry.sampling.penalizesRepetition
        return (0...entry.draftCount).map { count in
            Draw(
                parameters: entry.sampling,
                index: entry.sampleIndex + count,
                seen: penalizes ? entry.seen : [],
                drafted: penalizes ? drafts.prefix(count) : []
            )
        }
    }

    /// Changes the logits as the penalty of repetition has it, counting each token once.
    func penalize(_ logits: UnsafeMutablePointer<Float>) {
        guard parameters.penalizesRepetition else { return }
        Sampler.penalize(seen, by: parameters.repetitionPenalty, logits)
        let new = Set(drafted).filter { !seen.contains($0) }
        Sampler.penalize(new, by: parameters.repetitionPenalty, logits)
    }
}

/// Samples for many sessions, each on one of the compute threads: with a large vocabulary that takes as long as a layer.
///
/// The pointers are used, and each row of logits and each element of `tokens` written by one thread, only while `sample`
/// runs.
struct BatchSampler {
    private let compute: OpaquePointer
    private let draws: [Draw]
    private let logits: UnsafeMutablePointer<Float>
    private let vocabularySize: Int
    private let tokens: UnsafeMutableBufferPointer<Token?>

    /// - Parameter logits: [draws.count, vocabularySize]; those of draws that penalize repetition are changed.
    /// - Returns: a token for each draw; nil where a logit is not a finite number.
    static func sample(
        _ draws: [Draw],
        _ logits: UnsafeMutablePointer<Float>,
        vocabularySize: Int,
        on compute: Compute
    ) -> [Token?] {
        var result = [Token?](repeating: nil, count: draws.count)
        result.withUnsafeMutableBufferPointer { tokens in
            var batch = BatchSampler(
                compute: compute.handle,
                draws: draws,
                logits: logits,
                vocabularySize: vocabularySize,
                tokens: tokens
            )
            withUnsafeMutablePointer(to: &batch) { batch in
                ck_parallel_for(
                    compute.handle,
                    CK_WORK_SAMPLING,
                    Int32(draws.count),
                    1,
                    { context, item, _ in
                        context?.assumingMemoryBound(to: BatchSampler.self).pointee.sample(Int(item))
                    },
                    batch
                )
            }
        }
        return result
    }

    private func sample(_ index: Int) {
        let row = logits + index * vocabularySize
        draws[index].penalize(row)
        let sampler = Sampler(
            compute: compute,
            logits: UnsafeBufferPointer(start: row, count: vocabularySize),
            parameters: draws[index].parameters
        )
        tokens[index] = sampler.sample(index: draws[index].index)
    }
}
