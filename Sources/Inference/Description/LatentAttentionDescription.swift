/// Multi-head latent attention (arXiv 2405.04434): the keys and values of all heads come out of one small vector of each
/// position, and the rotated ends of keys are the same in all heads.
///
/// KV memory holds that vector and that end, and no keys and values: q · k = q · (K c) = (Kᵀ q) · c, and what the heads
/// gather of v = V c is V times what they gather of c. So there is one KV head, whose keys are `rank + rotarySize` numbers
/// and whose values are the first `rank` of these.
package struct LatentAttentionDescription: Sendable, Equatable {
    /// The numbers that q comes out of; nil: q comes out of the hidden state.
    package var queryRank: Int?
    /// The numbers that keys and values come out of.
    package var rank: Int
    /// The numbers of a head of q and k that are not rotated, and after them those that are.
    package var plainSize: Int
    package var rotarySize: Int
    package var valueSize: Int
    /// Multiplies q · k.
    package var scale: Float
    /// Whether neighbours are rotated as pairs, and not one number from each half.
    package var isInterleaved: Bool
    /// Of the matrices that make the small vectors, and of that of the output.
    package var bias = BiasPresence.none
    /// No token sees a position before this one but its own.
    package var firstPosition = 0

    /// Of a head of q.
    var querySize: Int { plainSize + rotarySize }
    /// Of what KV memory holds of a position.
    var keySize: Int { rank + rotarySize }
}
