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
    case gatedDeltaNet(GatedDeltaNetDescription)
    case shortConvolution(ShortConvolutionDescription)
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
    /// Whether a gate of each head's output comes out of the matrix of q, behind the head's q.
    package var hasOutputGate = false
    /// Of q, k and v.
    package var bias = BiasPresence.none
    package var outputBias = BiasPresence.none
    /// Whether the family's own files have q, k and v in one matrix.
    package var isFused = false
}

/// A gated delta net (arXiv 2412.06464): a state for each value head in place of keys and values, and a causal
/// convolution before it.
package struct GatedDeltaNetDescription: Sendable, Equatable {
    /// Heads of q and k, each shared by `valueHeads / keyHeads` of v: a divisor of `valueHeads`.
    package var keyHeads: Int
    package var valueHeads: Int
    /// Multiples of 16.
    package var keySize: Int
    package var valueSize: Int
    /// Tokens that the convolution sees.
    package var taps: Int
    /// Which value heads a key head belongs to: every `keyHeads`th, or `valueHeads / keyHeads` in a row.
    package var isTiled = false
    /// Whether the family's own files have q, k, v and z in one matrix, and a and b in another, by key heads.
    package var isFused = false

    var shared: Int { valueHeads / keyHeads }
    /// Floats of all heads of q, and of k.
    var keyFloats: Int { keyHeads * keySize }
    /// Floats of all heads of v, and of z.
    var valueFloats: Int { valueHeads * valueSize }
    /// What goes through the convolution.
    var channels: Int { 2 * keyFloats + valueFloats }
    /// Floats of a layer's state.
    var stateFloats: Int { (taps - 1) * channels + valueHeads * keySize * valueSize }
}

/// A gated short convolution: c × convolution(b × x), where b, c and x come of the layer's input.
package struct ShortConvolutionDescription: Sendable, Equatable {
    package var channels: Int
    /// Tokens that it sees.
    package var taps: Int
    /// Of its matrices and of the convolution.
    package var bias = BiasPresence.none

    /// Floats of a layer's state.
    var stateFloats: Int { (taps - 1) * channels }
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
    /// The width of a network that all tokens go to, whose output a gate scales; nil: there is none.
    package var sharedSize: Int?
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
        case .gatedDeltaNet, .shortConvolution: nil
        }
    }

    /// Floats that a session keeps of the layer whatever its length.
    var stateFloats: Int {
        switch mixer {
        case .attention: 0
        case .gatedDeltaNet(let net): net.stateFloats
        case .shortConvolution(let convolution): convolution.stateFloats
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
