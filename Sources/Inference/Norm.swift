import CKernels

/// RMS normalisation (arXiv 1910.07467).
struct Norm: Sendable {
    let weight: Vector
    let epsilon: Float

    /// y[tokens, size] = the normalised rows of x, or y += if `adding`.
    func apply(_ x: FloatBuffer, tokens: Int, into y: FloatBuffer, adding: Bool = false, on compute: Compute) {
        let size = tokens * weight.count
        let output = adding ? y.holding(size) : y.reserving(size)
        ck_rms_norm(
            compute.handle,
            x.holding(size),
            weight.start,
            Int32(tokens),
            Int32(weight.count),
            epsilon,
            output,
            adding
        )
    }
}
