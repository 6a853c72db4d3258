import CKernels
import EngineContract
import Testing

@testable import Inference

/// How the kernels come to the attention of one session, none of which may matter.
struct AttentionWay {
    var variant = ck_variant_best()
    var threads = 2
    /// Tokens in each step.
    var chunk = Int.max
    /// Whether parts of the context may be divided among threads.
    var dividesContext = true
    var reversesBlocks = false

    /// Ways besides one whole step on one thread.
    static let several: [AttentionWay] = [
        .init(threads: 3, chunk: 300), .init(chunk: 7), .init(threads: 1, chunk: 1, reversesBlocks: true),
        .init(chunk: 33, dividesContext: false),
    ]

    /// What all steps give, one after another, in memory that has held what is not a number.
    /// - Parameters:
    ///   - tokens: of the session.
    ///   - heads: of the layer, the last one of `layers`.
    ///   - valueSize: floats that a head gathers.
    func steps(
        tokens: Int,
        heads: AttentionHeads,
        layers: [KVShape.Layer],
        valueSize: Int,
        _ type: KVType,
        _ step: (StepEntry, ForwardPass) throws -> [Float]
    ) throws -> [Float] {
        let compute = try Compute(variant: variant, threads: threads, precise: false)
        let blockCount = (tokens + 31) / 32 + 2
        let kv = try KVMemory(shape: KVShape(layers: layers, blockSize: 32, type: type), blockCount: blockCount)
        for block in 0..<blockCount { kv.contents(of: block).initializeMemory(as: UInt8.self, repeating: 0xff) }
        if dividesContext {
            try #require(ck_compute_reserve_splits(compute.handle, 1 << 20, Int32(heads.count), Int32(valueSize)))
        }
        let model = TransformerDescription(
            hiddenSize: 16,
            vocabularySize: 2,
            contextLength: tokens,
            heads: heads,
            normEpsilon: 0,
            tiesEmbeddings: true
        )
        let pass = ForwardPass(model, compute: compute, kv: kv, contextLength: tokens)
        var out: [Float] = []
        var start = 0
        while start < tokens {
            let count = min(chunk, tokens - start)
            let entry = StepEntry(
                session: SessionID(1),
                tokens: Array(repeating: 1, count: count),
                startPosition: start,
                blocks: (1..<BlockIndex(blockCount)).map { reversesBlocks ? BlockIndex(blockCount) - $0 : $0 },
                samples: false,
                sampling: .greedy,
                sampleIndex: 0
            )
            out += try step(entry, pass)
            start += count
        }
        return out
    }
}
