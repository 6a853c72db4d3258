/// One layer: a mixer, which looks at other positions, and a feed-forward network, which does not.
///
///     hidden += residualScale × norm?(mixer(norm(hidden)))
///     hidden += residualScale × norm?(feedForward(norm(hidden)))
package struct LayerDescription: Sendable, Equatable {
    package var mixer: Mixer
    package var feedForward: FeedForwardKind
    package var norms = NormPlacement.before
    package var residualScale: Float = 1
}

package enum Mixer: Sendable, Equatable {
    case attention(AttentionDescription)
    case latentAttention(LatentAttentionDescription)
}

package enum FeedForwardKind: Sendable, Equatable {
    case dense(DenseDescription)
    case experts(ExpertsDescription)
}

/// Which norms a layer has about its mixer and its feed-forward network.
package enum NormPlacement: Sendable, Equatable {
    case before
    case beforeAndAfter
}

/// Causal attention over paged KV memory.
package struct AttentionDescription: Sendable, Equatable {
    /// Multiplies q · k.
    package var scale: Float
    /// Scores s become cap × tanh(s / cap); nil: they stay.
    package var softCap: Float?
    /// A token sees this many positions, itself included; nil: all.
    package var window: Int?
    /// Which of the model's rotary positions q and k have; nil: none.
    package var rotary: Int? = 0
    /// Whether each head of q and k has a norm of its own, before it is rotated.
    package var hasHeadNorms = false
    /// Of q, k and v.
    package var bias = BiasPresence.none
    package var outputBias = BiasPresence.none
    /// Whether the family's own files have q, k and v in one matrix.
    package var isFused = false
}

/// A gated feed-forward network: down(activation(gate(x)) × up(x)).
package struct DenseDescription: Sendable, Equatable {
    /// Of gate and up.
    package var size: Int
    package var activation: Activation
    /// Of gate, up and down.
    package var bias = BiasPresence.none
    /// Whether the family's own files have gate and up in one matrix.
    package var isFused = false
}

/// Feed-forward networks of which each token goes to a few, chosen by a router.
package struct ExpertsDescription: Sendable, Equatable {
    package var count: Int
    /// Experts for each token.
    package var chosenCount: Int
    /// Whether the weights of a token's experts are made to sum to 1.
    package var normalizesWeights: Bool
    package var expert: DenseDescription
    /// The width of a network that all tokens go to; nil: there is none.
    package var sharedSize: Int?
    package var router = RouterDescription()
}

/// How the experts of a token are chosen: by the largest softmax of a matrix's outputs, unless said otherwise.
package struct RouterDescription: Sendable, Equatable {
    package enum Scoring: Sendable {
        case softmax
        /// Of each output by itself.
        case sigmoid
    }

    package var scoring = Scoring.softmax
    /// Whether a weight of the model for each expert is added to its score for the choice, and for that only.
    package var hasCorrection = false
    /// Experts form groups of equal size; only those in the best `chosenGroups` of them are chosen. The groups are
    /// ordered by their largest score, or the sum of their two largest ones if these are by `sigmoid`.
    package var groups = 1
    package var chosenGroups = 1
    /// Multiplies the weights of a token's experts.
    package var weightScale: Float = 1
}

/// What the gate of a feed-forward network goes through.
package enum Activation: Sendable {
    case silu
    /// GELU in its approximation by tanh.
    case geluTanh
}

/// Whether a matrix has a bias.
package enum BiasPresence: Sendable {
    case none
    case required
    /// If the file has one.
    case optional
}

extension LayerDescription {
    var attention: AttentionDescription? {
        switch mixer {
        case .attention(let attention): attention
        case .latentAttention: nil
        }
    }

    var latentAttention: LatentAttentionDescription? {
        switch mixer {
        case .attention: nil
        case .latentAttention(let attention): attention
        }
    }
}

extension FeedForwardKind {
    /// Of one network, the widest.
    var innerSize: Int {
        switch self {
        case .dense(let network): network.size
        case .experts(let experts): max(experts.expert.size, experts.sharedSize ?? 0)
        }
    }

    var expertCount: Int {
        switch self {
        case .dense: 0
        case .experts(let experts): experts.count
        }
    }
}
