import CKernels
import EngineContract

/// One step's tokens on their way through the layers: where each stands, and the memory they pass through.
///
/// Used from the engine's thread only; `places` points into `tables`, and both are set together by `begin`.
final class ForwardPass {
    /// The rows of an entry, from the first one on, and where they stand.
    struct Segment {
        var firstRow: Int
        var startPosition: Int
        var blocks: [BlockIndex]
    }

    /// Positions in a tile of KV memory.
    private static let tile = CK_LANES

    let compute: Compute
    let kv: KVMemory
    /// The place in KV memory of the model's first layer that has keys and values.
    private let firstLayer: Int
    /// Nil if no layer is recurrent.
    let states: StateMemory?
    /// The most positions that a session can have.
    let contextLength: Int

    private(set) var tokens: [Int32] = []
    private(set) var positions: [Int] = []
    private(set) var places = UnsafeMutableBufferPointer<ck_token_slot>(start: nil, count: 0)
    private var tables = UnsafeMutableBufferPointer<Int32>(start: nil, count: 0)
    private(set) var runs: [ck_token_run] = []
    /// The rows of each entry.
    private(set) var segments: [Segment] = []
    /// For each of `headKinds`.
    private var spans: [[ck_query_tile]]
    private(set) var stateRuns: [ck_state_run] = []
    /// Those that `stateRuns` point to.
    private var snapshots = UnsafeMutableBufferPointer<ck_state_snapshot>(start: nil, count: 0)

    // One row for each token, unless said otherwise.

    /// The state that every block reads and adds to: [tokens, hidden size].
    let hidden = FloatBuffer()
    /// `hidden` as a block sees it.
    let normed = FloatBuffer()
    /// [q | k | v]
    let qkv = FloatBuffer()
    /// The same with output gates; of recurrent layers, all their inputs.
    let projected = FloatBuffer()
    /// Of each head's output.
    let outputGates = FloatBuffer()
    /// Of a gated delta net, or a state space: what has gone through the convolution, and the gates, or steps, of its heads.
    let mixed = FloatBuffer()
    let headGates = FloatBuffer()
    /// What the heads have gathered, before the output matrix.
    let attentionOutput = FloatBuffer()
    /// Of latent attention: the numbers that q comes out of; what KV memory holds of each position; the queries for these,
    /// [heads, rank + rotary]; and the values, [heads, value size].
    let queryVectors = FloatBuffer()
    let latentKeys = FloatBuffer()
    let latentQueries = FloatBuffer()
    let headValues = FloatBuffer()
    /// [gate | up]
    let gateUp = FloatBuffer()
    /// activation(gate) × up
    let gated = FloatBuffer()
    /// What a block adds to `hidden`, where that is not done in its last matmul.
    let blockOutput = FloatBuffer()
    /// [tokens, experts]
    let routerLogits = FloatBuffer()
    /// The rows of `normed` for one expert's tokens, and what it makes of them.
    let expertInput = FloatBuffer()
    let expertOutput = FloatBuffer()
    /// The same of all tokens and the sum of what is made of them, where experts see less than the hidden state.
    let latentInput = FloatBuffer()
    let latentOutput = FloatBuffer()
    /// The dense network's output, where experts stand beside it; and what their router sees.
    let denseOutput = FloatBuffer()
    let routerInput = FloatBuffer()
    /// What each layer gets of the second embedding: [tokens, layers, size]; and the rows of its table.
    let perLayerInputs = FloatBuffer()
    let perLayerRows = FloatBuffer()
    /// The rows of `hidden` whose logits are wanted, and these: [rows, vocabulary].
    let sampledHidden = FloatBuffer()
    let logits = FloatBuffer()
    /// With a draft head: `hidden` behind the last norm; what the head sees of the model or of itself, a row for each token;
    /// and [embedding | that row].
    let finalHidden = FloatBuffer()
    let previousHidden = FloatBuffer()
    let draftInput = FloatBuffer()
    /// Of each kind of rotary positions that the model has.
    let rotaryTables: [RotaryTable]
    /// For layers without rotary positions.
    let unrotated = RotaryTable()

    let model: TransformerDescription
    private let headKinds: [AttentionHeads]
    /// All tokens' rows, and a scale for each.
    private var allRows: [Int32] = []
    private var residualScales: [Float] = []

    init(
        _ model: TransformerDescription,
        compute: Compute,
        kv: KVMemory,
        firstLayer: Int = 0,
        states: StateMemory? = nil,
        contextLength: Int
    ) {
        self.model = model
        self.compute = compute
        self.kv = kv
        self.firstLayer = firstLayer
        self.states = states
        self.contextLength = contextLength
        rotaryTables = model.rotary.map { _ in RotaryTable() }
        headKinds = model.headKinds
        spans = headKinds.map { _ in [] }
    }

    deinit {
        places.deallocate()
        tables.deallocate()
        snapshots.deallocate()
    }

    var count: Int { tokens.count }

