import Glibc

/// Rotary position embedding: dimension i of a head turns with dimension i + headSize/2.
struct RotaryEmbedding: Sendable {
    /// One for each pair of dimensions, as float32 like in the reference.
    private let frequencies: [Float]

    init(base: Double, headSize: Int) {
        frequencies = (0..<headSize / 2).map { Float(pow(base, -2 * Double($0) / Double(headSize))) }
    }

    /// Fills cosines and sines [positions.count, headSize / 2]. Angles are float32 products like in the reference; their
    /// cosines are exact to the last bit.
    func fill(positions: [Int], cosines: FloatBuffer, sines: FloatBuffer) {
        let count = positions.count * frequencies.count
        let cosine = cosines.reserving(count)
        let sine = sines.reserving(count)
        var at = 0
        for position in positions {
            for frequency in frequencies {
                let angle = Double(Float(position) * frequency)
                cosine[at] = Float(cos(angle))
                sine[at] = Float(sin(angle))
                at += 1
            }
        }
    }
}
