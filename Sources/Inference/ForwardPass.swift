import CKernels
import EngineContract

/// One step's tokens on their way through the layers: where each stands, and the memory they pass through.
///
/// Used from the engine's thread only; `places` points into `tables`, and both are set together by `begin`.
final class ForwardPass {
    let compute: Compute
    let kv: KVMemory

    private(set) var tokens: [Int32] = []
    private(set) var positions: [Int] = []
    private var places = UnsafeMutableBufferPointer<ck_place>(start: nil, count: 0)
    private var tables = UnsafeMutableBufferPointer<Int32>(start: nil, count: 0)
    private var spans: [ck_span] = []

    let hidden = FloatBuffer()
    let normed = FloatBuffer()
    let projected = FloatBuffer()
    let attended = FloatBuffer()
    let logits = FloatBuffer()
    let cosines = FloatBuffer()
    let sines = FloatBuffer()

    init(compute: Compute, kv: KVMemory) {
        self.compute = compute
        self.kv = kv
    }

    deinit {
        places.deallocate()
        tables.deallocate()
    }

    var count: Int { tokens.count }

    /// Takes up the tokens of checked entries.
    func begin(_ entries: [StepEntry], heads: Int) {
        tokens.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        spans.removeAll(keepingCapacity: true)
        let tokenCount = entries.reduce(0) { $0 + $1.tokens.count }
        grow(tokens: tokenCount, blocks: entries.reduce(0) { $0 + $1.blocks.count })
        var tableStart = 0
        for entry in entries {
            for (offset, block) in entry.blocks.enumerated() { tables[tableStart + offset] = block }
            let table = tables.baseAddress.map { UnsafePointer($0 + tableStart) }
            let firstRow = tokens.count
            for offset in entry.tokens.indices {
                let position = entry.startPosition + offset
                places[tokens.count] = ck_place(blocks: table, position: Int32(position))
                positions.append(position)
                tokens.append(entry.tokens[offset])
            }
            addSpans(from: firstRow, count: entry.tokens.count, heads: heads)
            tableStart += entry.blocks.count
        }
    }

    /// Neighbouring spans share a head, whose keys and values then stay in the cache.
    private func addSpans(from row: Int, count: Int, heads: Int) {
        for head in 0..<heads {
            for offset in stride(from: 0, to: count, by: 4) {
                spans.append(
                    ck_span(row: Int32(row + offset), count: Int32(min(4, count - offset)), head: Int32(head))
                )
            }
        }
    }

    private func grow(tokens: Int, blocks: Int) {
        if places.count < tokens {
            places.deallocate()
            places = .allocate(capacity: tokens)
        }
        if tables.count < blocks {
            tables.deallocate()
            tables = .allocate(capacity: blocks)
        }
    }

    // MARK: Operations on all tokens

    func embed(_ matrix: Matrix) {
        matrix.gather(tokens, into: hidden, on: compute)
    }

    /// normed = the normalised `hidden`.
    func normalize(_ norm: Norm) {
        norm.apply(hidden, tokens: count, into: normed, on: compute)
    }

    /// attended = attention of `projected`, which holds q, k and v of each token; k and v go to KV memory.
    func attend(_ attention: Attention, layer: Int) {
        var kv = kv.view(layer: layer)
        let heads = Int32(attention.heads)
        let rowSize = (attention.heads + 2 * attention.kvHeads) * attention.headSize
        let qkv = projected.holding(count * rowSize)
        let half = count * attention.headSize / 2
        ck_rotate_and_store(
            compute.handle,
            &kv,
            places.baseAddress,
            qkv,
            Int32(count),
            heads,
            attention.scale,
            cosines.holding(half),
            sines.holding(half)
        )
        ck_attention(
            compute.handle,
            &kv,
            places.baseAddress,
            qkv,
            heads,
            Int32(attention.window ?? 0),
            spans,
            Int32(spans.count),
            attended.reserving(count * attention.heads * attention.headSize)
        )
    }

    /// attended = silu(gate) × up of `projected`, which holds gate, then up, of each token.
    func activate(size: Int) {
        ck_silu_multiply(
            compute.handle,
            projected.holding(2 * count * size),
            Int32(count),
            Int32(size),
            attended.reserving(count * size)
        )
    }

    /// logits[rows.count, vocabulary] of the given rows of `hidden`.
    func project(rows: [Int], norm: Norm, head: Matrix) {
        let size = norm.weight.count
        let all = hidden.holding(count * size)
        let chosen = projected.reserving(rows.count * size)
        for (index, row) in rows.enumerated() {
            precondition(0..<count ~= row, "no such row")
            (chosen + index * size).update(from: all + row * size, count: size)
        }
        norm.apply(projected, tokens: rows.count, into: normed, on: compute)
        head.multiply(normed, tokens: rows.count, into: logits, on: compute)
    }
}

/// RMS normalisation.
struct Norm: Sendable {
    let weight: Vector
    let epsilon: Float

    func apply(_ x: FloatBuffer, tokens: Int, into y: FloatBuffer, on compute: Compute) {
        let input = x.holding(tokens * weight.count)
        let output = y.reserving(tokens * weight.count)
        ck_rms_norm(compute.handle, input, weight.start, Int32(tokens), Int32(weight.count), epsilon, output)
    }
}

/// Causal grouped-query attention over paged KV memory.
struct Attention: Sendable {
    let heads: Int
    let kvHeads: Int
    let headSize: Int
    /// How many positions a token sees, itself included; nil is all.
    let window: Int?

    var scale: Float { 1 / Float(headSize).squareRoot() }
}
