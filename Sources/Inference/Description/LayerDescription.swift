/// One layer: a mixer, which looks at other positions, and a feed-forward network, which does not.
///
///     hidden += residualScale × norm?(mixer(norm?(hidden)))
///     hidden += residualScale × norm?(feedForward(norm?(hidden)))
package struct LayerDescription: Sendable, Equatable {
    /// Nil: the layer is a feed-forward network only.
    package var mixer: Mixer?
    /// Nil: the layer is a mixer only.
    package var feedForward: FeedForwardKind?
    package var norms = NormPlacement.before
    package var residualScale: Float = 1
    /// Whether a number of the layer's own multiplies the hidden state behind it.
    package var hasOutputScale = false
}

package enum Mixer: Sendable, Equatable {
    case attention(AttentionDescription)
    case latentAttention(LatentAttentionDescription)
    case gatedDeltaNet(GatedDeltaNetDescription)
    case shortConvolution(ShortConvolutionDescription)
    case stateSpace(StateSpaceDescription)
}

package enum FeedForwardKind: Sendable, Equatable {
    case dense(DenseDescription)
    case experts(ExpertsDescription)
    /// Side by side, each with norms of its own, and added; the router has a norm too, and a scale for each expert.
    case both(DenseDescription, ExpertsDescription)
}

/// Which norms a layer has about its mixer and its feed-forward network.
package enum NormPlacement: Sendable, Equatable {
    case before
    case after
    case beforeAndAfter
}

/// Causal attention over paged KV memory.
package struct AttentionDescription: Sendable, Equatable {
    /// Nil: the model's.
    package var heads: AttentionHeads?
    /// Multiplies q · k.
    package var scale: Float
    /// Scores s become cap × tanh(s / cap); nil: they stay.
    package var softCap: Float?
    /// A token sees this many positions, itself included; nil: all.
    package var window: Int?
    /// No token sees a position before this one but its own.
    package var firstPosition = 0
    /// Which of the model's rotary positions q and k have; nil: none.
    package var rotary: Int? = 0
    /// Whether q and k have norms.
    package var hasHeadNorms = false
    /// Which, if they do.
    package var headNorms = QueryKeyNorms.ofEachHead
    /// Whether each head has one more score, of no position, in its softmax: a weight of the model.
    package var hasSinks = false
    /// Whether each head of v is normalised, without weights.
    package var hasValueNorm = false
    /// Whether v is k, as it is before its norm and its rotation.
    package var valuesAreKeys = false
    /// The earlier layer whose keys and values are read; nil: the layer has its own.
    package var sharedLayer: Int?
    /// Whether a gate of each head's output comes out of the matrix of q, behind the head's q.
    package var hasOutputGate = false
    /// Of q, k and v.
    package var bias = BiasPresence.none
    package var outputBias = BiasPresence.none
    /// Whether the family's own files have q, k and v in one matrix.
    package var isFused = false
}

