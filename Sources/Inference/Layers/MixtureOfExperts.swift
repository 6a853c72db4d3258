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

    /// Whether several experts can be computed at once.
    let canBeGrouped: Bool

    /// Experts for each token.
    var chosenCount: Int { description.chosenCount }
}

/// A feed-forward network that all tokens go to.
struct SharedExpert: Sendable {
    let network: DenseFeedForward
    /// [1, hidden size]: each token scales the output by sigmoid(gate · x); nil: it stays.
    let gate: Matrix?
}

/// The rows of a step that each expert computes, and what its outputs weigh, expert by expert.
private struct ExpertWork {
    struct Part {
        let expert: Int
        let rows: Range<Int>
    }

    /// Of the experts that have any.
    private(set) var parts: [Part] = []
    private(set) var rows: [Int32]
    private(set) var shares: [Float]

    /// - Parameters:
    ///   - chosen: of each token in turn, as many as `perToken` says.
    init(_ chosen: [Int32], _ weights: [Float], perToken: Int, experts: Int) {
        var ends = [Int](repeating: 0, count: experts)
        for expert in chosen { ends[Int(expert)] += 1 }
        var end = 0
        for expert in 0..<experts where ends[expert] > 0 {
            parts.append(Part(expert: expert, rows: end..<end + ends[expert]))
            end += ends[expert]
            ends[expert] = end
        }
        rows = [Int32](repeating: 0, count: chosen.count)
        shares = [Float](repeating: 0, count: chosen.count)
        // From the last on, so that each expert's tokens stay in their order.
        for index in chosen.indices.reversed() {
            ends[Int(chosen[index])] -= 1
            let place = ends[Int(chosen[index])]
            (rows[place], shares[place]) = (Int32(index / perToken), weights[index])
        }
    }
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
            scales: try scales.map { (name) throws(ModelError) in try vector(named: [name], shapes: [[count]]).values },
            canBeGrouped: experts.allSatisfy {
                $0.gateUp.canBeGrouped(with: experts[0].gateUp) && $0.down.canBeGrouped(with: experts[0].down)
            }
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
            up: try linear(path, [up], columns: size, inputs: .inner, bias: mixture.latentBias)
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
        let work = ExpertWork(chosen, weights, perToken: mixture.chosenCount, experts: mixture.experts.count)
        if let latent = mixture.latent {
            latent.down.apply(normed, tokens: count, into: latentInput, on: compute)
            add(work, of: mixture, latentInput, size: latent.down.rows, to: latentOutput)
            latent.up.apply(latentOutput, tokens: count, into: blockOutput, on: compute)
        } else {
            add(work, of: mixture, normed, size: mixture.hiddenSize, to: blockOutput)
        }
        if let shared = mixture.shared { add(shared, hiddenSize: mixture.hiddenSize) }
    }

    /// y[count, size] = the sum of what each expert makes of its rows of x, times its shares.
    private func add(_ work: ExpertWork, of mixture: MixtureOfExperts, _ x: FloatBuffer, size: Int, to y: FloatBuffer) {
        y.ensureCapacity(count * size).update(repeating: 0, count: count * size)
        let most = mixture.canBeGrouped && !compute.isPrecise ? Int(CK_GROUPED_TOKENS) : 0
        var first = 0
        while first < work.parts.count {
            var end = first + 1
            let start = work.parts[first].rows.lowerBound
            while end < work.parts.count, work.parts[end].rows.upperBound - start <= most { end += 1 }
            let parts = work.parts[first..<end]
            if work.parts[first].rows.count <= most {
                add(parts, of: work, mixture, x, size: size, to: y)
            } else {
                add(work.parts[first], of: work, mixture, x, size: size, to: y)
            }
            first = end
        }
    }

    /// y += what one expert makes of its rows of x.
    private func add(
        _ part: ExpertWork.Part,
        of work: ExpertWork,
        _ mixture: MixtureOfExperts,
        _ x: FloatBuffer,
        size: Int,
        to y: FloatBuffer
    ) {
        let (network, rows) = (mixture.experts[part.expert], Array(work.rows[part.rows]))
        gather(rows, of: x, size: size, into: expertInput)
        activate(network, expertInput, tokens: rows.count)
        network.down.apply(gated, tokens: rows.count, into: expertOutput, on: compute)
        let (output, shares) = (expertOutput.buffer(rows.count * size), Array(work.shares[part.rows]))
        let sums = y.buffer(count * size)
        ck_scatter_add(compute.handle, output, rows, shares, Int32(rows.count), Int32(size), sums)
    }

    /// y += what several experts make of their rows of x, at once.
    private func add(
        _ parts: ArraySlice<ExpertWork.Part>,
        of work: ExpertWork,
        _ mixture: MixtureOfExperts,
        _ x: FloatBuffer,
        size: Int,
        to y: FloatBuffer
    ) {
        guard let first = parts.first, let last = parts.last else { return }
        let all = first.rows.lowerBound..<last.rows.upperBound
        let rows = Array(work.rows[all])
        gather(rows, of: x, size: size, into: expertInput)
        func linears(_ path: KeyPath<DenseFeedForward, Linear>) -> [(Linear, Int)] {
            parts.map { (mixture.experts[$0.expert][keyPath: path], $0.rows.count) }
        }
        Linear.applyGroups(linears(\.gateUp), expertInput, into: gateUp, on: compute)
        gate(mixture.experts[first.expert], tokens: rows.count)
        Linear.applyGroups(linears(\.down), gated, into: expertOutput, on: compute)
        // Of each token the rows of its experts, in their order.
        let most = min(mixture.chosenCount, parts.count)
        var places = [Int32](repeating: -1, count: count * most)
        var shares = [Float](repeating: 0, count: count * most)
        var known = [Int](repeating: 0, count: count)
        for (place, row) in rows.enumerated() {
            let at = Int(row) * most + known[Int(row)]
            (places[at], shares[at]) = (Int32(place), work.shares[all.lowerBound + place])
            known[Int(row)] += 1
        }
        let (output, sums) = (expertOutput.buffer(rows.count * size), y.buffer(count * size))
        ck_gather_add(compute.handle, output, places, shares, Int32(count), Int32(most), Int32(size), sums)
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
