import ModelFiles

/// A model's weights and the way of a step's tokens through them.
struct Transformer: Sendable {
    let description: TransformerDescription
    private let embedding: Matrix  // embed_tokens
    private let perLayerEmbedding: PerLayerEmbedding?
    private let layers: [LayerWeights]  // layers.N
    /// The place of each layer among those with the same kind of memory, or that of the layer whose keys and values it reads.
    private let places: [Int]
    /// How many layers there are up to the last one that has keys and values of its own, or a state.
    private let storingLayers: Int
    private let norm: RMSNorm  // norm
    private let head: Matrix  // lm_head, or the embedding again
    private let rotary: [RotaryEmbedding]
    private let draftHead: DraftHead?

    /// Binds the tensors of a model, telling how far it has come.
    /// - Throws: `ModelError` for a tensor that is missing, of another shape, or not finite.
    init(
        _ description: TransformerDescription,
        of family: any ModelFamily.Type,
        _ weights: WeightReader
    ) throws(ModelError) {
        let paths = description.paths.first { weights.has("\($0.decoder).\($0.embedding)") } ?? description.paths[0]
        let description = family.adjusted(description, at: paths.decoder, weights)
        self.description = description
        let (rows, columns) = (description.vocabularySize, description.hiddenSize)
        embedding = try weights.matrix("\(paths.decoder).\(paths.embedding)", rows: rows, columns: columns)
        perLayerEmbedding = try weights.perLayerEmbedding(of: description, at: paths.decoder)
        norm = try weights.norm("\(paths.decoder).\(paths.norm)", columns, of: description)
        head = description.tiesEmbeddings ? embedding : try weights.matrix(paths.head, rows: rows, columns: columns)
        var layers: [LayerWeights] = []
        for (index, layer) in description.layers.enumerated() {
            weights.report(layer: index, of: description.layers.count)
            let path = "\(paths.decoder).layers.\(index)"
            layers.append(try family.bind(layer, of: description, at: path, weights))
        }
        weights.report(layer: layers.count, of: layers.count)
        self.layers = layers
        rotary = description.rotary.map { RotaryEmbedding($0) }
        storingLayers = 1 + (description.layers.lastIndex(where: \.isRemembered) ?? -1)
        var (own, states) = (0, 0)
        places = description.layers.reduce(into: []) { places, layer in
            if let source = layer.attention?.sharedLayer {
                places.append(places[source])
            } else if layer.stateFloats > 0 {
                places.append(states)
                states += 1
            } else {
                places.append(own)
                own += layer.isRemembered ? 1 : 0
            }
        }
        draftHead = try weights.draftHead(of: description, family, place: own)
    }

    /// Computes all tokens of the pass: their keys and values, and the logits of the given rows, in ascending order.
    func forward(_ pass: ForwardPass, logitsOf rows: [Int]) {
        var rows = rows
        pass.embed(embedding, scale: description.embeddingScale)
        if let perLayerEmbedding { pass.embed(perLayerEmbedding) }
        pass.fillRotaryTables(rotary)
        for (index, layer) in layers.enumerated() {
            if index == storingLayers, rows.count < pass.count {
                // What follows stores nothing that other tokens will see.
                guard !rows.isEmpty else { return }
                pass.keep(rows)
                pass.fillRotaryTables(rotary)
                rows = Array(rows.indices)
            }
            pass.mix(layer, index: places[index])
            pass.feedForward(layer)
            pass.finish(layer, index: index)
        }
        guard let draftHead else {
            guard !rows.isEmpty else { return }
            pass.gather(rows.map { Int32($0) }, of: pass.hidden, size: description.hiddenSize, into: pass.sampledHidden)
            norm.apply(pass.sampledHidden, tokens: rows.count, into: pass.normed, on: pass.compute)
            computeLogits(pass, of: pass.normed, rows: rows.count)
            return
        }
        norm.apply(pass.hidden, tokens: pass.count, into: pass.finalHidden, on: pass.compute)
        if !rows.isEmpty {
            let size = description.hiddenSize
            pass.gather(rows.map { Int32($0) }, of: pass.finalHidden, size: size, into: pass.sampledHidden)
            computeLogits(pass, of: pass.sampledHidden, rows: rows.count)
        }
        pass.lookBack()
        pass.project(draftHead, embedding: embedding, scale: description.embeddingScale)
        pass.store(draftHead.layer, index: draftHead.place)
    }

    /// Computes the draft head's logits after all tokens of the pass, of which `previousHidden` holds what comes before
    /// each. Leaves the head's own hidden states in `finalHidden`. The model must have a draft head.
    func draft(_ pass: ForwardPass) {
        guard let draftHead else { preconditionFailure("no draft head") }
        pass.fillRotaryTables(rotary)
        pass.project(draftHead, embedding: embedding, scale: description.embeddingScale)
        pass.mix(draftHead.layer, index: draftHead.place)
        pass.feedForward(draftHead.layer)
        pass.finish(draftHead.layer, index: description.layers.count)
        (draftHead.norm ?? norm).apply(pass.hidden, tokens: pass.count, into: pass.finalHidden, on: pass.compute)
        computeLogits(pass, of: pass.finalHidden, rows: pass.count)
    }

    private func computeLogits(_ pass: ForwardPass, of x: FloatBuffer, rows: Int) {
        pass.computeLogits(of: x, rows: rows, head, scale: description.logitScale, softCap: description.logitSoftCap)
    }
}
