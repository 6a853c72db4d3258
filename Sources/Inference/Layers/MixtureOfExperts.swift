import CKernels
import ModelFiles

/// Feed-forward networks of which each token goes to a few, chosen by a router.
///
/// Each expert computes its tokens together; a token's results are added in the order of the experts, so they do not
/// depend on the other tokens.
struct MixtureOfExperts: Sendable {
    let description: ExpertsDescription
    let router: Linear
    /// Inputs and outputs of each expert.
    let hiddenSize: Int
    /// Added to the experts' scores for the choice.
    let correction: Vector?
    let experts: [DenseFeedForward]
    let shared: SharedExpert?
    /// Multiplies each expert's weight, after all else.
    let scales: [Float]?

    /// Experts for each token.
    var chosenCount: Int { description.chosenCount }
}

/// A feed-forward network that all tokens go to.
struct SharedExpert: Sendable {
    let network: DenseFeedForward
    /// [1, hidden size]: each token scales the output by sigmoid(gate · x); nil: it stays.
    let gate: Matrix?
}

extension WeightReader {
    /// Binds the router (`gate`) and the experts at `path`: each by itself (`experts.N.gate_proj` …), as the hub has
    /// them, or stacked in one tensor, as transformers 5 (`experts.gate_up_proj`) and MLX (`switch_mlp.gate_proj` …) do;
    /// and the shared expert.
    /// - Parameters:
    ///   - name: of the router, below `path`.
    ///   - stack: where MLX has stacks, below `path`.
    ///   - scales: the tensor that multiplies the experts' weights, if there is one.
    func mixture(
        _ mixture: ExpertsDescription,
        hiddenSize: Int,
        at path: String,
        router name: String,
        stack: String = "switch_mlp",
        scales: String? = nil
    ) throws(ModelError) -> MixtureOfExperts {
        let (count, bias) = (mixture.count, mixture.router.bias)
        let router = try linear(path, [LinearPart(name, count)], columns: hiddenSize, bias: bias, isSmall: true)
        var expertPaths = (0..<count).map { "\(path).experts.\($0)" }
        for stack in ["\(path).\(stack)", "\(path).experts"] {
            let names = ["gate_up_proj", "gate_proj", "up_proj", "down_proj"].filter { isStack("\(stack).\($0)") }
            for name in names {
                try unstack("\(stack).\(name)", count: count, transposed: mixture.transposesStacks) {
                    "\(stack).\($0).\(name)"
                }
            }
            if !names.isEmpty { expertPaths = (0..<count).map { "\(stack).\($0)" } }
        }
        var experts: [DenseFeedForward] = []
        for (index, path) in expertPaths.enumerated() {
            experts.append(try dense(mixture.expert, hiddenSize: hiddenSize, at: path))
            report(share: Double(index + 1) / Double(count))
        }
        let corrections = ["_bias", ".bias"].map { "\(path).\(name).e_score_correction\($0)" }
        return MixtureOfExperts(
            description: mixture,
            router: router,
            hiddenSize: hiddenSize,
            correction: mixture.router.hasCorrection ? try vector(named: corrections, shapes: [[count]]) : nil,
            experts: experts,
            shared: try sharedExpert(mixture, hiddenSize: hiddenSize, at: path),
            scales: try scales.map { (name) throws(ModelError) in try vector(named: [name], shapes: [[count]]).values }
        )
    }

    /// Binds `shared_experts`, which are one network; or `shared_expert` and its gate.
    private func sharedExpert(
        _ mixture: ExpertsDescription,
        hiddenSize: Int,
        at path: String
    ) throws(ModelError) -> SharedExpert? {
        guard let size = mixture.sharedSize else { return nil }
        var network = mixture.expert
        network.size = size
        guard mixture.gatesShared else {
            let network = try dense(network, hiddenSize: hiddenSize, at: "\(path).shared_experts")
            return SharedExpert(network: network, gate: nil)
        }
        return SharedExpert(
            network: try dense(network, hiddenSize: hiddenSize, at: "\(path).shared_expert"),
            gate: try matrix("\(path).shared_expert_gate", rows: 1, columns: hiddenSize)
        )
    }
}

extension ForwardPass {
    /// blockOutput = the experts' output for `normed`.
    /// - Parameter input: what the router sees; nil: `normed`.
    func computeExperts(_ mixture: MixtureOfExperts, routedBy input: FloatBuffer? = nil) {
        let (chosen, weights) = route(mixture, input ?? normed)
        // The tokens of each expert, and their weights.
        var rows = [[Int32]](repeating: [], count: mixture.experts.count)
        var shares = [[Float]](repeating: [], count: mixture.experts.count)
        for (index, expert) in chosen.enumerated() {
            rows[Int(expert)].append(Int32(index / mixture.chosenCount))
            shares[Int(expert)].append(weights[index])
        }
        let hiddenSize = mixture.hiddenSize
        let output = blockOutput.ensureCapacity(count * hiddenSize)
        output.update(repeating: 0, count: count * hiddenSize)
        for (expert, network) in mixture.experts.enumerated() where !rows[expert].isEmpty {
            let tokens = rows[expert].count
            gather(rows[expert], of: normed, size: hiddenSize, into: expertInput)
            activate(network, expertInput, tokens: tokens)
            network.down.apply(gated, tokens: tokens, into: expertOutput, on: compute)
            ck_scatter_add(
                compute.handle,
                expertOutput.buffer(tokens * hiddenSize),
                rows[expert],
                shares[expert],
                Int32(tokens),
                Int32(hiddenSize),
                output
            )
        }
        if let shared = mixture.shared { add(shared, hiddenSize: hiddenSize) }
    }

    /// blockOutput += the shared expert's output for `normed`.
    private func add(_ shared: SharedExpert, hiddenSize: Int) {
        activate(shared.network, normed, tokens: count)
        guard let gate = shared.gate else {
            shared.network.down.apply(gated, tokens: count, into: blockOutput, adding: true, on: compute)
            return
        }
        gate.multiply(normed, tokens: count, into: routerLogits, on: compute)
        let gates = routerLogits.buffer(count)
        ck_sigmoid(compute.handle, Int32(count), gates)
        shared.network.down.apply(gated, tokens: count, into: expertOutput, on: compute)
        add(expertOutput, size: hiddenSize, scales: gates, to: blockOutput)
    }

    /// The experts of each token, and their weights: [count, chosenCount].
    private func route(_ mixture: MixtureOfExperts, _ input: FloatBuffer) -> ([Int32], [Float]) {
        let (size, router) = (mixture.router.rows, mixture.description.router)
        mixture.router.apply(input, tokens: count, into: routerLogits, on: compute)
        var chosen = [Int32](repeating: 0, count: count * mixture.chosenCount)
        var weights = [Float](repeating: 0, count: count * mixture.chosenCount)
        var routing = ck_routing(
            scoring: router.scoring == .softmax ? CK_SOFTMAX : CK_SIGMOID,
            count: Int32(mixture.chosenCount),
            bias: mixture.correction?.start,
            groups: Int32(router.groups),
            chosen_groups: Int32(router.chosenGroups),
            normalize: mixture.description.normalizesWeights,
            scale: router.weightScale
        )
        ck_route_top_k(
            compute.handle,
            &routing,
            routerLogits.buffer(count * size),
            Int32(count),
            Int32(size),
            &chosen,
            &weights
        )
        if let scales = mixture.scales {
            for (index, expert) in chosen.enumerated() { weights[index] *= scales[Int(expert)] }
        }
        return (chosen, weights)
    }
}
