import ModelFiles

/// A head that drafts (multi-token prediction, arXiv 2412.19437): out of the model's hidden state at one position and the
/// token that follows there it predicts the token after that one. Embedding and output matrix are the model's.
///
///     x = projection [norm(embedding of the token) | norm(the hidden state before it)]
///     logits = output matrix · norm(layer(x))
///
/// Position p of the layer's keys and values holds what came of the token at p and the hidden state at p - 1: like that of
/// every layer, it depends on the tokens up to p. So no token sees position 0, before which there is no hidden state. The
/// hidden state is the one that the model's own logits come of, after its last norm; further drafts take the head's.
package struct DraftHeadDescription: Sendable, Equatable {
    package var layer: LayerDescription
    /// Where its tensors may be; the first place that has a projection counts.
    var places: [DraftHeadPaths]

    /// - Parameter layer: a layer of the model, with attention.
    init(layer: LayerDescription, places: [DraftHeadPaths]) {
        self.layer = layer
        self.places = places
        switch layer.mixer {
        case .attention(var attention):
            attention.firstPosition = 1
            self.layer.mixer = .attention(attention)
        case .latentAttention(var attention):
            attention.firstPosition = 1
            self.layer.mixer = .latentAttention(attention)
        case .gatedDeltaNet, .shortConvolution, .stateSpace, nil: break
        }
    }

    func paths(in tensors: TensorDirectory) -> DraftHeadPaths? {
        places.first { tensors["\($0.projection).weight"] != nil }
    }
}

/// What the parts of a draft head are called.
struct DraftHeadPaths: Sendable, Equatable {
    var embeddingNorm: String
    var hiddenNorm: String
    var projection: String
    var layer: String
    /// Files that leave it out mean the model's.
    var norm: String

    /// As Qwen has them: a module of its own.
    static let ofModule = ["mtp", "language_model.mtp"].map {
        DraftHeadPaths(
            embeddingNorm: "\($0).pre_fc_norm_embedding",
            hiddenNorm: "\($0).pre_fc_norm_hidden",
            projection: "\($0).fc",
            layer: "\($0).layers.0",
            norm: "\($0).norm"
        )
    }

    /// As DeepSeek, GLM and all GGUF files have them: a layer behind the model's.
    static func ofLayer(_ index: Int, in paths: [TensorPaths]) -> [DraftHeadPaths] {
        paths.map { "\($0.decoder).layers.\(index)" }.map {
            DraftHeadPaths(
                embeddingNorm: "\($0).enorm",
                hiddenNorm: "\($0).hnorm",
                projection: "\($0).eh_proj",
                layer: $0,
                norm: "\($0).shared_head.norm"
            )
        }
    }

    /// Whether a tensor is a part of the head. The copies of the embedding and of the output matrix are not read.
    func contain(_ name: String) -> Bool {
        let copies = ["\(layer).embed_tokens.", "\(layer).shared_head.head."]
        return [embeddingNorm, hiddenNorm, projection, layer, norm].contains { name.hasPrefix($0 + ".") }
            && !copies.contains { name.hasPrefix($0) }
    }
}
