import CKernels

/// Weights of tokens, and which of them top-k, top-p and min-p leave: the most probable, of equals the first.
///
/// Nothing is sorted but the few at the border, which is found by how many weights, or what sum of them, lie above bounds
/// that come closer and closer.
struct Nucleus {
    let compute: OpaquePointer
    /// From 0 to 1. Those of tokens that are left out become 0.
    let weights: UnsafeMutableBufferPointer<Float>
    /// What all weights are above that are not 0.
    var floor: Float = 0

    /// How many of the most probable are kept: so many, or as few as have so large a sum.
    enum Amount {
        case count(Int)
        case sum(Double)
    }

    /// The last one that is kept: those of larger weights are, too, and those of the same weight at lower places.
    private struct Border {
        var weight: Float
        var place: Int32
    }

    // MARK: Keeping

    /// Leaves out what is not among the most probable.
    /// - Parameter sums: becomes the sums of the weights that are kept, one for each `CK_SAMPLING_CHUNK`.
    func keep(_ wanted: Amount, sums: UnsafeMutableBufferPointer<Float>) {
        keep(border(reaching: wanted), sums)
    }

    /// Leaves out what is below a weight.
    /// - Parameter sums: as of the other.
    func keep(atLeast weight: Float, sums: UnsafeMutableBufferPointer<Float>) {
        keep(Border(weight: weight.nextDown, place: -1), sums)
    }

    private func keep(_ border: Border, _ sums: UnsafeMutableBufferPointer<Float>) {
        ck_keep_numbers(compute, weights.baseAddress, count, border.weight, border.place, sums.baseAddress)
    }

    private var count: Int32 { Int32(weights.count) }

    // MARK: Drawing

    /// The place at `draw` (0 ..< 1) along the line on which each weight takes up its length.
    /// - Parameter sums: of the weights, one for each `CK_SAMPLING_CHUNK`.
    func pick(draw: Double, sums: UnsafeMutableBufferPointer<Float>) -> Int {
        let target = draw * sums.reduce(0) { $0 + Double($1) }
        let (chunk, before) = Self.place(sums, target: target)
        let first = chunk * Int(CK_SAMPLING_CHUNK)
        let some = weights[first..<min(first + Int(CK_SAMPLING_CHUNK), weights.count)]
        return first + Self.place(some, target: target - before).place
    }

    /// The first place at which the sum of weights exceeds `target`, or the last that has a weight; and the sum before it.
    private static func place(_ weights: some Sequence<Float>, target: Double) -> (place: Int, before: Double) {
        var (sum, before, last) = (0.0, 0.0, 0)
        for (place, weight) in weights.enumerated() where weight > 0 {
            (before, last) = (sum, place)
            sum += Double(weight)
            if sum > target { break }
        }
        return (last, before)
    }

    // MARK: Weights above a bound

    /// A model's weights spread over many powers of two.
    static let bounds: [Float] = [0x1p-2, 0x1p-5, 0x1p-8, 0x1p-12, 0x1p-16, 0x1p-22]

    /// How many weights are above a bound, and their sum.
    struct Above {
        var count = 0
        var sum = 0.0

        func reaches(_ wanted: Amount) -> Bool {
            switch wanted {
            case .count(let count): self.count >= count
            case .sum(let sum): self.sum >= sum
            }
        }
    }

    /// Some of the weights, in their order.
    struct Candidates {
        var weights: [Float]
        /// Where they stand among all.
        var places: [Int32]
        /// What all are above.
        var floor: Float
    }

    /// - Parameter bounds: `CK_SAMPLING_BOUNDS`.
    func above(_ bounds: [Float]) -> [Above] { above(bounds, UnsafeBufferPointer(weights)) }

    /// The weights above a bound.
    /// - Parameter count: how many there are.
    func candidates(above bound: Float, count: Int) -> Candidates {
        between(bound, 1, UnsafeBufferPointer(weights), count: count)
    }

