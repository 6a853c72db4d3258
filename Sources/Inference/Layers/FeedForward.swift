import CKernels
import ModelFiles

/// A gated feed-forward network: down(activation(gate(x)) × up(x)).
struct DenseFeedForward: Sendable {
    /// [gate | up] of the input.
    let gateUp: Linear
    let down: Linear
    let activation: ck_gating

    var size: Int { gateUp.rows / 2 }
}

extension WeightReader {
    /// Binds `gate_up_proj`, or `gate_proj` and `up_proj`, and `down_proj` at `path`.
    func dense(
        _ network: DenseDescription,
        hiddenSize: Int,
        at path: String,
        _ names: LayerNames = LayerNames()
    ) throws(ModelError) -> DenseFeedForward {
        DenseFeedForward(
            gateUp: try linear(
                path,
                fused: LinearPart(
                    "gate_up_proj",
                    2 * network.size,
                    network.alternatesGateAndUp ? InterleavedHeads(count: 1, size: 2 * network.size) : nil
                ),
                parts: [LinearPart(names.gate, network.size), LinearPart(names.up, network.size)],
                columns: hiddenSize,
                expectsFused: network.isFused,
                bias: network.bias
            ),
            down: try linear(
                path,
                [LinearPart(names.down, hiddenSize)],
                columns: network.size,
                bias: network.bias
            ),
            activation: network.activation.gating
        )
    }
}

extension Activation {
    var gating: ck_gating {
        switch self {
        case .silu: ck_gating(activation: CK_SILU, slope: 1, limit: 0)
        case .geluTanh: ck_gating(activation: CK_GELU_TANH, slope: 1, limit: 0)
        case .clamped(let slope, let limit): ck_gating(activation: CK_CLAMPED, slope: slope, limit: limit)
        }
    }
}

extension ForwardPass {
    /// gated[tokens, size] = activation(gate) × up of the first rows of `x`: all of `network` but its last matmul.
    func activate(_ network: DenseFeedForward, _ x: FloatBuffer, tokens: Int) {
        network.gateUp.apply(x, tokens: tokens, into: gateUp, on: compute)
        ck_gate(
            compute.handle,
            network.activation,
            gateUp.buffer(2 * tokens * network.size),
            Int32(tokens),
            Int32(network.size),
            gated.ensureCapacity(tokens * network.size)
        )
    }
}
