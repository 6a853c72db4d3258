import CKernels
import ModelFiles

/// A feed-forward network: down(activation(gate(x)) × up(x)), or one without a gate: down(max(0, up(x))²).
struct DenseFeedForward: Sendable {
    /// [gate | up] of the input, or up.
    let gateUp: Linear
    let down: Linear
    let activation: ck_gating

    var hasGate: Bool { activation.activation != CK_SQUARED_RELU }
    var size: Int { hasGate ? gateUp.rows / 2 : gateUp.rows }
}

extension WeightReader {
    /// Binds `gate_up_proj`, or `gate_proj` and `up_proj`, and `down_proj` at `path`; or up and down only.
    /// - Parameter names: of these, unless the file has the usual ones all the same, as MLX's do.
    func dense(
        _ network: DenseDescription,
        hiddenSize: Int,
        at path: String,
        _ names: LayerNames = LayerNames()
    ) throws(ModelError) -> DenseFeedForward {
        let usual = LayerNames()
        let hasUsual = [usual.gateUp, usual.gate, usual.up, usual.down].contains { has("\(path).\($0)") }
        let names = hasUsual ? usual : names
        return DenseFeedForward(
            gateUp: try gateUp(network, hiddenSize: hiddenSize, at: path, names),
            down: try linear(
                path,
                [LinearPart(names.down, hiddenSize)],
                columns: network.size,
                inputs: .inner,
                bias: network.bias
            ),
            activation: network.activation.gating
        )
    }

    private func gateUp(
        _ network: DenseDescription,
        hiddenSize: Int,
        at path: String,
        _ names: LayerNames
    ) throws(ModelError) -> Linear {
        let up = LinearPart(names.up, network.size)
        guard network.activation.hasGate else {
            return try linear(path, [up], columns: hiddenSize, bias: network.bias)
        }
        return try linear(
            path,
            fused: LinearPart(
                names.gateUp,
                2 * network.size,
                network.alternatesGateAndUp ? InterleavedHeads(count: 1, size: 2 * network.size) : nil
            ),
            parts: [LinearPart(names.gate, network.size), up],
            columns: hiddenSize,
            expectsFused: network.isFused,
            bias: network.bias
        )
    }
}

extension Activation {
    var gating: ck_gating {
        switch self {
        case .silu: ck_gating(activation: CK_SILU, slope: 1, limit: 0)
        case .geluTanh: ck_gating(activation: CK_GELU_TANH, slope: 1, limit: 0)
        case .clamped(let slope, let limit): ck_gating(activation: CK_CLAMPED, slope: slope, limit: limit)
        case .squaredReLU: ck_gating(activation: CK_SQUARED_RELU, slope: 1, limit: 0)
        }
    }
}

extension ForwardPass {
    /// gated[tokens, size] = activation(gate) × up of the first rows of `x`: all of `network` but its last matmul.
    func activate(_ network: DenseFeedForward, _ x: FloatBuffer, tokens: Int) {
        network.gateUp.apply(x, tokens: tokens, into: gateUp, on: compute)
        gate(network, tokens: tokens)
    }

    /// gated[tokens, size] = activation(gate) × up of what is in `gateUp`.
    func gate(_ network: DenseFeedForward, tokens: Int) {
        ck_gate(
            compute.handle,
            network.activation,
            gateUp.buffer(tokens * network.gateUp.rows),
            Int32(tokens),
            Int32(network.size),
            gated.ensureCapacity(tokens * network.size)
        )
    }
}
