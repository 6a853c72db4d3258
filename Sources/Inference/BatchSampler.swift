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
    /// What may follow the tokens before the drafted ones.
    var constraint: (any TokenConstraint)?
}

extension Draw {
    /// What came of a draw.
    enum Outcome: Equatable {
        case token(Token)
        /// A logit is not a finite number.
        case notFinite
        /// The constraint leaves no token.
        case nothingAllowed
        /// The constraint refuses a token that was drafted before this one.
        case notReached

        var token: Token? { if case .token(let token) = self { token } else { nil } }
    }

    /// The draws of an entry: after its last known token and after each drafted one.
    static func all(of entry: StepEntry) -> [Draw] {
        (0...entry.draftCount).map { count in
            Draw(
                parameters: entry.sampling,
                index: entry.sampleIndex + count,
                seen: entry.sampling.penalizesRepetition ? entry.seen : [],
                drafted: entry.drafts.prefix(count),
                constraint: entry.constraint
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

/// Masks logits and samples for many sessions, each on one of the compute threads: with a large vocabulary that takes as
/// long as a layer.
///
/// The pointers are used only while `sample` runs, and each row of logits and each element of `outcomes`, `allowed` and
/// `masks` by one thread at a time.
struct BatchSampler {
    private let compute: OpaquePointer
    private let draws: [Draw]
    private let logits: UnsafeMutablePointer<Float>
    private let vocabularySize: Int
    /// Nil for draws that are yet to be made.
    private let outcomes: UnsafeMutableBufferPointer<Draw.Outcome?>
    /// How many tokens a constraint allows for each draw; nil for those without.
    private let allowed: UnsafeMutableBufferPointer<Int?>
    /// One for each thread.
    private let masks: UnsafeMutableBufferPointer<TokenMask>
    /// The draws that have a constraint.
    private let constrained: [Int]

    /// - Parameters:
    ///   - logits: [draws.count, vocabularySize]; changed.
    ///   - masks: memory that is used again: as many masks of the vocabulary as there are threads, or none yet.
    static func sample(
        _ draws: [Draw],
        _ logits: UnsafeMutablePointer<Float>,
        vocabularySize: Int,
        masks: inout [TokenMask],
        on compute: Compute
    ) -> [Draw.Outcome] {
        let constrained = draws.indices.filter { draws[$0].constraint != nil }
        if masks.isEmpty, !constrained.isEmpty {
            masks = Array(repeating: TokenMask(tokenCount: vocabularySize), count: compute.threads)
        }
        var outcomes = [Draw.Outcome?](repeating: nil, count: draws.count)
        var allowed = [Int?](repeating: nil, count: draws.count)
        outcomes.withUnsafeMutableBufferPointer { outcomes in
            allowed.withUnsafeMutableBufferPointer { allowed in
                masks.withUnsafeMutableBufferPointer { masks in
                    var batch = BatchSampler(
                        compute: compute.handle,
                        draws: draws,
                        logits: logits,
                        vocabularySize: vocabularySize,
                        outcomes: outcomes,
                        allowed: allowed,
                        masks: masks,
                        constrained: constrained
                    )
                    batch.run()
                }
            }
        }
        return outcomes.map { $0 ?? .notFinite }
    }

    private mutating func run() {
        let (compute, constrainedCount, count) = (compute, Int32(constrained.count), Int32(draws.count))
        withUnsafeMutablePointer(to: &self) { batch in
            if constrainedCount > 0 {
                ck_parallel_for(
                    compute,
                    CK_WORK_CONSTRAINT,
                    constrainedCount,
                    1,
                    { context, item, worker in
                        context?.assumingMemoryBound(to: BatchSampler.self).pointee.mask(Int(item), worker: Int(worker))
                    },
                    batch
                )
            }
            ck_parallel_for(
                compute,
                CK_WORK_SAMPLING,
                count,
                1,
                { context, item, _ in
                    context?.assumingMemoryBound(to: BatchSampler.self).pointee.sample(Int(item))
                },
                batch
            )
        }
    }

    /// Leaves only the logits of tokens that the draw's constraint allows.
    private func mask(_ item: Int, worker: Int) {
        let index = constrained[item]
        guard var constraint = draws[index].constraint else { return }
        for token in draws[index].drafted {
            guard constraint.accept(token) else {
                outcomes[index] = .notReached
                return
            }
        }
        constraint.allow(into: &masks[worker])
        let count = masks[worker].count
        allowed[index] = count
        if count <= 1 {
            outcomes[index] = masks[worker].first.map { .token($0) } ?? .nothingAllowed
            return
        }
        let row = logits + index * vocabularySize
        draws[index].penalize(row)
        masks[worker].words.withUnsafeBufferPointer {
            ck_mask_logits(compute, $0.baseAddress, Int32(vocabularySize), row)
        }
    }

    private func sample(_ index: Int) {
        guard outcomes[index] == nil else { return }
        let row = logits + index * vocabularySize
        if draws[index].constraint == nil { draws[index].penalize(row) }
        let sampler = Sampler(
            compute: compute,
            logits: UnsafeMutableBufferPointer(start: row, count: vocabularySize),
            parameters: draws[index].parameters,
            allowed: allowed[index]
        )
        outcomes[index] = sampler.sample(index: draws[index].index).map { .token($0) } ?? .notFinite
    }
}
