import CKernels
import ModelFiles
import Platform

/// The gated delta net of one layer.
struct GatedDeltaNet: Sendable {
    let description: GatedDeltaNetDescription
    /// q, k, v, z, b and a of the layer's input, in the file's order.
    let input: Linear
    /// Where each head begins in a token's inputs, in the order of the kernels.
    let offsets: [Int32]
    /// The key head of each value head.
    let keyOfValue: [Int32]
    /// [taps, channels]
    let convolution: Vector
    let decayRate: Vector
    let stepBias: Vector
    let norm: Vector
    let epsilon: Float
    let output: Linear
}

extension WeightReader {
    /// Binds the matrices and vectors at `path`. The matrices are in two pieces by key heads (`in_proj_qkvz`,
    /// `in_proj_ba`), or in four (`in_proj_qkv`, `in_proj_z`, `in_proj_b`, `in_proj_a`).
    func deltaNet(
        _ net: GatedDeltaNetDescription,
        of model: TransformerDescription,
        at path: String
    ) throws(ModelError) -> GatedDeltaNet {
        func isFused(_ fused: String, _ part: String) -> Bool {
            has("\(path).\(fused)") || net.isFused && !has("\(path).\(part)")
        }
        let (isJoined, hasPairs) = (isFused("in_proj_qkvz", "in_proj_qkv"), isFused("in_proj_ba", "in_proj_b"))
        let heads =
            isJoined
            ? [LinearPart("in_proj_qkvz", net.channels + net.valueFloats)]
            : [LinearPart("in_proj_qkv", net.channels), LinearPart("in_proj_z", net.valueFloats)]
        let numbers =
            hasPairs
            ? [LinearPart("in_proj_ba", 2 * net.valueHeads)]
            : [LinearPart("in_proj_b", net.valueHeads), LinearPart("in_proj_a", net.valueHeads)]
        return GatedDeltaNet(
            description: net,
            input: try linear(path, heads + numbers, columns: model.hiddenSize, bias: .none),
            offsets: net.offsets(isJoined: isJoined, hasPairs: hasPairs),
            keyOfValue: (0..<net.valueHeads).map { Int32(net.isTiled ? $0 % net.keyHeads : $0 / net.shared) },
            convolution: try convolution("\(path).conv1d", channels: net.channels, taps: net.taps),
            decayRate: try decayRate(path, net.valueHeads),
            stepBias: try vector(
                named: ["\(path).dt.bias", "\(path).dt_bias"],
                shapes: [[net.valueHeads]]
            ),
            // Not relative to one, whatever the other norms are.
            norm: try vector("\(path).norm", net.valueSize) { $0 },
            epsilon: model.normEpsilon,
            output: try linear(
                path,
                [LinearPart("out_proj", model.hiddenSize)],
                columns: net.valueFloats,
                inputs: .inner,
                bias: .none
            )
        )
    }

    /// The weights of a convolution of each channel by itself, tap by tap: [taps, channels].
    func convolution(_ path: String, channels: Int, taps: Int) throws(ModelError) -> Vector {
        // As the hub, MLX and GGUF have it.
        let shapes = [[channels, 1, taps], [channels, taps, 1], [channels, taps]]
        return try vector(named: ["\(path).weight"], shapes: shapes) { values in
            (0..<channels * taps).map { values[$0 % channels * taps + $0 / channels] }
        }
    }

    /// What softplus is multiplied by in the exponent of the decay. GGUF files have it so, others the logarithm of what is
    /// subtracted.
    func decayRate(_ path: String, _ count: Int) throws(ModelError) -> Vector {
        let own = "\(path).decay_rate"
        guard shape(of: own) == nil else { return try vector(named: [own], shapes: [[count], [count, 1]]) }
        return try vector(named: ["\(path).A_log"], shapes: [[count]]) { $0.map { -Float(exp(Double($0))) } }
    }
}

extension GatedDeltaNetDescription {
    /// Where the heads of q, k, v and z begin in a token's inputs, and the numbers a and b of each value head.
    /// - Parameters:
    ///   - isJoined: whether each key head has its q, k, v and z together.
    ///   - hasPairs: whether each key head has its b and a together.
    fileprivate func offsets(isJoined: Bool, hasPairs: Bool) -> [Int32] {
        let group = 2 * keySize + 2 * shared * valueSize
        func query(_ head: Int) -> Int { head * (isJoined ? group : keySize) }
        func key(_ head: Int) -> Int { query(head) + (isJoined ? keySize : keyFloats) }
        func value(_ head: Int) -> Int {
            isJoined
                ? head / shared * group + 2 * keySize + head % shared * valueSize : 2 * keyFloats + head * valueSize
        }
        func gate(_ head: Int) -> Int { value(head) + (isJoined ? shared * valueSize : valueFloats) }
        let end = channels + valueFloats
        func share(_ head: Int) -> Int { end + (hasPairs ? head / shared * 2 * shared + head % shared : head) }
        func decay(_ head: Int) -> Int { share(head) + (hasPairs ? shared : valueHeads) }
        let (keys, values) = (0..<keyHeads, 0..<valueHeads)
        let all = keys.map(query) + keys.map(key) + values.map(value) + values.map(gate)
        return (all + values.map(decay) + values.map(share)).map { Int32($0) }
    }
}

extension ForwardPass {
    /// attentionOutput = the gated delta net's output for each token of `normed`; the sessions' states move on.
    /// - Parameter layer: its index among the recurrent ones.
    func recur(_ net: GatedDeltaNet, layer: Int) {
        guard let states else { preconditionFailure("a recurrent layer without state memory") }
        let description = net.description
        net.input.apply(normed, tokens: count, into: projected, on: compute)
        net.offsets.withUnsafeBufferPointer { offsets in
            net.keyOfValue.withUnsafeBufferPointer { keyOfValue in
                var view = ck_delta_net(
                    key_heads: Int32(description.keyHeads),
                    value_heads: Int32(description.valueHeads),
                    key_size: Int32(description.keySize),
                    value_size: Int32(description.valueSize),
                    taps: Int32(description.taps),
                    row_floats: Int32(net.input.rows),
                    offsets: offsets.baseAddress,
                    key_of_value: keyOfValue.baseAddress,
                    convolution: net.convolution.start,
                    decay_rate: net.decayRate.start,
                    step_bias: net.stepBias.start,
                    norm: net.norm.start,
                    epsilon: net.epsilon,
                    state_offset: states.shape.offsets[layer]
                )
                ck_delta_net_apply(
                    compute.handle,
                    &view,
                    stateRuns,
                    Int32(stateRuns.count),
                    projected.buffer(count * net.input.rows),
                    mixed.ensureCapacity(count * description.channels),
                    headGates.ensureCapacity(2 * count * description.valueHeads),
                    attentionOutput.ensureCapacity(count * description.valueFloats)
                )
            }
        }
    }
}
