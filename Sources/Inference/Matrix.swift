import CKernels
import ModelFiles

/// A weight matrix [rows, columns], kept as the file has it; rows are the outputs.
///
/// `@unchecked Sendable`: what `view` points to is never written and lives as long as `memory`.
struct Matrix: @unchecked Sendable {
    let view: ck_matrix
    private let memory: [FileBytes]

    init(_ view: ck_matrix, memory: [FileBytes]) {
        self.view = view
        self.memory = memory
    }

    var rows: Int { Int(view.rows) }
    var columns: Int { Int(view.columns) }
    var parameterCount: Int { rows * columns }
    var byteCount: Int { memory.reduce(0) { $0 + $1.count } }
    var isQuantized: Bool { ![CK_F32, CK_F16, CK_BF16].contains(view.format) }

    /// y[tokens, rows] = x[tokens, columns] · Wᵀ, or y += if `adding`.
    func multiply(_ x: FloatBuffer, tokens: Int, into y: FloatBuffer, adding: Bool = false, on compute: Compute) {
        let output = adding ? y.holding(tokens * rows) : y.reserving(tokens * rows)
        multiply(x, tokens: tokens, into: output, rowSize: rows, adding: adding, on: compute)
    }

    /// The same into rows of `rowSize` floats, the first of which begins at `output`.
    func multiply(
        _ x: FloatBuffer,
        tokens: Int,
        into output: UnsafeMutablePointer<Float>,
        rowSize: Int,
        adding: Bool,
        on compute: Compute
    ) {
        let input = x.holding(tokens * columns)
        if isQuantized && !compute.isPrecise {
            withUnsafePointer(to: view) {
                ck_matmul(compute.handle, $0, input, Int32(tokens), output, rowSize, adding)
            }
        } else {
            BLASProduct.run(view, input, tokens: tokens, into: output, rowSize: rowSize, adding: adding, on: compute)
        }
    }

    /// Has the system begin to read the weights from their file.
    func prefetch() {
        for bytes in memory { bytes.prefetch() }
    }

    /// out[i] = the row `indices[i]`, each of which must be one.
    func gather(_ indices: [Int32], into out: FloatBuffer, on compute: Compute) {
        let output = out.reserving(indices.count * columns)
        withUnsafePointer(to: view) {
            ck_gather_rows(compute.handle, $0, indices, Int32(indices.count), output)
        }
    }
}

/// A float32 vector of weights, never empty.
///
/// `@unchecked Sendable`: what `start` points to is never written and lives as long as `memory`.
struct Vector: @unchecked Sendable {
    let start: UnsafePointer<Float>
    let count: Int
    let memory: FileBytes

    /// - Returns: nil if there are no values.
    init?(_ values: [Float]) {
        memory = values.withUnsafeBytes { FileBytes(copying: $0) }
        guard let address = memory.bytes.baseAddress, !values.isEmpty else { return nil }
        start = address.assumingMemoryBound(to: Float.self)
        count = values.count
    }
}
