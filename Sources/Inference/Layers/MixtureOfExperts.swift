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
    let latent: LatentExperts?
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

/// What stands between the hidden state and experts that see less of it.
struct LatentExperts: Sendable {
    let down: Linear
    let up: Linear
}

extension WeightReader {
    /// Binds the router (`gate`) and the experts at `path`: each by itself (`experts.N.gate_proj` …), as the hub has
    /// them, or stacked in one tensor, as transformers 5 (`experts.gate_up_proj`) and MLX (`switch_mlp.gate_proj` …) do;
    /// and the shared expert.
    /// - Parameters:
    ///   - shared: the path of the shared expert; nil: it is below `path`.
    ///   - stack: where MLX has stacks, below `path`.
    ///   - scales: the tensor that multiplies the experts' weights, if there is one.
    func mixture(
        _ mixture: ExpertsDescription,
        hiddenSize: Int,
        at path: String,
        _ names: LayerNames,
        shared: String? = nil,
        stack: String = "switch_mlp",
        scales: String? = nil
    ) throws(ModelError) -> MixtureOfExperts {
        let (count, inputs) = (mixture.count, mixture.latentSize ?? hiddenSize)
        let router = try linear(
            path,
            [LinearPart(names.router, count)],
            columns: hiddenSize,
            bias: mixture.router.bias,
            isSmall: true
        )
        var experts: [DenseFeedForward] = []
        for path in try expertPaths(mixture, hiddenSize: inputs, at: path, stack: stack, names) {
            experts.append(try dense(mixture.expert, hiddenSize: inputs, at: path, names))
            report(share: Double(experts.count) / Double(count))
        }
        let correction = "\(path).\(names.correction ?? "\(names.router).e_score_correction")"
        let corrections = ["_bias", ".bias"].map { correction + $0 }
        return MixtureOfExperts(
            description: mixture,
            router: router,
            hiddenSize: hiddenSize,
            correction: mixture.router.hasCorrection ? try vector(named: corrections, shapes: [[count]]) : nil,
            experts: experts,
            shared: try sharedExpert(mixture, hiddenSize: hiddenSize, at: path, named: shared, names),
            latent: try latent(mixture, hiddenSize: hiddenSize, at: path),
            scales: try scales.map { (name) throws(ModelError) in try vector(named: [name], shapes: [[count]]).values }
        )
    }

    /// The path of each expert, once the stacks that the file has are readable matrix by matrix.
    private func expertPaths(
        _ mixture: ExpertsDescription,
        hiddenSize: Int,
        at path: String,
        stack: String,
        _ names: LayerNames
    ) throws(ModelError) -> [String] {
        let count = mixture.count
        for stack in ["\(path).\(stack)", "\(path).experts"] {
            let found = Self.stacks.filter { isStack("\(stack).\($0.name)") }
            for (name, own) in found {
                try unstack("\(stack).\(name)", count: count, transposed: mixture.transposesStacks) {
                    "\(stack).\($0).\(own)"
                }
            }
            if !found.isEmpty { return (0..<count).map { "\(stack).\($0)" } }
        }
        let paths = (0..<count).map { "\(path).experts.\($0)" }
        guard let stacks = names.stacks else { return paths }
        let (size, usual) = (mixture.expert.size, LayerNames())
        for (name, own, shape) in [
            (stacks.gateUp, usual.gateUp, [count, 2 * size, hiddenSize]),
            (stacks.down, usual.down, [count, hiddenSize, size]),
        ] {
            _ = try tensors.tensor("\(path).\(name).weight", TensorType.floats, shape: shape)
            try unstack("\(path).\(name)", count: count) { "\(paths[$0]).\(own)" }
        }
        return paths
    }

    /// The names that stacks have, and those of their matrices.
    private static let stacks: [(name: String, own: String)] =
        ["gate_up_proj", "gate_proj", "up_proj", "down_proj"].map { ($0, $0) }
        // MLX's of networks without a gate.
        + [("fc1", "up_proj"), ("fc2", "down_proj")]

    /// Binds `fc1_latent_proj` and `fc2_latent_proj`, if there are such.
    private func latent(
        _ mixture: ExpertsDescription,
        hiddenSize: Int,
        at path: String
    ) throws(ModelError) -> LatentExperts? {
        guard let size = mixture.latentSize else { return nil }
        let (down, up) = (LinearPart("fc1_latent_proj", size), LinearPart("fc2_latent_proj", hiddenSize))
        return LatentExperts(
            down: try linear(path, [down], columns: hiddenSize, bias: mixture.latentBias),
            up: try linear(path, [up], columns: size, bias: mixture.latentBias)
        )
    }

    /// Binds the shared expert at a path of its own; or `shared_experts`, which are one network; or `shared_expert` and its
    /// gate.
    private func sharedExpert(
        _ mixture: ExpertsDescription,
        hiddenSize: Int,
        at path: String,
        named own: String?,
        _ names: LayerNames
    ) throws(ModelError) -> SharedExpert? {
        guard let size = mixture.sharedSize else { return nil }
        var network = mixture.expert
        network.size = size
        guard mixture.gatesShared else {
            let network = try dense(network, hiddenSize: hiddenSize, at: own ?? "\(path).shared_experts", names)
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
        if let latent = mixture.latent {
            latent.down.apply(normed, tokens: count, into: latentInput, on: compute)
            add(mixture.experts, latentInput, size: latent.down.rows, rows, shares, to: latentOutput)
            latent.up.apply(latentOutput, tokens: count, into: blockOutput, on: compute)
        } else {
            add(mixture.experts, normed, size: mixture.hiddenSize, rows, shares, to: blockOutput)
        }
        if let shared = mixture.shared { add(shared, hiddenSize: mixture.hiddenSize) }
    }

    /// y[count, size] = the sum of what each expert makes of its rows of x, times its shares.
    private func add(
        _ experts: [DenseFeedForward],
        _ x: FloatBuffer,
        size: Int,
        _ rows: [[Int32]],
        _ shares: [[Float]],
        to y: FloatBuffer
    ) {
        let output = y.ensureCapacity(count * size)
        output.update(repeating: 0, count: count * size)
        for (expert, network) in experts.enumerated() where !rows[expert].isEmpty {
            let tokens = rows[expert].count
            gather(rows[expert], of: x, size: size, into: expertInput)
            activate(network, expertInput, tokens: tokens)
            network.down.apply(gated, tokens: tokens, into: expertOutput, on: compute)
            ck_scatter_add(
                compute.handle,
                expertOutput.buffer(tokens * size),
                rows[expert],
                shares[expert],
                Int32(tokens),
                Int32(size),
                output
            )
        }
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
            least_sum: router.leastSum,
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
