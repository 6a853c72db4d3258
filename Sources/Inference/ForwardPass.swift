import CKernels
import EngineContract

/// One step's tokens on their way through the layers: where each stands, and the memory they pass through.
///
/// Used from the engine's thread only; `places` points into `tables`, and both are set together by `begin`.
final class ForwardPass {
    let compute: Compute
    let kv: KVMemory
    /// The most positions that a session can have.
    let contextLength: Int

    private(set) var tokens: [Int32] = []
    private(set) var positions: [Int] = []
    private(set) var places = UnsafeMutableBufferPointer<ck_place>(start: nil, count: 0)
    private var tables = UnsafeMutableBufferPointer<Int32>(start: nil, count: 0)
    private(set) var spans: [ck_span] = []

    let hidden = FloatBuffer()
    let normed = FloatBuffer()
    let projected = FloatBuffer()
    let attended = FloatBuffer()
    let gathered = FloatBuffer()
    let logits = FloatBuffer()
    let rotary = RotaryTable()
    /// For models that turn layers with a window otherwise than those without.
    let localRotary = RotaryTable()

    init(compute: Compute, kv: KVMemory, contextLength: Int) {
        self.compute = compute
        self.kv = kv
        self.contextLength = contextLength
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

    /// hidden = the rows of `matrix` for the tokens, each multiplied by `scale` if there is one.
    func embed(_ matrix: Matrix, scale: Float? = nil) {
        matrix.gather(tokens, into: hidden, on: compute)
        guard let scale else { return }
        let size = count * matrix.columns
        ck_scale(compute.handle, scale, size, hidden.holding(size))
    }

    /// normed = the normalised `hidden`.
    func normalize(_ norm: Norm) {
        norm.apply(hidden, tokens: count, into: normed, on: compute)
    }

    /// hidden += the normalised `projected`.
    func addNormalized(_ norm: Norm) {
        norm.apply(projected, tokens: count, into: hidden, adding: true, on: compute)
    }

    /// The cosines and sines of this step's positions.
    func turn(_ rotary: RotaryEmbedding, _ table: RotaryTable) {
        rotary.fill(table, positions: positions, contextLength: contextLength)
    }

    /// out[rows.count, size] = some rows of x[count, size].
    func gather(_ rows: [Int32], of x: FloatBuffer, size: Int, into out: FloatBuffer) {
        let all = x.holding(count * size)
        let chosen = out.reserving(rows.count * size)
        for (index, row) in rows.enumerated() {
            precondition(0..<count ~= Int(row), "no such row")
            (chosen + index * size).update(from: all + Int(row) * size, count: size)
        }
    }

    /// logits[rows.count, vocabulary] of the given rows of `hidden`.
    /// - Parameter softCap: logits l become cap × tanh(l / cap); nil: they stay.
    func project(rows: [Int], norm: Norm, head: Matrix, softCap: Float? = nil) {
        guard !rows.isEmpty else { return }
        gather(rows.map { Int32($0) }, of: hidden, size: norm.weight.count, into: projected)
        norm.apply(projected, tokens: rows.count, into: normed, on: compute)
        head.multiply(normed, tokens: rows.count, into: logits, on: compute)
        guard let softCap else { return }
        let size = rows.count * head.rows
        ck_soft_cap(compute.handle, softCap, size, logits.holding(size))
    }
}
