import ModelFiles
import Platform

/// Rotary position embedding: dimension i of a head is rotated with dimension i + dimensions / 2.
///
/// Which frequencies a model with `longrope` uses depends on the longest context that the engine allows, and on nothing
/// else: the long ones if that is more than the original length, else the short ones. The reference decides anew for
/// each call, by the length of the longest sequence in it, and leaves keys in its cache as an earlier call has rotated
/// them; so a sequence that has more than the original length equals the reference's when that sees it whole, and a
/// shorter one does in an engine whose context is limited to the original length. In return a session's numbers depend
/// neither on its company nor on how far it will get, and blocks of keys can be shared.
struct RotaryEmbedding: Sendable {
    /// One for each pair of dimensions, as float32 like in the reference.
    private let frequencies: [Float]
    /// Those for contexts longer than `originalLength`, if they differ.
    private let longFrequencies: [Float]?
    private let originalLength: Int
    /// Multiplies cosines and sines.
    private let amplitude: Float
    private let queryGrowth: RotaryParameters.QueryGrowth?

    init(_ parameters: RotaryParameters) {
        let dimensions = parameters.dimensions
        let plain = (0..<dimensions / 2).map { pow(parameters.base, -2 * Double($0) / Double(dimensions)) }
        var frequencies = plain
        var long: [Double]?
        var amplitude = 1.0
        var originalLength = Int.max
        switch parameters.scaling {
        case .none: break
        case .linear(let factor): frequencies = plain.map { $0 / factor }
        case .llama3(let factor, let low, let high, let length):
            frequencies = plain.map { Self.llama3($0, factor: factor, low: low, high: high, length: length) }
        case .yarn(let factor, let attention, _, _, _, _):
            let blend = Self.yarnBlend(parameters)
            frequencies = zip(plain, blend).map { $0 * $1 + $0 / factor * (1 - $1) }
            amplitude = attention
        case .proportional(let pairs, let factor):
            frequencies = plain.indices.map { $0 < pairs ? plain[$0] / factor : 0 }
        case .longrope(let short, let longFactors, let length, let attention):
            frequencies = zip(plain, short).map { $0 / $1 }
            long = zip(plain, longFactors).map { $0 / $1 }
            (originalLength, amplitude) = (length, attention)
        }
        self.frequencies = frequencies.map { Float($0) }
        longFrequencies = long.map { $0.map { Float($0) } }
        self.originalLength = originalLength
        self.amplitude = Float(amplitude)
        queryGrowth = parameters.queryGrowth
    }

    private static func llama3(_ frequency: Double, factor: Double, low: Double, high: Double, length: Int) -> Double {
        let rotations = Double(length) * frequency / (2 * Double.pi)
        if rotations > high { return frequency }
        if rotations < low { return frequency / factor }
        let share = (rotations - low) / (high - low)
        return frequency * ((1 - share) / factor + share)
    }

    /// How much of its own frequency each pair keeps.
    private static func yarnBlend(_ parameters: RotaryParameters) -> [Double] {
        guard case .yarn(_, _, let fast, let slow, let length, let truncates) = parameters.scaling else { return [] }
        let dimensions = Double(parameters.dimensions)
        /// The pair that rotates this often within the length.
        func pair(_ rotations: Double) -> Double {
            dimensions * log(Double(length) / (rotations * 2 * Double.pi)) / (2 * log(parameters.base))
        }
        let (low, high) = truncates ? (pair(fast).rounded(.down), pair(slow).rounded(.up)) : (pair(fast), pair(slow))
        let first = max(low, 0)
        var last = min(high, dimensions - 1)
        if first == last { last += 0.001 }
        return (0..<parameters.dimensions / 2).map { 1 - min(max((Double($0) - first) / (last - first), 0), 1) }
    }

    /// The frequencies for an engine of this context length, for tests too.
    func frequencies(contextLength: Int) -> [Float] {
        contextLength > originalLength ? longFrequencies ?? frequencies : frequencies
    }

    /// Fills the table for some positions. Angles are multiplied in float32 like in the reference; their cosines are exact to
    /// the last bit.
    func fill(_ table: RotaryTable, positions: [Int], contextLength: Int) {
        let frequencies = frequencies(contextLength: contextLength)
        let count = positions.count * frequencies.count
        let cosines = table.cosines.ensureCapacity(count)
        let sines = table.sines.ensureCapacity(count)
        table.dimensions = 2 * frequencies.count
        table.queryScales = queryGrowth.map { growth in
            positions.map { 1 + Float(growth.beta) * Float(log(Double(1 + $0 / growth.length))) }
        }
        var at = 0
        for position in positions {
            for frequency in frequencies {
                let angle = Double(Float(position) * frequency)
                cosines[at] = Float(cos(angle)) * amplitude
                sines[at] = Float(sin(angle)) * amplitude
                at += 1
            }
        }
    }
}

/// Cosines and sines [tokens, dimensions / 2] of a step; until it is filled, of no dimensions.
final class RotaryTable {
    fileprivate(set) var dimensions = 0
    let cosines = FloatBuffer()
    let sines = FloatBuffer()
    /// What the tokens' q are multiplied by, besides; nil: nothing.
    fileprivate(set) var queryScales: [Float]?

    /// Gives their address, or nil if there are none.
    func withQueryScales(_ body: (UnsafePointer<Float>?) -> Void) {
        guard let queryScales else { return body(nil) }
        queryScales.withUnsafeBufferPointer { body($0.baseAddress) }
    }

    init() {
        // Kernels want addresses, though they read nothing there.
        _ = (cosines.ensureCapacity(0), sines.ensureCapacity(0))
    }
}