    /// What the kernels need to find the keys and values of one of the model's layers.
    /// - Parameter layer: its place among those that have some.
    func keysAndValues(ofLayer layer: Int) -> ck_kv { kv.view(layer: firstLayer + layer) }

    /// Gives back the memory that the next step makes anew.
    func releaseBuffers() {
        let buffers = [
            hidden, normed, qkv, projected, outputGates, mixed, headGates, attentionOutput, queryVectors, latentKeys,
            latentQueries, headValues, gateUp, gated, blockOutput, routerLogits, expertInput, expertOutput, latentInput,
            latentOutput, denseOutput, routerInput, perLayerInputs, perLayerRows, sampledHidden, logits, finalHidden,
            previousHidden, draftInput,
        ]
        for buffer in buffers { buffer.release() }
    }

    /// Takes up the tokens of checked entries.
    func begin(_ entries: [StepEntry]) {
        tokens.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
        segments.removeAll(keepingCapacity: true)
        for kind in spans.indices { spans[kind].removeAll(keepingCapacity: true) }
        addStateRuns(entries)
        let tokenCount = entries.reduce(0) { $0 + $1.tokens.count }
        grow(tokens: tokenCount, blocks: entries.reduce(0) { $0 + $1.blocks.count })
        var tableStart = 0
        for entry in entries {
            for (offset, block) in entry.blocks.enumerated() { tables[tableStart + offset] = block }
            let table = tables.baseAddress.map { UnsafePointer($0 + tableStart) }
            let firstRow = tokens.count
            for offset in entry.tokens.indices {
                let position = entry.startPosition + offset
                places[tokens.count] = ck_token_slot(blocks: table, position: Int32(position))
                positions.append(position)
                tokens.append(entry.tokens[offset])
            }
            addRuns(from: firstRow, sessions: entries.count)
            segments.append(Segment(firstRow: firstRow, startPosition: entry.startPosition, blocks: entry.blocks))
            tableStart += entry.blocks.count
        }
    }

    /// The query tiles of all tokens in layers with these heads, which must be of a layer of the model.
    func spans(of heads: AttentionHeads) -> [ck_query_tile] {
        guard let kind = headKinds.firstIndex(of: heads) else { preconditionFailure("no such heads") }
        return spans[kind]
    }

    /// Adds the runs and the spans of a session's tokens, the last ones, from `row` on.
    private func addRuns(from row: Int, sessions: Int) {
        let firstRun = runs.count
        let count = tokens.count - row
        var row = row
        while row < tokens.count {
            let count = min(tokens.count - row, Self.tile - positions[row] % Self.tile)
            runs.append(ck_token_run(row: Int32(row), count: Int32(count)))
            row += count
        }
        for kind in headKinds.indices { addSpans(of: runs[firstRun...], count, kind: kind, sessions: sessions) }
    }

    /// Adds the spans of a session's runs, with many tokens first those that one thread works on, then the next one's.
    private func addSpans(of runs: ArraySlice<ck_token_run>, _ count: Int, kind: Int, sessions: Int) {
        let parts = max(1, min(compute.threads, count / Int(CK_OWN_TOKENS)))
        for part in 0..<parts {
            let own = runs.count * part / parts..<runs.count * (part + 1) / parts
            addSpans(ofPart: runs.dropFirst(own.lowerBound).prefix(own.count), count, kind: kind, sessions: sessions)
        }
    }

    /// Neighbouring spans share a head, whose keys and values then stay in the cache.
    private func addSpans(ofPart runs: ArraySlice<ck_token_run>, _ count: Int, kind: Int, sessions: Int) {
        let heads = headKinds[kind]
        let shared = heads.count / heads.kvCount
        // One token for each session leaves room for several heads of keys and values, as far as threads find enough spans.
        let most = count == 1 ? CK_QUERY_TILE_MAX / shared : 1
        let kvHeads = max(1, min(most, sessions * heads.kvCount / (2 * compute.threads)))
        for kvHead in stride(from: 0, to: heads.kvCount, by: kvHeads) {
            let all = kvHead * shared..<min(kvHead + kvHeads, heads.kvCount) * shared
            let most = min(all.count, CK_QUERY_TILE_MAX)
            for run in runs {
                for head in stride(from: all.lowerBound, to: all.upperBound, by: most) {
                    addSpans(of: run, heads: head..<min(head + most, all.upperBound), kind: kind)
                }
            }
        }
    }

    /// Sets the runs of recurrent layers.
    private func addStateRuns(_ entries: [StepEntry]) {
        stateRuns.removeAll(keepingCapacity: true)
        guard let states else { return }
        let count = entries.reduce(0) { $0 + ($1.state?.snapshots.count ?? 0) }
        if snapshots.count < count {
            snapshots.deallocate()
            snapshots = .allocate(capacity: count)
        }
        var (row, next) = (0, 0)
        for entry in entries {
            guard let use = entry.state else { continue }
            let first = next
            for snapshot in use.snapshots {
                snapshots[next] = ck_state_snapshot(to: states.state(snapshot.slot), after: Int32(snapshot.tokens))
                next += 1
            }
            stateRuns.append(
                ck_state_run(
                    row: Int32(row),
                    count: Int32(entry.tokens.count),
                    from: use.source.flatMap { UnsafePointer(states.state($0)) },
                    to: states.state(use.slot),
                    snapshots: snapshots.baseAddress.map { UnsafePointer($0 + first) },
                    snapshot_count: Int32(use.snapshots.count)
                )
            )
            row += entry.tokens.count
        }
    }

