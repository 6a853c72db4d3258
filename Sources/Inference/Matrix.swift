import CKernels
import ModelFiles

/// A weight matrix [rows, columns], kept as the file has it or packed for the integer kernels; rows are the outputs.
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

    /// Whether this and another one may be parts of one product.
    func sharesInputs(with other: Matrix) -> Bool {
        withUnsafePointer(to: view) { own in withUnsafePointer(to: other.view) { ck_share_inputs(own, $0) } }
    }

    /// y[tokens, rows] = x[tokens, columns] · Wᵀ, or y += if `adding`.
    func multiply(_ x: FloatBuffer, tokens: Int, into y: FloatBuffer, adding: Bool = false, on compute: Compute) {
        let output = adding ? y.buffer(tokens * rows) : y.ensureCapacity(tokens * rows)
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
        let input = x.buffer(tokens * columns)
        if isQuantized && !compute.isPrecise {
            withUnsafePointer(to: view) {
                ck_matmul(compute.handle, $0, input, Int32(tokens), output, rowSize, adding)
            }
        } else {
            BLASMatmul.run(view, input, tokens: tokens, into: output, rowSize: rowSize, adding: adding, on: compute)
        }
    }

    /// The same weights in the order of the integer kernels; nil if the form has no packed twin.
    ///
    /// What of a file has been read for it is given back, so that at no time there are two copies of more than a matrix.
    /// - Parameter shared: where it goes beside others.
    func packed(on compute: Compute, in shared: SharedMemory) -> Matrix? {
        var (form, bytes) = (ck_matrix(), 0)
        guard withUnsafePointer(to: view, { ck_packed_form($0, &form, &bytes) }) else { return nil }
        let packed = shared.bytes(count: bytes) { packed in
            withUnsafePointer(to: view) { ck_pack(compute.handle, $0, &form, packed.baseAddress) }
        }
        form.weights = packed.bytes.baseAddress
        for bytes in memory { bytes.release() }
        return Matrix(form, memory: [packed])
    }

    /// The same for inputs that come from heads or a gate.
    func withInnerInputs() -> Matrix {
        var view = view
        view.has_inner_inputs = true
        return Matrix(view, memory: memory)
    }

    /// Has the system begin to read the weights from their file.
    func prefetch() {
        for bytes in memory { bytes.prefetch() }
    }

    /// out[i] = the row `indices[i]`, each of which must be one.
    func gather(_ indices: [Int32], into out: FloatBuffer, on compute: Compute) {
        let output = out.ensureCapacity(indices.count * columns)
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

    var values: [Float] { Array(UnsafeBufferPointer(start: start, count: count)) }

    /// - Returns: nil if there are no values.
    init?(_ values: [Float]) {
        memory = values.withUnsafeBytes { FileBytes(copying: $0) }
        guard let address = memory.bytes.baseAddress, !values.isEmpty else { return nil }
        start = address.assumingMemoryBound(to: Float.self)
        count = values.count
    }
}