/// Norms of q and k.
package enum QueryKeyNorms: Sendable {
    /// One of each head by itself, before it is rotated.
    case ofEachHead
    /// One of all heads together, before they are rotated.
    case ofAllHeads
    /// One of each head by itself, after it is rotated.
    case ofRotatedHeads
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

/// Mamba-2's selective state space (arXiv 2405.21060): a state for each head in place of keys and values, and a causal
/// convolution before it.
package struct StateSpaceDescription: Sendable, Equatable {
    package var heads: Int
    /// A multiple of 16.
    package var headSize: Int
    /// Rows of a head's state: a multiple of 16.
    package var stateSize: Int
    /// Of heads that share what is written to their states, what is read of them, and a norm: a divisor of `heads`.
    package var groups: Int
    /// Tokens that the convolution sees.
    package var taps: Int
    package var convolutionBias = BiasPresence.none
    /// Of its matrices.
    package var bias = BiasPresence.none
    /// How far a token's step may go.
    package var steps: ClosedRange<Float> = 0 ... .infinity

    /// Floats of all heads: of what they read, of their gates, and of what comes out.
    var innerFloats: Int { heads * headSize }
    /// What goes through the convolution.
    var channels: Int { innerFloats + 2 * groups * stateSize }
    /// Floats of a token's inputs.
    var rowFloats: Int { innerFloats + channels + heads }
    /// Floats of a layer's state.
    var stateFloats: Int { (taps - 1) * channels + innerFloats * stateSize }
}

/// A feed-forward network: down(activation(gate(x)) × up(x)), or one without a gate, as its activation says.
package struct DenseDescription: Sendable, Equatable {
    /// Of gate and up.
    package var size: Int
    package var activation: Activation
    /// Of gate, up and down.
    package var bias = BiasPresence.none
    /// Whether the family's own files have gate and up in one matrix.
    package var isFused = false
    /// Whether one matrix of gate and up has a row of each in turn.
    package var alternatesGateAndUp = false
}

/// Feed-forward networks of which each token goes to a few, chosen by a router.
package struct ExpertsDescription: Sendable, Equatable {
    package var count: Int
    /// Experts for each token.
    package var chosenCount: Int
    /// Whether the weights of a token's experts are made to sum to 1.
    package var normalizesWeights: Bool
    package var expert: DenseDescription
    package var router = RouterDescription()
    /// The width of a network that all tokens go to; nil: there is none.
    package var sharedSize: Int?
    /// The width of what the experts see of a token and make of it, between matrices that all of them share; nil: the hidden
    /// size, without these.
    package var latentSize: Int?
    /// Of these matrices.
    package var latentBias = BiasPresence.none
    /// Whether a gate scales the output of that network.
    package var gatesShared = false
    /// Whether stacks of matrices of floats have these transposed.
    package var transposesStacks = false

    /// Of one network, the most floats between its matrices.
    var widest: Int { max(expert.size, sharedSize ?? 0) }
}

/// How the experts of a token are chosen: by the largest softmax of a matrix's outputs, unless said otherwise.
package struct RouterDescription: Sendable, Equatable {
    package enum Scoring: Sendable {
        case softmax
        /// Of each output by itself.
        case sigmoid
    }

    package var bias = BiasPresence.none
    package var scoring = Scoring.softmax
    /// Whether a weight of the model for each expert is added to its score for the choice, and for that only.
    package var hasCorrection = false
    /// Experts form groups of equal size; only those in the best `chosenGroups` of them are chosen. The groups are
    /// ordered by their largest score, or the sum of their two largest ones if these are by `sigmoid`.
    package var groups = 1
    package var chosenGroups = 1
    /// Multiplies the weights of a token's experts.
    package var weightScale: Float = 1
    /// Added to the sum that they are divided by, if they are.
    package var leastSum: Float = 1e-20
}

/// What the gate of a feed-forward network goes through, or the whole of one without.
package enum Activation: Sendable, Equatable {
    case silu
    /// GELU in its approximation by tanh.
    case geluTanh
    /// Of a gate g and an up u, both kept from going beyond `limit`: g × sigmoid(slope × g) × (u + 1).
    case clamped(slope: Float, limit: Float)
    /// max(0, up)², of networks that have no gate.
    case squaredReLU

    var hasGate: Bool { self != .squaredReLU }
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
        case .latentAttention, .gatedDeltaNet, .shortConvolution, .stateSpace, nil: nil
        }
    }

    var latentAttention: LatentAttentionDescription? {
        switch mixer {
        case .latentAttention(let attention): attention
        case .attention, .gatedDeltaNet, .shortConvolution, .stateSpace, nil: nil
        }
    }

    /// Floats that a session keeps of the layer whatever its length.
    var stateFloats: Int {
        switch mixer {
        case .attention, .latentAttention, nil: 0
        case .gatedDeltaNet(let net): net.stateFloats
        case .shortConvolution(let convolution): convolution.stateFloats
        case .stateSpace(let space): space.stateFloats
        }
    }

    /// Floats of a token that go into the output matrix of a recurrent mixer.
    var recurrentOutputFloats: Int {
        switch mixer {
        case .attention, .latentAttention, nil: 0
        case .gatedDeltaNet(let net): net.valueFloats
        case .shortConvolution(let convolution): convolution.channels
        case .stateSpace(let space): space.innerFloats
        }
    }

    /// Whether it has keys and values of its own, or a state.
    var isRemembered: Bool {
        switch mixer {
        case .attention(let attention): attention.sharedLayer == nil
        case .latentAttention, .gatedDeltaNet, .shortConvolution, .stateSpace: true
        case nil: false
        }
    }
}

extension FeedForwardKind {
    /// Of one network, the widest.
    var innerSize: Int {
        switch self {
        case .dense(let network): network.size
        case .experts(let experts): experts.widest
        case .both(let network, let experts): max(network.size, experts.widest)
        }
    }

    /// Of experts that see something else than the hidden state.
    var latentSize: Int? {
        switch self {
        case .dense: nil
        case .experts(let experts), .both(_, let experts): experts.latentSize
        }
    }

    var expertCount: Int {
        switch self {
        case .dense: 0
        case .experts(let experts), .both(_, let experts): experts.count
        }
    }
}
