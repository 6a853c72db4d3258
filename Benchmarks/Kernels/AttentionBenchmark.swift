import CKernels
import Foundation

/// Attention over KV memory that has left the caches: for decoding against the time to read it, for prompts against the
/// byte products that a core can do.
///
///     swift run -c release kernel-benchmark attention [--threads N] [--repeats N]
struct AttentionBenchmark {
    struct Shape {
        var name: String
        var heads: Int
        var kvHeads: Int
        var headSize: Int
        /// With latent attention, of values; else 0.
        var latentSize = 0

        static let all = [
            Shape(name: "9/3 heads of 64", heads: 9, kvHeads: 3, headSize: 64),
            Shape(name: "32 heads of 96", heads: 32, kvHeads: 32, headSize: 96),
            Shape(name: "32/8 heads of 128", heads: 32, kvHeads: 8, headSize: 128),
            Shape(name: "16 latent heads", heads: 16, kvHeads: 1, headSize: 576, latentSize: 512),
        ]

        /// Bytes of KV memory that a position takes.
        func positionBytes(_ type: ck_kv_type) -> Int {
            kvHeads * ck_kv_position_bytes(type, Int32(headSize), Int32(latentSize))
        }

        /// Floats of a key and a value.
        var pairSize: Int { headSize + (latentSize > 0 ? latentSize : headSize) }
    }

    static let types = [(CK_KV_INT8, "int8"), (CK_KV_F16, "f16 "), (CK_KV_F32, "f32 ")]

    let compute: OpaquePointer
    let repeats: Int

    func run() {
        print(
            "\(String(cString: ck_variant_name(ck_variant_best()))), \(ck_compute_threads(compute)) threads; "
                + "median of \(repeats); reading and peak as measured in the same run"
        )
        for shape in Shape.all {
            for (type, name) in Self.types {
                for context in [128, 1024, 4096] {
                    for sessions in [1, 8, 32] where type == CK_KV_INT8 || sessions * context <= 8192 {
                        decode(shape, type, name, sessions: sessions, context: context)
                    }
                }
            }
            for (type, name) in Self.types { for tokens in [512, 2048] { prefill(shape, type, name, tokens: tokens) } }
        }
    }

    private func decode(_ shape: Shape, _ type: ck_kv_type, _ name: String, sessions: Int, context: Int) {
        let step = AttentionStep(shape, type, sessions: sessions, context: context, newTokens: 1, compute)
        let bytes = Double(step.layers * sessions * context * shape.positionBytes(type))
        var times: [(attention: Double, reading: Double, storing: Double)] = []
        for _ in 0...repeats {
            let reading =
                time { _ = ck_probe_read(compute, step.memory, step.byteCount) } / Double(step.byteCount) * bytes
            times.append((time { step.attend() }, reading, time { step.prepare() }))
        }
        times.removeFirst()
        let attention = median(times.map(\.attention))
        print(
            String(
                format: "%@ %@  %2d × %4d tokens  %8.1f µs a layer (storing %5.1f)  %5.1f GB/s = %3.0f %% of reading",
                name,
                shape.name,
                sessions,
                context,
                attention / Double(step.layers) * 1e6,
                median(times.map(\.storing)) / Double(step.layers) * 1e6,
                bytes / attention / 1e9,
                100 * median(times.map { $0.reading / $0.attention })
            )
        )
    }

    /// A prompt in steps of 256 tokens.
    private func prefill(_ shape: Shape, _ type: ck_kv_type, _ name: String, tokens: Int) {
        let step = AttentionStep(shape, type, sessions: 1, context: tokens, newTokens: 256, compute)
        var times: [(attention: Double, peak: Double, storing: Double)] = []
        for _ in 0...repeats {
            let rounds = 20_000
            let dots = time { ck_probe_dots(compute, Int32(rounds)) }
            let peak = 16_384 * Double(rounds) * Double(ck_compute_threads(compute)) / dots
            var (attention, storing) = (0.0, 0.0)
            for start in stride(from: 0, to: tokens, by: 256) {
                step.move(to: start)
                storing += time { step.prepare(layers: 1) }
                attention += time { step.attend(layers: 1) }
            }
            times.append((attention, peak, storing))
        }
        times.removeFirst()
        // Keys and values, a product and a sum each, of half the square.
        let operations = Double(shape.heads * shape.pairSize) * Double(tokens * (tokens + 1))
        let attention = median(times.map(\.attention))
        let planes = type == CK_KV_INT8 && shape.latentSize > 0 ? 2.0 : 1.0
        print(
            String(
                format:
                    "%@ %@  prompt of %4d   %8.1f µs a layer (storing %5.1f)  %5.0f Gop/s, with planes %3.0f %% of peak",
                name,
                shape.name,
                tokens,
                attention * 1e6,
                median(times.map(\.storing)) * 1e6,
                operations / attention / 1e9,
                100 * planes * operations / attention / median(times.map(\.peak))
            )
        )
    }

    private func time(_ body: () -> Void) -> Double {
        let begin = ContinuousClock.now
        body()
        return (ContinuousClock.now - begin) / .seconds(1)
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}

/// Sessions with their last tokens to come, in enough layers to leave the caches; their blocks strewn over the memory.
final class AttentionStep {
    let layers: Int
    let memory: UnsafeMutableRawPointer
    let byteCount: Int
    private let shape: AttentionBenchmark.Shape
    private let compute: OpaquePointer
    private let newTokens: Int
    private let context: Int
    private var kv: ck_kv
    private let tables: UnsafeMutablePointer<Int32>
    private var places: [ck_token_slot] = []
    private var runs: [ck_token_run] = []
    private var spans: [ck_query_tile] = []
    private var qkv: [Float]
    private var out: [Float]
    // Of latent attention: q, the new latent vectors, and numbers that stand for cosines, sines and weights of the norm.
    private var q: [Float] = []
    private var latentKeys: [Float] = []
    private var angles: [Float] = []