    /// Goes on with some of the tokens only, in ascending order.
    func keep(_ rows: [Int]) {
        precondition(rows.allSatisfy { 0..<count ~= $0 }, "no such row")
        let parts = model.layers.count * (model.perLayerEmbedding?.size ?? 0)
        for (buffer, size) in [(hidden, model.hiddenSize), (perLayerInputs, parts)] where size > 0 {
            let start = buffer.buffer(count * size)
            for (new, old) in rows.enumerated() { (start + new * size).update(from: start + old * size, count: size) }
        }
        for (new, old) in rows.enumerated() { places[new] = places[old] }
        tokens = rows.map { tokens[$0] }
        positions = rows.map { positions[$0] }
        runs = rows.indices.map { ck_token_run(row: Int32($0), count: 1) }
        for kind in headKinds.indices {
            spans[kind].removeAll(keepingCapacity: true)
            for row in rows.indices { addSpans(of: runs[row...row], 1, kind: kind, sessions: rows.count) }
        }
    }

    private func addSpans(of run: ck_token_run, heads: Range<Int>, kind: Int) {
        let most = CK_QUERY_TILE_MAX / heads.count
        for offset in stride(from: 0, to: run.count, by: most) {
            spans[kind].append(
                ck_query_tile(
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

    /// hidden = the rows of `matrix` for the tokens, times `scale`.
    func embed(_ matrix: Matrix, scale: Float) {
        matrix.gather(tokens, into: hidden, on: compute)
        self.scale(hidden, count * matrix.columns, by: scale)
    }

    /// Computes the cosines and sines of this step's positions.
    func fillRotaryTables(_ rotary: [RotaryEmbedding]) {
        for (embedding, table) in zip(rotary, rotaryTables) {
            embedding.fill(table, positions: positions, contextLength: contextLength)
        }
    }

    /// out = hidden
    func copyHidden(into out: FloatBuffer) {
        let size = count * model.hiddenSize
        out.ensureCapacity(size).update(from: hidden.buffer(size), count: size)
    }

    /// hidden += scale × blockOutput
    func addBlockOutput(scale: Float) { add(blockOutput, size: model.hiddenSize, scale: scale, to: hidden) }

    /// y[tokens, size] += scale × x
    func add(_ x: FloatBuffer, size: Int, scale: Float, to y: FloatBuffer) {
        if residualScales.count != count || residualScales.first != scale {
            residualScales = [Float](repeating: scale, count: count)
        }
        add(x, size: size, scales: residualScales, to: y)
    }

    /// y[tokens, size] += scales[tokens] × x
    func add(_ x: FloatBuffer, size: Int, scales: UnsafePointer<Float>, to y: FloatBuffer) {
        if allRows.count != count { allRows = (0..<Int32(count)).map(\.self) }
        ck_scatter_add(
            compute.handle,
            x.buffer(count * size),
            allRows,
            scales,
            Int32(count),
            Int32(size),
            y.buffer(count * size)
        )
    }

    /// x[count] × factor, in place.
    func scale(_ x: FloatBuffer, _ count: Int, by factor: Float) {
        if factor != 1 { ck_scale(compute.handle, factor, count, x.buffer(count)) }
    }

    /// out[rows.count, size] = some rows of x[count, size].
    func gather(_ rows: [Int32], of x: FloatBuffer, size: Int, into out: FloatBuffer) {
        let all = x.buffer(count * size)
        let chosen = out.ensureCapacity(rows.count * size)
        precondition(rows.allSatisfy { 0..<count ~= Int($0) }, "no such row")
        var matrix = ck_matrix()
        (matrix.format, matrix.rows, matrix.columns) = (CK_F32, Int32(count), Int32(size))
        matrix.row_bytes = size * MemoryLayout<Float>.size
        matrix.weights = UnsafeRawPointer(all)
        ck_gather_rows(compute.handle, &matrix, rows, Int32(rows.count), chosen)
    }

    /// logits[rows, vocabulary] of the first rows of `x`, which are behind the last norm.
    /// - Parameter softCap: logits l become cap × tanh(l / cap); nil: they stay.
    func computeLogits(of x: FloatBuffer, rows: Int, _ head: Matrix, scale: Float, softCap: Float?) {
        head.multiply(x, tokens: rows, into: logits, on: compute)
        let size = rows * head.rows
        self.scale(logits, size, by: scale)
        if let softCap { ck_soft_cap(compute.handle, softCap, size, logits.buffer(size)) }
    }
}
