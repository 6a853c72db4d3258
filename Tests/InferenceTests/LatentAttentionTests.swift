import CKernels
import EngineContract
import ModelFiles
import Support
import Testing

@testable import Inference

/// Latent attention by the kernels, from q and the small vectors to the heads' values, against plain arithmetic with the
/// keys and values of each head, which the kernels never make; and each variant against its scalar twin to the bit.
@Suite struct LatentAttentionTests {
    static let cases = [
        LatentAttentionCase(heads: 4, rank: 32, plain: 24, rotated: 16, value: 20),
        LatentAttentionCase(heads: 18, rank: 512, plain: 16, rotated: 64, value: 16, isInterleaved: false, count: 35),
        LatentAttentionCase(heads: 3, rank: 80, plain: 48, rotated: 32, value: 72, count: 137),
        LatentAttentionCase(heads: 4, rank: 32, plain: 16, rotated: 16, value: 16, first: 18),
        LatentAttentionCase(heads: 128, rank: 64, plain: 16, rotated: 16, value: 16, count: 18),
    ]

    /// The largest error that a type may cause with values of about 1.
    private static func bound(_ type: KVType) -> Double {
        switch type {
        case .f32: 5e-6
        case .f16: 2e-3
        case .bf16: 1.5e-2
        case .int8: 4e-2
        }
    }

    @Test("Latent attention is that of plain arithmetic, and equal in all variants", arguments: cases)
    func attention(_ one: LatentAttentionCase) throws {
        let inputs = one.inputs()
        let expected = one.expected(inputs, last: one.count)
        for type in KVType.allCases {
            let twin = try one.computed(inputs, type, .init(variant: CK_SCALAR))
            #expect(largestError(twin, expected) < Self.bound(type), "\(type)")
            for variant in ck_variant.available {
                let own = try one.computed(inputs, type, .init(variant: variant))
                #expect(identical(own, twin), "\(type), \(variant.name)")
            }
        }
    }

    @Test(
        "Matrices of keys that a file has transposed give the same but for rounding",
        arguments: cases.filter { $0.plain % 16 == 0 }
    )
    func separateMatrices(_ one: LatentAttentionCase) throws {
        let inputs = one.inputs()
        let joined = try one.computed(inputs, .f32, .init())
        var separate = one
        separate.hasSeparateMatrices = true
        let own = try separate.computed(inputs, .f32, .init())
        #expect(largestDifference(own, joined.map(Double.init)) < 5e-6)
        #expect(identical(try separate.computed(inputs, .f32, .init(variant: CK_SCALAR)), own))
    }

    @Test("Over long contexts neither steps, threads, places in memory nor its division matter")
    func longContext() throws {
        let one = LatentAttentionCase(heads: 6, rank: 48, plain: 16, rotated: 16, value: 16, count: 1300)
        let inputs = one.inputs()
        let expected = one.expected(inputs, last: 3)
        for type in KVType.allCases {
            let whole = try one.computed(inputs, type, .init(threads: 1, dividesContext: false))
            #expect(largestError(whole, expected) < Self.bound(type), "\(type)")
            for way in AttentionWay.several {
                #expect(identical(try one.computed(inputs, type, way), whole), "\(type), chunks of \(way.chunk)")
            }
        }
    }

    @Test("What is not a number is not lost, in the latent vector or the rotated end", arguments: KVType.allCases)
    func notANumber(type: KVType) throws {
        for place in [5, 40] {
            var one = LatentAttentionCase(heads: 2, rank: 32, plain: 16, rotated: 16, value: 16, count: 70)
            one.spoiled = (token: 3, place: place)
            let out = try one.computed(one.inputs(), type, .init())
            #expect(out.prefix(3 * 32).allSatisfy { $0.isFinite })
            for token in 3..<70 {
                #expect(out[(token * 32)..<((token + 1) * 32)].contains { !$0.isFinite }, "token \(token)")
            }
        }
    }

    @Test("KV memory holds the latent vector and the rotated end of a token, and nothing for each head")
    func memory() throws {
        let sizes = [KVType.f32: 4 * 576, .f16: 2 * 576, .bf16: 2 * 576, .int8: 576 + 8]
        for (type, size) in sizes {
            let layer = KVShape.Layer(heads: 1, headSize: 576, latentSize: 512)
            let shape = KVShape(layers: [layer, layer, layer], blockSize: 16, type: type)
            #expect(shape.bytesPerToken == 3 * size)
        }
        let model = try Fixture("deepseek_v3-bf16").model.configuration.transformer
        #expect(model.kvBytesPerToken(.int8) == 3 * (32 + 16 + 8))
    }
}
