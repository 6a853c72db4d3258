/// The time that steps took, in seconds, by kind of work.
package struct StepTimes: Sendable, Equatable {
    /// Products with weight matrices.
    package var matmul = 0.0
    /// Quantisation of their inputs.
    package var quantization = 0.0
    /// Attention, QK norm and rotary embedding, and writes to the KV cache.
    package var attention = 0.0
    /// Per-row and elementwise operations: norms, gates, embeddings and the like.
    package var elementwise = 0.0
    /// Finding what constraints allow, and masking logits.
    package var constraint = 0.0
    /// Sampling of tokens.
    package var sampling = 0.0
    /// Everything else in the engine: checks, tables, overhead between kernels.
    package var other = 0.0
    /// Outside the engine: planning steps, passing them on, applying results.
    package var scheduling = 0.0

    package init() {}

    /// Each kind of work with its name, as in metrics and `bench --profile`.
    package var parts: KeyValuePairs<String, Double> {
        [
            "matmul": matmul, "quantization": quantization, "attention": attention, "elementwise": elementwise,
            "constraint": constraint, "sampling": sampling, "other": other, "scheduling": scheduling,
        ]
    }

    package var total: Double {
        matmul + quantization + attention + elementwise + constraint + sampling + other + scheduling
    }

    package static func + (left: StepTimes, right: StepTimes) -> StepTimes { combine(left, right, +) }
    package static func - (left: StepTimes, right: StepTimes) -> StepTimes { combine(left, right, -) }

    private static func combine(
        _ left: StepTimes,
        _ right: StepTimes,
        _ operation: (Double, Double) -> Double
    ) -> StepTimes {
        var result = StepTimes()
        result.matmul = operation(left.matmul, right.matmul)
        result.quantization = operation(left.quantization, right.quantization)
        result.attention = operation(left.attention, right.attention)
        result.elementwise = operation(left.elementwise, right.elementwise)
        result.constraint = operation(left.constraint, right.constraint)
        result.sampling = operation(left.sampling, right.sampling)
        result.other = operation(left.other, right.other)
        result.scheduling = operation(left.scheduling, right.scheduling)
        return result
    }
}
