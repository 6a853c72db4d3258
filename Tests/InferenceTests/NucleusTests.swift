import CKernels
import Foundation
import Support
import Testing

@testable import Inference

/// What top-k and top-p leave of large vocabularies is what sorting all of it would leave.
@Suite struct NucleusTests {
    enum Shape: String, CaseIterable {
        case flat, steep, normal, equal, steps, mostlyZero, neighbours
    }

    /// The largest is 1.
    private static func weights(_ shape: Shape, count: Int) -> [Float] {
        var generator = SeededGenerator(seed: UInt64(count))
        func uniform() -> Float { Float.random(in: 0...1, using: &generator) }
        var weights = (0..<count).map { _ -> Float in
            switch shape {
            case .flat: uniform()
            case .steep: exp(-80 * uniform())
            case .normal: exp(2 * (uniform() + uniform() + uniform() + uniform()) - 8)
            case .equal: 1
            case .steps: Float((7 * uniform()).rounded()) / 7
            case .mostlyZero: uniform() < 0.01 ? uniform() : 0
            // Numbers between which there are few others.
            case .neighbours: Float(bitPattern: Float(0.75).bitPattern + UInt32(5 * uniform()))
            }
        }
        weights[count / 3] = 1
        return weights
    }

    /// The places that are kept, after the kernels' own sums were compared with the weights that are left.
    private func kept(_ wanted: Nucleus.Amount, of weights: [Float]) throws -> Set<Int> {
        let compute = try Compute(threads: 1, precise: false)
        var weights = weights
        var sums = [Float](repeating: .nan, count: (weights.count + 255) / 256)
        weights.withUnsafeMutableBufferPointer { weights in
            sums.withUnsafeMutableBufferPointer { sums in
                Nucleus(compute: compute.handle, weights: weights).keep(wanted, sums: sums)
            }
        }
        for (index, sum) in sums.enumerated() {
            let chunk = weights[(256 * index)..<min(256 * index + 256, weights.count)]
            #expect(abs(chunk.reduce(0, +) - sum) <= 1e-4 * max(1, sum))
        }
        return Set(weights.indices.filter { weights[$0] > 0 })
    }

    @Test("As many are kept as sorting would keep, of equals the first", arguments: Shape.allCases, [40, 3001, 70_000])
    func counts(shape: Shape, count: Int) throws {
        let weights = Self.weights(shape, count: count)
        let order = weights.indices.sorted { weights[$0] != weights[$1] ? weights[$0] > weights[$1] : $0 < $1 }
        for wanted in [1, 2, 39, count / 50 + 1, count / 2, count - 1, count] {
            let expected = order.prefix(wanted).filter { weights[$0] > 0 }
            #expect(try kept(.count(wanted), of: weights) == Set(expected), "\(wanted)")
        }
    }

    @Test("As few are kept as have the sum, the most probable first", arguments: Shape.allCases, [40, 3001, 70_000])
    func sums(shape: Shape, count: Int) throws {
        let weights = Self.weights(shape, count: count)
        let order = weights.indices.sorted { weights[$0] != weights[$1] ? weights[$0] > weights[$1] : $0 < $1 }
        let total = weights.reduce(0) { $0 + Double($1) }
        for share in [1e-9, 0.1, 0.5, 0.9, 0.999, 1.1] {
            var sum = 0.0
            let expected = order.prefix { place in
                defer { sum += Double(weights[place]) }
                return sum < total * share
            }
            let kept = try kept(.sum(total * share), of: weights)
            // Where a sum ends, rounding may choose.
            let places = Set(expected.filter { weights[$0] > 0 })
            let differing = kept.symmetricDifference(places)
            let difference = differing.reduce(0) { $0 + Double(weights[$1]) }
            #expect(difference <= max(1e-6 * total, differing.count == 1 ? Double(weights[differing.first ?? 0]) : 0))
            #expect(kept.isSubset(of: places) || places.isSubset(of: kept))
        }
    }
}
