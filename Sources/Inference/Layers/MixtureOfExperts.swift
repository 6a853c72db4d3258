import CKernels
import ModelFiles

/// Feed-forward networks of which each token goes to a few, chosen by a router.
///
/// Each expert computes its tokens together; a token's results are added in the order of the experts, so they do not
/// depend on the other tokens.
struct MixtureOfExperts: Sendable {
    let router: Matrix
    let experts: [DenseFeedForward]
    /// Experts for each token.
    let chosenCount: Int
    /// Whether the weights of a token's experts are made to sum to 1.
    let normalizesWeights: Bool
    /// A network that all tokens go to.
    let shared: SharedExpert?
}

/// A feed-forward network whose output each token scales by sigmoid(gate · x).
struct SharedExpert: Sendable {
    let network: DenseFeedForward
    /// [1, hidden size]
    let gate: Matrix
}

extension WeightReader {
    /// Binds `gate` (the router) and the experts at `path`: each by itself (`experts.N.gate_proj` …), as the hub has
    /// them, or stacked in one tensor, as transformers 5 (`experts.gate_up_proj`) and MLX (`switch_mlp.gate_proj` …) do.
    func mixture(
        _ mixture: ExpertsDescription,
        hiddenSize: Int,
        at path: String
    ) throws(ModelError) -> MixtureOfExperts {
        let count = mixture.count
        let router = try matrix("\(path).gate", rows: count, columns: hiddenSize)
        var expertPaths = (0..<count).map { "\(path).experts.\($0)" }
        for stack in ["\(path).switch_mlp", "\(path).experts"] {
            let names = ["gate_up_proj", "gate_proj", "up_proj", "down_proj"].filter { isStack("\(stack).\($0)") }
            for name in names { try unstack("\(stack).\(name)", count: count) { "\(stack).\($0).\(name)" } }
            if !names.isEmpty { expertPaths = (0..<count).map { "\(stack).\($0)" } }
        }
        var experts: [DenseFeedForward] = []
        for path in expertPaths { experts.append(try dense(mixture.expert, hiddenSize: hiddenSize, at: path)) }
        return MixtureOfExperts(
            router: router,
            experts: experts,
            chosenCount: mixture.chosenCount,
            normalizesWeights: mixture.normalizesWeights,
            shared: try sharedExpert(mixture, hiddenSize: hiddenSize, at: path)
        )
    }

    /// Binds `shared_expert` and `shared_expert_gate`.
    private func sharedExpert(
        _ mixture: ExpertsDescription,
        hiddenSize: Int,
        at path: String
    ) throws(ModelError) -> SharedExpert? {
        guard let size = mixture.sharedSize else { return nil }
        var network = mixture.expert
        network.size = size
        return SharedExpert(
            network: try dense(network, hiddenSize: hiddenSize, at: "\(path).shared_expert"),
            gate: try matrix("\(path).shared_expert_gate", rows: 1, columns: hiddenSize)
        )
    }
}

extension ForwardPass {
    /// blockOutput = the experts' output for `normed`.
    func computeExperts(_ mixture: MixtureOfExperts) {
        let (chosen, weights) = route(mixture)
        // The tokens of each expert, and their weights.
        var rows = [[Int32]](repeating: [], count: mixture.experts.count)
        var shares = [[Float]](repeating: [], count: mixture.experts.count)
        for (index, expert) in chosen.enumerated() {
            rows[Int(expert)].append(Int32(index / mixture.chosenCount))
            shares[Int(expert)].append(weights[index])
        }
        let hiddenSize = mixture.router.columns
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
        if let shared = mixture.shared { addShared(shared, to: output) }
    }

    /// output[count, hidden size] += the shared expert's output for `normed`.
    private func addShared(_ shared: SharedExpert, to output: UnsafeMutablePointer<Float>) {
        let hiddenSize = shared.gate.columns
        shared.gate.multiply(normed, tokens: count, into: routerLogits, on: compute)
        let gates = routerLogits.buffer(count)
        ck_sigmoid(compute.handle, Int32(count), gates)
        activate(shared.network, normed, tokens: count)
        shared.network.down.apply(gated, tokens: count, into: expertOutput, on: compute)
        ck_scatter_add(
            compute.handle,
            expertOutput.buffer(count * hiddenSize),
            (0..<Int32(count)).map(\.self),
            gates,
            Int32(count),
            Int32(hiddenSize),
            output
        )
    }

    /// The experts of each token, and their weights: [count, chosenCount].
    private func route(_ mixture: MixtureOfExperts) -> ([Int32], [Float]) {
        let size = mixture.router.rows
        mixture.router.multiply(normed, tokens: count, into: routerLogits, on: compute)
        var chosen = [Int32](repeating: 0, count: count * mixture.chosenCount)
        var weights = [Float](repeating: 0, count: count * mixture.chosenCount)
        ck_route_top_k(
            compute.handle,
            routerLogits.buffer(count * size),
            Int32(count),
            Int32(size),
            Int32(mixture.chosenCount),
            mixture.normalizesWeights,
            &chosen,
            &weights
        )
        return (chosen, weights)
    }
}
