import CKernels
import ModelFiles

/// A gated feed-forward network: down(activation(gate(x)) × up(x)).
struct FeedForward: Sendable {
    /// [gate | up] of the input.
    let gateUp: Projection
    let down: Projection
    let activation: ck_activation

    var size: Int { gateUp.rows / 2 }
    var maxColumns: Int { max(gateUp.columns, down.columns) }
}

extension WeightReader {
    /// Binds `gate_up_proj`, or `gate_proj` and `up_proj`, and `down_proj` at `path`.
    /// - Parameter expectsFused: whether the first form is the model's own.
    func feedForward(
        _ path: String,
        hidden: Int,
        size: Int,
        activation: ModelConfiguration.Activation,
        expectsFused: Bool = false,
        bias: Bool? = false
    ) throws(ModelError) -> FeedForward {
        FeedForward(
            gateUp: try projection(
                path,
                fused: "gate_up_proj",
                parts: [("gate_proj", size), ("up_proj", size)],
                columns: hidden,
                expectsFused: expectsFused,
                bias: bias
            ),
            down: try projection("\(path).down_proj", rows: hidden, columns: size, bias: bias),
            activation: activation == .silu ? CK_SILU : CK_GELU_TANH
        )
    }
}

extension ForwardPass {
    /// attended = activation(gate) × up of the first `tokens` rows of `x`, which is all but the last step of `network`.
    func activate(_ network: FeedForward, _ x: FloatBuffer, tokens: Int) {
        network.gateUp.apply(x, tokens: tokens, into: projected, on: compute)
        ck_gate(
            compute.handle,
            network.activation,
            projected.holding(2 * tokens * network.size),
            Int32(tokens),
            Int32(network.size),
            attended.reserving(tokens * network.size)
        )
    }

    /// hidden += the network of `normed`.
    func addFeedForward(_ network: FeedForward) {
        activate(network, normed, tokens: count)
        network.down.apply(attended, tokens: count, into: hidden, adding: true, on: compute)
    }
}
