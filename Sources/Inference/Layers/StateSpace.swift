import CKernels
import ModelFiles

/// Mamba-2's selective state space of one layer.
struct StateSpace: Sendable {
    let description: StateSpaceDescription
    /// [z | x | b | c | step] of the layer's input.
    let input: Linear
    /// [taps, channels]
    let convolution: Vector
    let convolutionBias: Vector?
    let decayRate: Vector
    let stepBias: Vector
    let skip: Vector
    /// Of what goes into the output matrix, group by group.
    let norm: Vector
    let epsilon: Float
    let output: Linear
}

extension WeightReader {
    /// Binds `in_proj`, `conv1d`, `norm`, `out_proj` and the vectors at `path`.
    func stateSpace(
        _ space: StateSpaceDescription,
        of model: TransformerDescription,
        at path: String
    ) throws(ModelError) -> StateSpace {
        let (heads, inner, bias) = (space.heads, space.innerFloats, space.convolutionBias)
        let hasBias = bias == .required || bias == .optional && hasBias("\(path).conv1d")
        // GGUF files have vectors as matrices of one column, and the norm as one of groups.
        let shapes = [[heads], [heads, 1]]
        return StateSpace(
            description: space,
            input: try linear(
                path,
                [LinearPart("in_proj", space.rowFloats)],
                columns: model.hiddenSize,
                bias: space.bias
            ),
            convolution: try convolution("\(path).conv1d", channels: space.channels, taps: space.taps),
            convolutionBias: hasBias ? try self.bias(path, [LinearPart("conv1d", space.channels)]) : nil,
            decayRate: try decayRate(path, heads),
            stepBias: try vector(named: ["\(path).dt.bias", "\(path).dt_bias"], shapes: [[heads]]),
            skip: try vector(named: ["\(path).D"], shapes: shapes),
            norm: try vector(named: ["\(path).norm.weight"], shapes: [[inner], [space.groups, inner / space.groups]]),
            epsilon: model.normEpsilon,
            output: try linear(
                path,
                [LinearPart("out_proj", model.hiddenSize)],
                columns: inner,
                inputs: .inner,
                bias: space.bias
            )
        )
    }
}

extension ForwardPass {
    /// attentionOutput = the state space's output for each token of `normed`; the sessions' states move on.
    /// - Parameter layer: its index among the recurrent ones.
    func scan(_ space: StateSpace, layer: Int) {
        guard let states else { preconditionFailure("a recurrent layer without state memory") }
        let description = space.description
        space.input.apply(normed, tokens: count, into: projected, on: compute)
        var view = ck_state_space(
            heads: Int32(description.heads),
            head_size: Int32(description.headSize),
            state_size: Int32(description.stateSize),
            groups: Int32(description.groups),
            taps: Int32(description.taps),
            convolution: space.convolution.start,
            convolution_bias: space.convolutionBias?.start,
            decay_rate: space.decayRate.start,
            step_bias: space.stepBias.start,
            least_step: description.steps.lowerBound,
            most_step: description.steps.upperBound,
            skip: space.skip.start,
            norm: space.norm.start,
            epsilon: space.epsilon,
            state_offset: states.shape.offsets[layer]
        )
        ck_state_space_apply(
            compute.handle,
            &view,
            stateRuns,
            Int32(stateRuns.count),
            projected.buffer(count * description.rowFloats),
            mixed.ensureCapacity(count * description.channels),
            headGates.ensureCapacity(2 * count * description.heads),
            attentionOutput.ensureCapacity(count * description.innerFloats)
        )
    }
}
