import CKernels
import ModelFiles

/// RMS normalisation (arXiv 1910.07467).
struct RMSNorm: Sendable {
    let weight: Vector
    let epsilon: Float

    /// y[tokens, size] = the normalised rows of x, or y += if `adding`.
    func apply(_ x: FloatBuffer, tokens: Int, into y: FloatBuffer, adding: Bool = false, on compute: Compute) {
        let size = tokens * weight.count
        let output = adding ? y.buffer(size) : y.ensureCapacity(size)
        ck_rms_norm(
            compute.handle,
            x.buffer(size),
            weight.start,
            Int32(tokens),
            Int32(weight.count),
            epsilon,
            output,
            adding
        )
    }

    /// Normalises `weight.count` floats in each of `tokens` rows of `rowSize` floats, the first of them at `start`.
    func apply(within start: UnsafeMutablePointer<Float>, tokens: Int, rowSize: Int, on compute: Compute) {
        ck_rms_norm_within(compute.handle, weight.start, Int32(tokens), Int32(weight.count), epsilon, start, rowSize)
    }
}

extension WeightReader {
    /// - Parameter scale: multiplies what the norm gives.
    func norm(
        _ path: String,
        _ count: Int,
        of model: TransformerDescription,
        scale: Float = 1
    ) throws(ModelError) -> RMSNorm {
        let weight = try vector(path, count) { ($0 + model.normOffset) * scale }
        return RMSNorm(weight: weight, epsilon: model.normEpsilon)
    }
}
