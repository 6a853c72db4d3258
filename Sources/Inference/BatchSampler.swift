import CKernels
import EngineContract

/// How one token is to be drawn.
struct Draw {
    var parameters: SamplingParameters
    /// How many tokens the session has sampled before.
    var index: Int
}

/// Samples for many sessions, each on one of the compute threads: with a large vocabulary that takes as long as a layer.
///
/// The pointers are read, and each element of `tokens` written by one thread, only while `sample` runs.
struct BatchSampler {
    private let compute: OpaquePointer
    private let draws: [Draw]
    private let logits: UnsafePointer<Float>
    private let vocabularySize: Int
    private let tokens: UnsafeMutableBufferPointer<Token?>

    /// - Parameter logits: [draws.count, vocabularySize].
    /// - Returns: a token for each draw; nil where a logit is not a finite number.
    static func sample(
        _ draws: [Draw],
        _ logits: UnsafePointer<Float>,
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
                ck_compute_for(
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
        let row = UnsafeBufferPointer(start: logits + index * vocabularySize, count: vocabularySize)
        let sampler = Sampler(compute: compute, logits: row, parameters: draws[index].parameters)
        tokens[index] = sampler.sample(index: draws[index].index)
    }
}