    init(
        _ shape: AttentionBenchmark.Shape,
        _ type: ck_kv_type,
        sessions: Int,
        context: Int,
        newTokens: Int,
        _ compute: OpaquePointer
    ) {
        (self.shape, self.compute, self.newTokens, self.context) = (shape, compute, newTokens, context)
        let layerBytes = 16 * shape.positionBytes(type)
        let blocks = sessions * context / 16
        layers = max(1, (512 << 20) / (blocks * layerBytes))
        byteCount = blocks * layers * layerBytes / 32768 * 32768
        memory = .allocate(byteCount: blocks * layers * layerBytes, alignment: 1 << 21)
        madvise(memory, byteCount, MADV_HUGEPAGE)
        kv = ck_kv(
            memory: memory.assumingMemoryBound(to: UInt8.self),
            block_bytes: layers * layerBytes,
            layer_offset: 0,
            type: type,
            tiles_per_block: 1,
            kv_heads: Int32(shape.kvHeads),
            head_size: Int32(shape.headSize),
            latent_size: Int32(shape.latentSize)
        )
        tables = .allocate(capacity: blocks)
        for (index, block) in (0..<Int32(blocks)).shuffled().enumerated() { tables[index] = block }
        let rows = max(sessions * newTokens, 16)
        qkv = (0..<rows * (shape.heads + 2 * shape.kvHeads) * shape.headSize).map { _ in .random(in: -1...1) }
        out = [Float](repeating: 0, count: rows * shape.heads * shape.headSize)
        if shape.latentSize > 0 {
            q = (0..<rows * shape.heads * (128 + 64)).map { _ in .random(in: -1...1) }
            latentKeys = (0..<rows * shape.headSize).map { _ in .random(in: -1...1) }
            angles = (0..<rows * max(32, shape.latentSize)).map { _ in .random(in: -1...1) }
        }
        // All that came before.
        for session in 0..<sessions {
            for start in stride(from: 0, to: context, by: 16) {
                place((0..<16).map { (session, start + $0) })
                prepare()
            }
        }
        place((0..<sessions).flatMap { session in (0..<newTokens).map { (session, context - newTokens + $0) } })
    }

    deinit {
        memory.deallocate()
        tables.deallocate()
    }

    /// Makes the new tokens those from `start` on, of the one session.
    func move(to start: Int) { place((start..<start + newTokens).map { (0, $0) }) }

    private func place(_ tokens: [(session: Int, position: Int)]) {
        places = tokens.map { ck_token_slot(blocks: tables + $0.session * context / 16, position: Int32($0.position)) }
        runs = []
        for (row, token) in tokens.enumerated() {
            if row > 0, token.position % 16 != 0, tokens[row - 1].session == token.session {
                runs[runs.count - 1].count += 1
            } else {
                runs.append(ck_token_run(row: Int32(row), count: 1))
            }
        }
        let shared = shape.heads / shape.kvHeads
        // As the engine does it: several heads of keys and values where there is but one token.
        let wide = max(1, min(16 / shared, runs.count * shape.kvHeads / 2 / Int(ck_compute_threads(compute))))
        let kvHeads = runs.count == tokens.count ? wide : 1
        let most = CK_QUERY_TILE_MAX / (shared * kvHeads)
        spans = stride(from: 0, to: shape.kvHeads, by: kvHeads).flatMap { head in
            runs.flatMap { run in
                stride(from: 0, to: run.count, by: most).map { offset in
                    ck_query_tile(
                        row: run.row + offset,
                        count: min(Int32(most), run.count - offset),
                        head: Int32(head * shared),
                        heads: Int32(shared * min(kvHeads, shape.kvHeads - head))
                    )
                }
            }
        }
    }

    func prepare(layers some: Int? = nil) {
        var preparation = ck_qk_transform()
        preparation.scale = 1
        for layer in 0..<(some ?? layers) {
            kv.layer_offset = layer * (kv.block_bytes / layers)
            guard shape.latentSize == 0 else {
                prepareLatent()
                continue
            }
            ck_transform_qk_and_store_kv(
                compute,
                &kv,
                places,
                &qkv,
                Int32(shape.heads),
                CK_QKV,
                &preparation,
                runs,
                Int32(runs.count)
            )
        }
    }

    private func prepareLatent() {
        angles.withUnsafeBufferPointer { angles in
            var preparation = ck_latent_transform(
                k_norm: angles.baseAddress,
                epsilon: 1e-6,
                plain_size: 128,
                interleaved: true,
                cosines: angles.baseAddress,
                sines: angles.baseAddress,
                scale: 1
            )
            ck_transform_and_store_latent(
                compute,
                &kv,
                places,
                q,
                &latentKeys,
                Int32(shape.heads),
                &preparation,
                runs,
                Int32(runs.count),
                &qkv
            )
        }
    }

    func attend(layers some: Int? = nil) {
        for layer in 0..<(some ?? layers) {
            kv.layer_offset = layer * (kv.block_bytes / layers)
            ck_attention(
                compute,
                &kv,
                places,
                qkv,
                Int32(shape.heads),
                shape.latentSize > 0 ? CK_Q : CK_QKV,
                ck_attention_mask(window: 0, first: 0, soft_cap: 0, sinks: nil),
                spans,
                Int32(spans.count),
                &out
            )
        }
    }
}
