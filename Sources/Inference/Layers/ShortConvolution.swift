import CKernels
import ModelFiles

/// The gated short convolution of one layer.
struct ShortConvolution: Sendable {
    let description: ShortConvolutionDescription
    /// [b | c | x] of the layer's input.
    let input: Linear
    /// [taps, channels]
    let weights: Vector
    let bias: Vector?
    let output: Linear
}

extension WeightReader {
    /// Binds `in_proj`, `conv` and `out_proj` at `path`.
    func shortConvolution(
        _ convolution: ShortConvolutionDescription,
        hiddenSize: Int,
        at path: String
    ) throws(ModelError) -> ShortConvolution {
        let (channels, bias) = (convolution.channels, convolution.bias)
        let hasBias = bias == .required || bias == .optional && hasBias("\(path).conv")
        return ShortConvolution(
            description: convolution,
            input: try linear(path, [LinearPart("in_proj", 3 * channels)], columns: hiddenSize, bias: bias),
            weights: try self.convolution("\(path).conv", channels: channels, taps: convolution.taps),
            bias: hasBias ? try self.bias(path, [LinearPart("conv", channels)]) : nil,
            output: try linear(
                path,
                [LinearPart("out_proj", hiddenSize)],
                columns: channels,
                inputs: .inner,
                bias: bias
            )
        )
    }
}

extension ForwardPass {
    /// attentionOutput = the convolution's output for each token of `normed`; the sessions' states move on.
    /// - Parameter layer: its index among the recurrent ones.
    func convolve(_ convolution: ShortConvolution, layer: Int) {
        guard let states else { preconditionFailure("a recurrent layer without state memory") }
        let channels = convolution.description.channels
        convolution.input.apply(normed, tokens: count, into: projected, on: compute)
        var view = ck_short_convolution(
            channels: Int32(channels),
            taps: Int32(convolution.description.taps),
            weights: convolution.weights.start,
            bias: convolution.bias?.start,
            state_offset: states.shape.offsets[layer]
        )
        ck_short_convolution_apply(
            compute.handle,
            &view,
            stateRuns,
            Int32(stateRuns.count),
            projected.buffer(3 * count * channels),
            attentionOutput.ensureCapacity(count * channels)
        )
    }
}
