import ModelFiles

/// What a decoder-only transformer is: all that its weights' shapes and its computation follow from.
package struct TransformerDescription: Sendable, Equatable {
    package var hiddenSize: Int
    /// Rows of the embedding.
    package var vocabularySize: Int
    /// The most positions of a session.
    package var contextLength: Int
    /// In layers that do not say otherwise.
    package var heads: AttentionHeads
    /// Of every norm.
    package var normEpsilon: Float
    /// Added to the weights of every norm, in files that keep them relative to it.
    package var normOffset: Float = 0
    /// Multiplies the embeddings of tokens.
    package var embeddingScale: Float = 1
    /// Multiplies the logits.
    package var logitScale: Float = 1
    /// Logits l become cap × tanh(l / cap); nil: they stay.
    package var logitSoftCap: Float?
    /// Whether the logits are read off the embedding.
    package var tiesEmbeddings: Bool
    /// Whether the file has the rows of q and k as `InterleavedHeads` says.
    package var interleavesHeadRows = false
    /// Where the tensors may be; the first place that has an embedding counts.
    package var paths = [TensorPaths()]
    /// The kinds of rotary positions, which layers name by their index.
    package var rotary: [RotaryParameters] = []
    package var layers: [LayerDescription] = []
    /// Nil: the layers see nothing of the tokens but the hidden state.
    package var perLayerEmbedding: PerLayerEmbeddingDescription?
    /// Nil: there is none, or it is not used.
    package var draftHead: DraftHeadDescription?
}

/// The heads of a layer's attention.
package struct AttentionHeads: Sendable, Equatable {
    package var count: Int
    /// Those of keys and values, each shared by `count / kvCount` of q: a divisor of `count`.
    package var kvCount: Int
    package var size: Int

    /// Floats of q, and of the output of attention.
    var querySize: Int { count * size }
    /// Floats of k, and of v.
    var keySize: Int { kvCount * size }
    /// What q · k is multiplied by in most families.
    var usualScale: Float { 1 / Float(size).squareRoot() }
}

/// A second embedding, of which each layer adds a part of its own to the hidden state.
package struct PerLayerEmbeddingDescription: Sendable, Equatable {
    /// Of a layer's part.
    package var size: Int
    package var activation: Activation
}

/// Where in a file the decoder and its head are.
package struct TensorPaths: Sendable, Equatable {
    var decoder = "model"
    /// Of tokens, in the decoder.
    var embedding = "embed_tokens"
    var head = "lm_head"
    /// The last norm, in the decoder.
    var norm = "norm"

    /// Of the language models of families that also see pictures: as text models have it, then as older models with
    /// pictures, then as newer ones.
    static let withPictures = [
        TensorPaths(),
        TensorPaths(decoder: "language_model.model", head: "language_model.lm_head"),
        TensorPaths(decoder: "model.language_model"),
    ]
}

// MARK: What follows from it

extension TransformerDescription {
    /// All that have memory of their own: those of the model in order, then that of its draft head.
    var allLayers: [LayerDescription] { layers + [draftHead?.layer].compactMap(\.self) }

    /// How many positions a token sees, itself included, in the layer that sees the most; nil is all.
    package var widestWindow: Int? {
        let windows = layers.compactMap(\.attention).map(\.window)
        return windows.contains(nil) ? nil : windows.compactMap(\.self).max()
    }

    /// The same in the layers with a window; nil if there are none.
    package var window: Int? { layers.compactMap(\.attention?.window).max() }

    func heads(of attention: AttentionDescription) -> AttentionHeads { attention.heads ?? heads }

    /// The kinds of heads there are, the model's first.
    package var headKinds: [AttentionHeads] {
        allLayers.compactMap(\.attention?.heads).reduce(into: [heads]) { kinds, heads in
            if !kinds.contains(heads) { kinds.append(heads) }
        }
    }

    /// The most floats of a layer's q.
    var widestQuery: Int { headKinds.map(\.querySize).max() ?? 0 }

    /// The width of the widest feed-forward network, between its matrices.
    var widestFeedForward: Int {
        max(allLayers.compactMap(\.feedForward?.innerSize).max() ?? 0, perLayerEmbedding?.size ?? 0)
    }

    /// The most columns of any matrix that is multiplied as a whole, before they are read.
    var maxColumns: Int {
        let attention = latentAttention.map { max($0.valueSize * heads.count, $0.queryRank ?? 0) } ?? widestQuery
        let recurrent = layers.map(\.recurrentOutputFloats).max() ?? 0
        let input = draftHead == nil ? hiddenSize : 2 * hiddenSize
        return max(input, attention, widestFeedForward, widestLatent, recurrent)
    }

    /// Latent attention, of the same shape in every layer; nil: there is none.
    var latentAttention: LatentAttentionDescription? { layers.lazy.compactMap(\.latentAttention).first }

    /// The most that experts see of a token in place of the hidden state; 0 if none do.
    var widestLatent: Int { allLayers.compactMap(\.feedForward?.latentSize).max() ?? 0 }

    /// The experts of the layer that has the most; 0 if none has any.
    var mostExperts: Int { allLayers.compactMap(\.feedForward?.expertCount).max() ?? 0 }
}
