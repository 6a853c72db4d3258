import EngineContract
import ModelFiles

/// The weights of a draft head; `DraftHeadDescription` says what is done with them.
struct DraftHead: Sendable {
    let embeddingNorm: RMSNorm
    let hiddenNorm: RMSNorm
    let projection: Linear
    let layer: LayerWeights
    /// Nil: the model's.
    let norm: RMSNorm?
    /// The place of the layer among those with keys and values.
    let place: Int
}

extension WeightReader {
    /// - Parameter place: of its layer, among those with keys and values.
    func draftHead(
        of model: TransformerDescription,
        _ family: any ModelFamily.Type,
        place: Int
    ) throws(ModelError) -> DraftHead? {
        guard let head = model.draftHead, let paths = head.paths(in: tensors) else { return nil }
        let size = model.hiddenSize
        return DraftHead(
            embeddingNorm: try norm(paths.embeddingNorm, size, of: model),
            hiddenNorm: try norm(paths.hiddenNorm, size, of: model),
            projection: Linear([try matrix(paths.projection, rows: size, columns: 2 * size)], bias: nil),
            layer: try family.bind(head.layer, of: model, at: paths.layer, self),
            norm: has(paths.norm) ? try norm(paths.norm, size, of: model) : nil,
            place: place
        )
    }
}

extension ForwardPass {
    /// hidden = what the head's layer sees of each token and of its row of `previousHidden`.
    func project(_ head: DraftHead, embedding: Matrix, scale: Float) {
        let size = model.hiddenSize
        embed(embedding, scale: scale)
        let (tokens, previous) = (hidden.buffer(count * size), previousHidden.buffer(count * size))
        let input = draftInput.ensureCapacity(2 * count * size)
        for row in 0..<count {
            (input + 2 * row * size).update(from: tokens + row * size, count: size)
            (input + (2 * row + 1) * size).update(from: previous + row * size, count: size)
        }
        head.embeddingNorm.apply(within: input, tokens: count, rowSize: 2 * size, on: compute)
        head.hiddenNorm.apply(within: input + size, tokens: count, rowSize: 2 * size, on: compute)
        head.projection.apply(draftInput, tokens: count, into: hidden, on: compute)
    }

    /// previousHidden = the model's last hidden state before each token: that of the row before it, or what its session's
    /// block carries. Before the first token of a text there is none, and nobody sees what comes of that.
    func lookBack() {
        let size = model.hiddenSize
        let (own, previous) = (finalHidden.buffer(count * size), previousHidden.ensureCapacity(count * size))
        for row in 1..<max(1, count) { (previous + row * size).update(from: own + (row - 1) * size, count: size) }
        for segment in segments {
            let first = previous + segment.firstRow * size
            if let before = carried(before: segment.startPosition, segment.blocks) {
                first.update(from: before, count: size)
            } else {
                first.update(repeating: 0, count: size)
            }
        }
    }

    private func carried(before position: Int, _ blocks: [BlockIndex]) -> UnsafeMutablePointer<Float>? {
        guard position > 0 else { return nil }
        return kv.carried(by: Int(blocks[(position - 1) / kv.shape.blockSize]))
    }

    /// Lets the blocks of an entry carry the last hidden states of its tokens from one to another: that of the last token of
    /// each block.
    /// - Parameter tokens: which of the entry's.
    func carry(_ tokens: Range<Int>, of entry: Int) {
        let (size, blockSize, segment) = (model.hiddenSize, kv.shape.blockSize, segments[entry])
        for token in tokens {
            let position = segment.startPosition + token
            guard (position + 1) % blockSize == 0 || token == tokens.upperBound - 1 else { continue }
            let own = finalHidden.buffer(count * size) + (segment.firstRow + token) * size
            kv.carried(by: Int(segment.blocks[position / blockSize]))?.update(from: own, count: size)
        }
    }
}
