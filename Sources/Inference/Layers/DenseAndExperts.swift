import ModelFiles

/// A dense network and experts side by side, whose outputs are added. Each sees the hidden state through a norm of its own:
/// the dense network through the layer's.
struct DenseAndExperts: Sendable {
    let dense: DenseFeedForward
    let denseOutputNorm: RMSNorm
    let experts: MixtureOfExperts
    let expertsNorm: RMSNorm
    let expertsOutputNorm: RMSNorm
    let routerNorm: RMSNorm
}

extension WeightReader {
    /// Binds `mlp`, `router` and `experts` of the layer at `path`, and their norms.
    func denseAndExperts(
        _ network: DenseDescription,
        _ experts: ExpertsDescription,
        of model: TransformerDescription,
        at path: String
    ) throws(ModelError) -> DenseAndExperts {
        let size = model.hiddenSize
        func norm(_ name: String) throws(ModelError) -> RMSNorm {
            try self.norm("\(path).\(name)", size, of: model)
        }
        // What the router sees is also divided by the root of its size.
        let root = Float(size).squareRoot()
        let scale = try vector(named: ["\(path).router.scale"], shapes: [[size]]) { $0.map { $0 / root } }
        return DenseAndExperts(
            dense: try dense(network, hiddenSize: size, at: "\(path).mlp"),
            denseOutputNorm: try norm("post_feedforward_layernorm_1"),
            experts: try mixture(
                experts,
                hiddenSize: size,
                at: path,
                LayerNames(router: "router.proj"),
                stack: "experts.switch_glu",
                scales: "\(path).router.per_expert_scale"
            ),
            expertsNorm: try norm("pre_feedforward_layernorm_2"),
            expertsOutputNorm: try norm("post_feedforward_layernorm_2"),
            routerNorm: RMSNorm(weight: scale, epsilon: model.normEpsilon)
        )
    }
}

extension ForwardPass {
    /// blockOutput = the sum of both outputs, for `normed` and `hidden`.
    func compute(_ both: DenseAndExperts) {
        activate(both.dense, normed, tokens: count)
        both.dense.down.apply(gated, tokens: count, into: denseOutput, on: compute)
        both.expertsNorm.apply(hidden, tokens: count, into: normed, on: compute)
        both.routerNorm.apply(hidden, tokens: count, into: routerInput, on: compute)
        computeExperts(both.experts, routedBy: routerInput)
        both.expertsOutputNorm.apply(blockOutput, tokens: count, into: blockOutput, on: compute)
        both.denseOutputNorm.apply(denseOutput, tokens: count, into: blockOutput, adding: true, on: compute)
    }
}