    private func above(_ bounds: [Float], _ weights: UnsafeBufferPointer<Float>) -> [Above] {
        var counts = [Int32](repeating: 0, count: bounds.count)
        var sums = [Double](repeating: 0, count: bounds.count)
        ck_numbers_above(compute, weights.baseAddress, Int32(weights.count), bounds, &counts, &sums)
        return zip(counts, sums).map { Above(count: Int($0), sum: $1) }
    }

    /// The weights above `low` and at most `high`.
    /// - Parameter count: at least as many as there are.
    private func between(
        _ low: Float,
        _ high: Float,
        _ weights: UnsafeBufferPointer<Float>,
        count: Int
    ) -> Candidates {
        // Room for what the kernel writes beyond its numbers.
        let room = count + 32
        var candidates = Candidates(weights: [], places: [], floor: low)
        candidates.weights = [Float](unsafeUninitializedCapacity: room) { numbers, found in
            candidates.places = [Int32](unsafeUninitializedCapacity: room) { places, placeCount in
                placeCount = Int(
                    ck_numbers_between(
                        compute,
                        weights.baseAddress,
                        Int32(weights.count),
                        low,
                        high,
                        places.baseAddress,
                        numbers.baseAddress,
                        Int32(count)
                    )
                )
            }
            found = candidates.places.count
        }
        return candidates
    }

    // MARK: The border

    private static let few = 256

    private func border(reaching wanted: Amount) -> Border {
        var candidates: Candidates?
        // The border is above `low` and at most `high`.
        var (low, high): (Float, Float) = (floor, 1)
        var (aboveLow, aboveHigh) = (Above(count: weights.count, sum: .infinity), Above())
        // What is larger than all candidates.
        var missing = Above()
        var bounds = low == 0 ? Self.bounds : Self.bounds(between: low, and: high)
        while aboveLow.count - aboveHigh.count > Self.few, low.nextUp < high {
            for (bound, some) in zip(bounds, withWeights(candidates) { above(bounds, $0) }) {
                let amount = Above(count: missing.count + some.count, sum: missing.sum + some.sum)
                if amount.reaches(wanted) {
                    (low, aboveLow) = (bound, amount)
                    break
                }
                (high, aboveHigh) = (bound, amount)
            }
            bounds = Self.bounds(between: low, and: high)
            let count = aboveLow.count - aboveHigh.count
            if 8 * count < candidates?.weights.count ?? weights.count {
                candidates = between(low, high, candidates, count: count)
                missing = aboveHigh
            }
        }
        let last = between(low, high, candidates, count: aboveLow.count - aboveHigh.count)
        var order = Array(last.weights.indices)
        // Where there is only one number between the two, all are equal.
        if low.nextUp < high {
            order.sort { last.weights[$0] != last.weights[$1] ? last.weights[$0] > last.weights[$1] : $0 < $1 }
        }
        var kept = aboveHigh
        for index in order {
            kept.count += 1
            kept.sum += Double(last.weights[index])
            if kept.reaches(wanted) { return Border(weight: last.weights[index], place: last.places[index]) }
        }
        // The same sum, added up in another order, reached what is wanted; or there is not so much.
        return Border(weight: low, place: -1)
    }

    /// Bounds that divide a range evenly by the bits of its numbers, the largest first.
    private static func bounds(between low: Float, and high: Float) -> [Float] {
        let (first, span) = (low.bitPattern, UInt64(high.bitPattern - low.bitPattern))
        let parts = UInt64(CK_SAMPLING_BOUNDS) + 1
        return (1..<parts).reversed().map { Float(bitPattern: first + UInt32(span * $0 / parts)) }
    }

    private func between(_ low: Float, _ high: Float, _ candidates: Candidates?, count: Int) -> Candidates {
        var some = withWeights(candidates) { between(low, high, $0, count: count) }
        if let candidates { some.places = some.places.map { candidates.places[Int($0)] } }
        return some
    }

    private func withWeights<Result>(
        _ candidates: Candidates?,
        _ body: (UnsafeBufferPointer<Float>) -> Result
    ) -> Result {
        candidates?.weights.withUnsafeBufferPointer(body) ?? body(UnsafeBufferPointer(weights))
    }
}
