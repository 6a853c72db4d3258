import CKernels
import Testing

@testable import Inference

/// Preparation of q and k and attention, of every shape that architectures have, against plain arithmetic in double
/// precision, and each variant against its scalar twin to the bit.
@Suite struct AttentionKernelTests {
    static let cases = [
        AttentionCase(headSize: 16, heads: 4, kvHeads: 2, dimensions: 6, window: 5),
        AttentionCase(headSize: 64, heads: 4, kvHeads: 4, dimensions: 64, window: 16),
        AttentionCase(headSize: 80, heads: 2, kvHeads: 1, dimensions: 32),
        AttentionCase(headSize: 64, heads: 4, kvHeads: 1, dimensions: 16, first: 1),
        AttentionCase(headSize: 32, heads: 2, kvHeads: 1, dimensions: 32, window: 30, first: 21, hasSinks: true),
        AttentionCase(headSize: 96, heads: 2, kvHeads: 2, dimensions: 96, window: 20, count: 137),
        AttentionCase(headSize: 112, heads: 3, kvHeads: 1, dimensions: 112, cap: 5, hasNorms: true),
        AttentionCase(headSize: 128, heads: 8, kvHeads: 2, dimensions: 96, hasNorms: true),
        AttentionCase(headSize: 256, heads: 2, kvHeads: 1, dimensions: 256, window: 17, cap: 3, hasNorms: true),
        AttentionCase(headSize: 32, heads: 20, kvHeads: 1, dimensions: 32, count: 70),
        AttentionCase(headSize: 64, heads: 8, kvHeads: 2, dimensions: 64, window: 20, hasSinks: true, count: 137),
        AttentionCase(headSize: 48, heads: 2, kvHeads: 2, dimensions: 32, hasNorms: true, normsLast: true),
        AttentionCase(
            headSize: 32,
            heads: 4,
            kvHeads: 2,
            dimensions: 32,
            hasNorms: true,
            normsLast: true,
            hasSinks: true,
            scalesQueries: true
        ),
        AttentionCase(
            headSize: 512,
            heads: 4,
            kvHeads: 2,
            dimensions: 512,
            scale: 0.04,
            hasNorms: true,
            hasValueNorm: true,
            projections: CK_QK,
            count: 70
        ),
        AttentionCase(headSize: 48, heads: 4, kvHeads: 2, dimensions: 48, projections: CK_QK),
        AttentionCase(
            headSize: 64,
            heads: 4,
            kvHeads: 2,
            dimensions: 64,
            window: 20,
            hasNorms: true,
            projections: CK_Q
        ),
    ]

    /// The largest error that a type may cause with keys and values of up to 1.
    private static func bound(_ type: KVType) -> Double {
        switch type {
        case .f32: 2e-6
        case .f16: 1e-3
        case .bf16: 6e-3
        case .int8: 5e-2
        }
    }

    @Test("Attention is that of plain arithmetic, and equal in all variants", arguments: cases)
    func attention(_ one: AttentionCase) throws {
        let inputs = one.inputs()
        let expected = one.expected(inputs, last: one.count)
        for type in KVType.allCases {
            let twin = try one.computed(inputs, type, .init(variant: CK_SCALAR))
            #expect(largestError(twin, expected) < Self.bound(type), "\(type)")
            for variant in ck_variant.available {
                #expect(
                    identical(try one.computed(inputs, type, .init(variant: variant)), twin),
                    "\(type), \(variant.name)"
                )
            }
        }
    }

    @Test(
        "Where bytes hold keys and values exactly, those of queries and weights cost little",
        arguments: cases.filter { $0.projections != CK_QK }
    )
    func exactBytes(_ one: AttentionCase) throws {
        var one = one
        (one.isGrid, one.dimensions, one.hasNorms, one.hasValueNorm) = (true, 0, false, false)
        let inputs = one.inputs()
        #expect(largestError(try one.computed(inputs, .int8, .init()), one.expected(inputs, last: one.count)) < 1e-2)
    }

    @Test("Exponentials are right where weights are bytes too", arguments: [0.1, 0.35, 0.6, 1.05, 2.4, 5.9])
    func exponentials(difference: Double) throws {
        // All but the first position have a score that is lower by the difference, and values of 0.
        let one = AttentionCase(headSize: 32, heads: 1, kvHeads: 1, dimensions: 0, scale: 1, count: 64)
        var inputs = one.inputs()
        inputs.rows = [Float](repeating: 0, count: inputs.rows.count)
        for token in 0..<one.count {
            inputs.rows[token * 96] = 1
            inputs.rows[token * 96 + (token == 0 ? 64 : 32)] = token == 0 ? 1 : Float(-difference)
        }
        for variant in ck_variant.available {
            // As one step, and token by token.
            for chunk in [Int.max, 1] {
                let out = try one.computed(inputs, .int8, .init(variant: variant, chunk: chunk))
                for token in 0..<one.count {
                    let expected = 1 / (1 + Double(token) * expDouble(-difference))
                    #expect(abs(Double(out[token * 32]) / expected - 1) < 5e-6, "\(variant.name), token \(token)")
                }
            }
        }
    }

    @Test("One dimension of keys that is far larger than the others spoils none of them", arguments: [64, 96, 128])
    func outlier(headSize: Int) throws {
        let one = AttentionCase(headSize: headSize, heads: 2, kvHeads: 1, dimensions: 0, count: 70, outlier: 30)
        let inputs = one.inputs()
        #expect(largestError(try one.computed(inputs, .int8, .init()), one.expected(inputs, last: one.count)) < 3e-2)
    }

    static let long = [
        AttentionCase(headSize: 16, heads: 16, kvHeads: 8, dimensions: 16, count: 1100),
        AttentionCase(headSize: 48, heads: 1, kvHeads: 1, dimensions: 48, window: 700, hasSinks: true, count: 1300),
        AttentionCase(headSize: 32, heads: 2, kvHeads: 1, dimensions: 32, first: 40, cap: 5, count: 700),
    ]

    @Test("Over long contexts neither steps, threads, places in memory nor its division matter", arguments: long)
    func longContext(_ one: AttentionCase) throws {
        let inputs = one.inputs()
        let expected = one.expected(inputs, last: 3)
        for type in KVType.allCases {
            let whole = try one.computed(inputs, type, .init(threads: 1, dividesContext: false))
            #expect(largestError(whole, expected) < Self.bound(type))
            for way in AttentionWay.several {
                #expect(identical(try one.computed(inputs, type, way), whole), "\(type), chunks of \(way.chunk)")
            }
        }
    }

    @Test("A key or a value that is not a number is not lost", arguments: KVType.allCases)
    func notANumber(type: KVType) throws {
        var one = AttentionCase(headSize: 32, heads: 1, kvHeads: 1, dimensions: 0, count: 70)
        for part in 1...2 {
            one.spoiled = (token: 3, head: part)
            let inputs = one.inputs()
            let out = try one.computed(inputs, type, .init())
            #expect(out.prefix(3 * 32).allSatisfy { $0.isFinite })
            for token in 3..<70 {
                #expect(out[(token * 32)..<((token + 1) * 32)].contains { !$0.isFinite }, "token \(token)")
            }
        }
    }
}
