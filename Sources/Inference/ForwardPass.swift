import CKernels
import EngineContract

/// One step's tokens on their way through the layers: where each stands, and the memory they pass through.
///
/// Used from the engine's thread only; `places` points into `tables`, and both are set together by `begin`.
final class ForwardPass {
    /// Positions in a tile of KV memory.
    private static let tile = CK_LANES

    let compute: Compute
    let kv: KVMemory
    /// The most positions that a session can have.
    let contextLength: Int

    private(set) var tokens: [Int32] = []
    private(set) var positions: [Int] = []
    private(set) var places = UnsafeMutableBufferPointer<ck_place>(start: nil, count: 0)
    private var tables = UnsafeMutableBufferPointer<Int32>(start: nil, count: 0)
    private(set) var runs: [ck_run] = []
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

    /// Gives back the memory that the next step makes anew.
    func releaseBuffers() {
        for buffer in [hidden, normed, projected, attended, gathered, logits] { buffer.release() }
    }

    /// Takes up the tokens of checked entries.
    func begin(_ entries: [StepEntry], _ attention: Attention) {
        tokens.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
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
            addRuns(from: firstRow, attention, sessions: entries.count)
            tableStart += entry.blocks.count
        }
    }

    /// Adds the runs and the spans of a session's tokens, the last ones, from `row` on. Neighbouring spans share a head,
    /// whose keys and values then stay in the cache.
    private func addRuns(from row: Int, _ attention: Attention, sessions: Int) {
        let firstRun = runs.count
        let count = tokens.count - row
        var row = row
        while row < tokens.count {
            let count = min(tokens.count - row, Self.tile - positions[row] % Self.tile)
            runs.append(ck_run(row: Int32(row), count: Int32(count)))
            row += count
        }
        let shared = attention.heads / attention.kvHeads
        // One token for each session leaves room for several heads of keys and values, as far as threads find enough spans.
        let most = count == 1 ? CK_SPAN_QUERIES / shared : 1
        let kvHeads = max(1, min(most, sessions * attention.kvHeads / (2 * compute.threads)))
        for kvHead in stride(from: 0, to: attention.kvHeads, by: kvHeads) {
            let all = kvHead * shared..<min(kvHead + kvHeads, attention.kvHeads) * shared
            let heads = min(all.count, CK_SPAN_QUERIES)
            for run in runs[firstRun...] {
                for head in stride(from: all.lowerBound, to: all.upperBound, by: heads) {
                    addSpans(of: run, heads: head..<min(head + heads, all.upperBound))
                }
            }
        }
    }

    private func addSpans(of run: ck_run, heads: Range<Int>) {
        let most = CK_SPAN_QUERIES / heads.count
        for offset in stride(from: 0, to: run.count, by: most) {
            spans.append(
                ck_span(
                    row: run.row + offset,
                    count: min(Int32(most), run.count - offset),
                    head: Int32(heads.lowerBound),
                    heads: Int32(heads.count)
                )
            )
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
