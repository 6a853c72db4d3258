import CKernels
import COpenBLAS
import Platform

/// Matmul by OpenBLAS, in tiles of one fixed shape.
///
/// OpenBLAS chooses its kernel by the shape, and with it the order of additions. So the work is cut into tiles of 64
/// rows of W and up to 16 tokens, the last tokens padded with zeros: each output is then made by the same operations
/// whatever the batch. Weights of another form become float32 a tile at a time.
enum BLASMatmul {
    static let tileRows = 64
    /// The most tokens whose places in a tile do not matter. Some kernels (Haswell's and Zen's, of 0.3.21) add in another
    /// order in some columns of wide tiles; so each width is tried on this machine, with tokens that must come out alike.
    static let tileTokens = [16, 8, 4, 2].first(where: isUniform) ?? 1

    /// Floats that a worker needs: a tile of W, one of x, and one of y.
    static func scratchCount(columns: Int) -> Int {
        (tileRows + tileTokens) * columns + tileRows * tileTokens
    }

    /// Whether tiles of this many equal tokens, with equal rows where the tile is full, give the same bits everywhere.
    private static func isUniform(tokens: Int) -> Bool {
        // Only then is the shape all that a kernel is chosen by.
        openblas_set_num_threads(1)
        return [64, 100, 256, 1027].allSatisfy { columns in
            let (x, w) = (sineWave(columns, step: 0.7), sineWave(columns, step: 1.3))
            return [tileRows, 56, 37, 16, 5].allSatisfy { rows in
                var y = [Float](repeating: 0, count: tokens * rows)
                sgemm(repeated(x, tokens), repeated(w, rows), &y, tokens: tokens, rows: rows, columns: columns)
                return y.indices.allSatisfy {
                    y[$0].bitPattern == y[rows == tileRows ? 0 : $0 % rows].bitPattern
                }
            }
        }
    }

    private static func sineWave(_ count: Int, step: Float) -> [Float] { (0..<count).map { sinf(Float($0) * step) } }

    private static func repeated(_ row: [Float], _ count: Int) -> [Float] {
        (0..<count).flatMap { _ in row }
    }

    /// y = x Wᵀ: x is [tokens, columns], W [rows, columns], y [tokens, rows].
    private static func sgemm(
        _ x: UnsafePointer<Float>,
        _ w: UnsafePointer<Float>,
        _ y: UnsafeMutablePointer<Float>,
        tokens: Int,
        rows: Int,
        columns: Int
    ) {
        cblas_sgemm(
            CblasRowMajor,
            CblasNoTrans,
            CblasTrans,
            Int32(tokens),
            Int32(rows),
            Int32(columns),
            1,
            x,
            Int32(columns),
            w,
            Int32(columns),
            0,
            y,
            Int32(rows)
        )
    }

    private struct Work {
        let compute: OpaquePointer
        let w: ck_matrix
        let x: UnsafePointer<Float>
        let y: UnsafeMutablePointer<Float>
        let rowSize: Int
        let tokens: Int
        let adding: Bool
    }

    /// - Parameter rowSize: the floats from one token's outputs in `y` to the next's, at least the rows of `w`.
    static func run(
        _ w: ck_matrix,
        _ x: UnsafePointer<Float>,
        tokens: Int,
        into y: UnsafeMutablePointer<Float>,
        rowSize: Int,
        adding: Bool,
        on compute: Compute
    ) {
        var work = Work(
            compute: compute.handle,
            w: w,
            x: x,
            y: y,
            rowSize: rowSize,
            tokens: tokens,
            adding: adding
        )
        let tiles = (Int(w.rows) + tileRows - 1) / tileRows
        ck_parallel_for(
            compute.handle,
            CK_WORK_MATMUL,
            Int32(tiles),
            1,
            { context, item, worker in
                guard let work = context?.assumingMemoryBound(to: Work.self) else { return }
                BLASMatmul.multiply(work.pointee, tile: Int(item), worker: worker)
            },
            &work
        )
    }

    private static func multiply(_ work: Work, tile: Int, worker: Int32) {
        guard let scratch = ck_compute_scratch(work.compute, worker) else { return }
        let columns = Int(work.w.columns)
        let first = tile * tileRows
        let rows = min(tileRows, Int(work.w.rows) - first)
        let padded = scratch + tileRows * columns
        let result = padded + tileTokens * columns
        var weights = UnsafePointer(scratch)
        if work.w.format == CK_F32, let start = work.w.weights?.assumingMemoryBound(to: Float.self) {
            weights = start + first * columns
        } else {
            withUnsafePointer(to: work.w) { ck_copy_rows(work.compute, $0, Int32(first), Int32(rows), scratch) }
        }
        for token in stride(from: 0, to: work.tokens, by: tileTokens) {
            let count = min(tileTokens, work.tokens - token)
            var input = work.x + token * columns
            if count < tileTokens {
                padded.update(from: input, count: count * columns)
                (padded + count * columns).update(repeating: 0, count: (tileTokens - count) * columns)
                input = UnsafePointer(padded)
            }
            sgemm(input, weights, result, tokens: tileTokens, rows: rows, columns: columns)
            for i in 0..<count {
                let to = work.y + (token + i) * work.rowSize + first
                let from = result + i * rows
                if work.adding {
                    for r in 0..<rows { to[r] += from[r] }
                } else {
                    to.update(from: from, count: rows)
                }
            }
        }
    }
}
