import CKernels
import ModelFiles

/// A second embedding with a part for each layer, and what the parts take from the first one.
struct PerLayerEmbedding: Sendable {
    /// [vocabulary, layers × size]
    let table: Matrix
    /// [layers × size, hidden size]
    let projection: Matrix
    /// Of a part.
    let norm: RMSNorm
    /// Multiplies the rows of the table.
    let scale: Float

    var size: Int { norm.weight.count }
}

/// How a layer adds its part to the hidden state: hidden += norm(projection(activation(gate(hidden)) × part)).
struct PerLayerInput: Sendable {
    let gate: Matrix
    let activation: ck_gating
    let projection: Matrix
    let norm: RMSNorm
}

extension WeightReader {
    /// Binds the table and what belongs to it below the decoder's path.
    /// - Returns: nil if the model has none.
    func perLayerEmbedding(
        of model: TransformerDescription,
        at path: String
    ) throws(ModelError) -> PerLayerEmbedding? {
        guard let size = model.perLayerEmbedding?.size else { return nil }
        let all = model.layers.count * size
        return PerLayerEmbedding(
            table: try matrix(
                "\(path).embed_tokens_per_layer",
                rows: model.vocabularySize,
                columns: all,
                readsRows: true
            ),
            projection: try matrix("\(path).per_layer_model_projection", rows: all, columns: model.hiddenSize),
            // What comes of the first embedding and what is in the second are added, and divided by the root of 2.
            norm: try norm("\(path).per_layer_projection_norm", size, of: model, scale: Float(0.5).squareRoot()),
            scale: Float(size).squareRoot() * Float(0.5).squareRoot()
        )
    }

    /// Binds what a layer does with its part.
    /// - Returns: nil if the model has none.
    func perLayerInput(of model: TransformerDescription, at path: String) throws(ModelError) -> PerLayerInput? {
        guard let part = model.perLayerEmbedding else { return nil }
        return PerLayerInput(
            gate: try matrix("\(path).per_layer_input_gate", rows: part.size, columns: model.hiddenSize),
            activation: part.activation.gating,
            projection: try matrix("\(path).per_layer_projection", rows: model.hiddenSize, columns: part.size)
                .withInnerInputs(),
            norm: try norm("\(path).post_per_layer_input_norm", model.hiddenSize, of: model)
        )
    }
}

extension ForwardPass {
    /// perLayerInputs[tokens, layers, size] of the tokens and of `hidden`, which holds their embeddings.
    func embed(_ embedding: PerLayerEmbedding) {
        let columns = embedding.table.columns
        embedding.projection.multiply(hidden, tokens: count, into: perLayerInputs, on: compute)
        scale(perLayerInputs, count * columns, by: 1 / Float(model.hiddenSize).squareRoot())
        let parts = count * columns / embedding.size
        embedding.norm.apply(perLayerInputs, tokens: parts, into: perLayerInputs, on: compute)
        embedding.table.gather(tokens, into: perLayerRows, on: compute)
        add(perLayerRows, size: columns, scale: embedding.scale, to: perLayerInputs)
    }

    /// hidden += what the layer makes of its part.
    func add(_ input: PerLayerInput, layer: Int) {
        let size = input.gate.rows
        let gates = gateUp.ensureCapacity(2 * count * size)
        input.gate.multiply(hidden, tokens: count, into: gates, rowSize: 2 * size, adding: false, on: compute)
        let columns = model.layers.count * size
        let parts = perLayerInputs.buffer(count * columns) + layer * size
        for token in 0..<count {
            (gates + token * 2 * size + size).update(from: parts + token * columns, count: size)
        }
        ck_gate(
            compute.handle,
            input.activation,
            gates,
            Int32(count),
            Int32(size),
            gated.ensureCapacity(count * size)
        )
        input.projection.multiply(gated, tokens: count, into: blockOutput, on: compute)
        input.norm.apply(blockOutput, tokens: count, into: hidden, adding: true, on: compute)
    }
}
