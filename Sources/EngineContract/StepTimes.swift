/// Where the time of steps went, in seconds.
package struct StepTimes: Sendable, Equatable {
    /// Multiplication by weight matrices.
    package var matmul = 0.0
    /// Quantisation of their inputs.
    package var inputs = 0.0
    /// Attention, and what is done to queries, keys and values before.
    package var attention = 0.0
    /// Norms, gates, embeddings and the like.
    package var elementwise = 0.0
    /// Choosing tokens.
    package var sampling = 0.0
    /// All else in the engine: checks, tables, the way from kernel to kernel.
    package var other = 0.0
    /// Outside the engine: planning, handing over, applying results.
    package var scheduling = 0.0

    package init() {}

    /// Each part with the name that metrics and reports know it by.
    package var parts: KeyValuePairs<String, Double> {
        [
            "products": matmul, "inputs": inputs, "attention": attention, "rows": elementwise, "sampling": sampling,
            "other": other, "scheduling": scheduling,
        ]
    }

    package var total: Double { matmul + inputs + attention + elementwise + sampling + other + scheduling }

    package static func + (left: StepTimes, right: StepTimes) -> StepTimes { combine(left, right, +) }
    package static func - (left: StepTimes, right: StepTimes) -> StepTimes { combine(left, right, -) }

    private static func combine(
        _ left: StepTimes,
        _ right: StepTimes,
        _ operation: (Double, Double) -> Double
    ) -> StepTimes {
        var result = StepTimes()
        result.matmul = operation(left.matmul, right.matmul)
        result.inputs = operation(left.inputs, right.inputs)
        result.attention = operation(left.attention, right.attention)
        result.elementwise = operation(left.elementwise, right.elementwise)
        result.sampling = operation(left.sampling, right.sampling)
        result.other = operation(left.other, right.other)
        result.scheduling = operation(left.scheduling, right.scheduling)
        return result
    }
}
