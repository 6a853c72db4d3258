import CKernels
import ModelFiles

/// Binds the tensors of a model file to matrices and vectors, checks their values, and counts what it has bound.
///
/// Quantised weights are packed for the integer kernels where these know the form. The others stay as the file has them,
/// and in its own mapped memory; only where a file has rows in another order, or floats at an odd address, are they copied.
final class WeightReader {
    var tensors: TensorDirectory
    /// The stack that a matrix was taken from, by its path.
    var stacks: [String: String] = [:]
    /// The paths of matrices that the file has transposed.
    var transposedPaths: Set<String> = []
    private let quantization: MLXQuantization
    private let packing: Bool
    private let packedMemory = SharedMemory()
    private let progress: (Double) -> Void
    /// For checking and packing values, on all cores.
    private let compute: Compute
    /// The layer that is being bound, and how many there are.
    private var layer = (index: 0, count: 1)
    private(set) var parameterCount = 0
    private(set) var byteCount = 0
    /// Of any matrix that is multiplied as a whole.
    private(set) var mostColumns = 0
    /// The bytes of matrices in each form met.
    private var forms: [String: Int] = [:]

    init(
        _ tensors: TensorDirectory,
        _ quantization: MLXQuantization,
        packing: Bool,
        progress: @escaping (Double) -> Void
    ) throws(ModelError) {
        self.tensors = tensors
        self.quantization = quantization
        self.packing = packing
        self.progress = progress
        compute = try Compute(threads: min(SystemCores.count, 1024), precise: false)
    }

    /// Tells that the layer `index` is bound next.
    func report(layer index: Int, of count: Int) {
        layer = (index, count)
        report(share: 0)
    }

    /// Tells how much of that layer is bound.
    func report(share: Double) {
        // A draft head comes behind the last layer.
        progress(min(1, (Double(layer.index) + share) / Double(max(1, layer.count))))
    }

    /// The forms of matrices met, for people: those first that hold the most.
    var formNames: String {
        let names = forms.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        guard let last = names.last, names.count > 1 else { return names.first ?? "none" }
        return names.dropLast().joined(separator: ", ") + " and " + last
    }

    /// Whether there is a matrix at `path`.
    func has(_ path: String) -> Bool { tensors["\(path).weight"] != nil || tensors["\(path).blocks"] != nil }
    func hasBias(_ path: String) -> Bool { tensors["\(path).bias"] != nil }

    /// The vector `path`.weight, each value changed by `transform`.
    func vector(_ path: String, _ count: Int, _ transform: (Float) -> Float) throws(ModelError) -> Vector {
        try vector(floats("\(path).weight", count).map(transform), path)
    }

    /// The shape of the tensor `name`; nil if there is none.
    func shape(of name: String) -> [Int]? { tensors[name]?.shape }

    /// The values of the tensor that has one of these names, and must have one of these shapes, changed by `transform`.
    func vector(
        named names: [String],
        shapes: [[Int]],
        _ transform: ([Float]) -> [Float] = { $0 }
    ) throws(ModelError) -> Vector {
        let name = names.first { tensors[$0] != nil } ?? names[0]
        let shape = shapes.first { $0 == tensors[name]?.shape } ?? shapes[0]
        let tensor = try tensors.tensor(name, TensorType.floats, shape: shape)
        let values = transform(tensor.floats())
        guard values.allSatisfy(\.isFinite) else {
            throw ModelError("\(tensor.label): holds a value that is not finite")
        }
        return try vector(values, name)
    }

    /// The biases of matrices below `path`, one after another.
    func bias(_ path: String, _ parts: [LinearPart]) throws(ModelError) -> Vector {
        var values: [Float] = []
        for part in parts { values += try floats("\(path).\(part.name).bias", part.rows, part.interleaved) }
        return try vector(values, path)
    }

    private func floats(
        _ name: String,
        _ count: Int,
        _ interleaved: InterleavedHeads? = nil
    ) throws(ModelError) -> [Float] {
        let tensor = try tensors.tensor(name, TensorType.floats, shape: [count])
        let values = tensor.floats(interleaved)
        guard values.allSatisfy(\.isFinite) else {
            throw ModelError("\(tensor.label): holds a value that is not finite")
        }
        return values
    }

    private func vector(_ values: [Float], _ path: String) throws(ModelError) -> Vector {
        guard let vector = Vector(values) else { throw ModelError("tensor \(path): is empty") }
        parameterCount += vector.count
        byteCount += vector.memory.count
        return vector
    }

    /// The matrix at `path`: in MLX's form if the file has scales for it, else of floats or blocks.
    /// - Parameters:
    ///   - interleaved: heads whose rows are to be put in order.
    ///   - readsRows: whether kernels read rows of it, and it therefore stays in the form that the file has.
    func matrix(
        _ path: String,
        rows: Int,
        columns: Int,
        interleaved: InterleavedHeads? = nil,
        readsRows: Bool = false
    ) throws(ModelError) -> Matrix {
        guard columns % 16 == 0, columns <= 1 << 18, 1...Int(Int32.max) ~= rows else {
            throw ModelError(
                "tensor \(path).weight: [\(rows), \(columns)]: a multiple of 16 columns, up to \(1 << 18), is expected"
            )
        }
        let scales = tensors["\(path).scales"]
        let matrix =
            switch scales?.type {
            case nil: try plain(path, rows, columns, interleaved, readsRows)
            case .uint8: try float4(path, rows, columns, interleaved, readsRows)
            default: try affine(path, rows, columns, interleaved, readsRows)
            }
        parameterCount += matrix.parameterCount
        byteCount += matrix.byteCount
        if !readsRows { mostColumns = max(mostColumns, columns) }
        return matrix
    }

    private func plain(
        _ path: String,
        _ rows: Int,
        _ columns: Int,
        _ interleaved: InterleavedHeads?,
        _ readsRows: Bool
    ) throws(ModelError) -> Matrix {
        if shape(of: "\(path).weight_scale_inv") != nil {
            return try float8(path, rows, columns, interleaved, readsRows)
        }
        let isTransposed = transposedPaths.contains(path)
        let types = isTransposed ? TensorType.floats : TensorType.matrices
        // A GGUF file has a matrix of one row without its first dimension.
        let isRow = rows == 1 && shape(of: "\(path).weight") == [columns]
        let shape = isTransposed ? [columns, rows] : isRow ? [columns] : [rows, columns]
        let stored = try tensors.tensor("\(path).weight", types, shape: shape)
        let tensor = isTransposed ? stored.transposed(on: compute) : stored
        return try plain(tensor, rows, columns, interleaved, readsRows, form: tensor.type.formName)
    }

    /// - Parameter tensor: of a type that the kernels know.
    private func plain(
        _ tensor: Tensor,
        _ rows: Int,
        _ columns: Int,
        _ interleaved: InterleavedHeads?,
        _ readsRows: Bool,
        form: String
    ) throws(ModelError) -> Matrix {
        let ordered = tensor.rowsInOrder(interleaved)
        let weights = tensor.type == .float32 ? ordered.aligned() : ordered
        var view = ck_matrix()
        view.format = tensor.type.format
        view.rows = Int32(rows)
        view.columns = Int32(columns)
        view.row_bytes = weights.count / rows
        view.weights = weights.bytes.baseAddress
        return try checked(Matrix(view, memory: [weights]), form: form, tensor, readsRows)
    }

    /// A matrix of floats of 8 bits, in DeepSeek's form: with a factor for each square of rows and columns.
    private func float8(
        _ path: String,
        _ rows: Int,
        _ columns: Int,
        _ interleaved: InterleavedHeads?,
        _ readsRows: Bool
    ) throws(ModelError) -> Matrix {
        let name = "\(path).weight_scale_inv"
        guard let block = quantization.float8Block else {
            throw ModelError("tensor \(name): config.json does not say which weights have a factor in common")
        }
        let codes = try tensors.tensor("\(path).weight", [.float8e4m3], shape: [rows, columns])
        let shape = [(rows + block - 1) / block, (columns + block - 1) / block]
        let factors = try tensors.tensor(name, TensorType.floats, shape: shape)
        let tensor = codes.decodedFloat8(factors.floats(), block: block, on: compute)
        return try plain(tensor, rows, columns, interleaved, readsRows, form: "float8 (held as bfloat16)")
    }

    private func affine(
        _ path: String,
        _ rows: Int,
        _ columns: Int,
        _ interleaved: InterleavedHeads?,
        _ readsRows: Bool
    ) throws(ModelError) -> Matrix {
        guard let quantization = quantization[stacks[path] ?? path] else {
            throw ModelError("tensor \(path).scales: config.json does not say how it is quantised")
        }
        let (bits, group) = (quantization.bits, quantization.groupSize)
        guard columns % group == 0 else {
            throw ModelError(
                "tensor \(path).weight: \(columns) columns; a multiple of the group size \(group) is expected"
            )
        }
        let codes = try tensors.tensor("\(path).weight", [.uint32], shape: [rows, columns / 32 * bits])
        let factors = try tensors.tensor("\(path).scales", TensorType.floats, shape: [rows, columns / group])
        let offsets = try tensors.tensor("\(path).biases", [factors.type], shape: [rows, columns / group])
        let (weights, scales) = (codes.rowsInOrder(interleaved), factors.rowsInOrder(interleaved))
        let biases = offsets.rowsInOrder(interleaved)
        var view = ck_matrix()
        view.format = CK_AFFINE
        view.rows = Int32(rows)
        view.columns = Int32(columns)
        view.row_bytes = weights.count / rows
        view.weights = weights.bytes.baseAddress
        view.bits = Int32(bits)
        view.group = Int32(group)
        view.scale_format = factors.type.format
        view.scales = scales.bytes.baseAddress
        view.biases = biases.bytes.baseAddress
        let matrix = Matrix(view, memory: [weights, scales, biases])
        return try checked(matrix, form: "MLX \(bits)-bit, group \(group)", factors, readsRows)
    }

    /// A matrix of floats of 4 bits, of which OpenAI's files and MLX's have the codes and the scales by themselves.
    private func float4(
        _ path: String,
        _ rows: Int,
        _ columns: Int,
        _ interleaved: InterleavedHeads?,
        _ readsRows: Bool
    ) throws(ModelError) -> Matrix {
        guard columns % 32 == 0 else {
            throw ModelError("tensor \(path).scales: \(columns) columns; a multiple of 32 is expected")
        }
        let groups = columns / 32
        let codes =
            tensors["\(path).blocks"] != nil
            ? try tensors.tensor("\(path).blocks", [.uint8], shape: [rows, groups, 16])
            : try tensors.tensor("\(path).weight", [.uint32], shape: [rows, groups * 4])
        let exponents = try tensors.tensor("\(path).scales", [.uint8], shape: [rows, groups])
        let (weights, scales) = (codes.rowsInOrder(interleaved), exponents.rowsInOrder(interleaved))
        var view = ck_matrix()
        view.format = CK_FLOAT4
        view.rows = Int32(rows)
        view.columns = Int32(columns)
        view.row_bytes = columns / 2
        view.weights = weights.bytes.baseAddress
        view.scales = scales.bytes.baseAddress
        let form = TensorType.mxfp4.rawValue
        return try checked(Matrix(view, memory: [weights, scales]), form: form, codes, readsRows)
    }

    /// Reads the matrix once, so that it is in memory when it is needed, and refuses it if it holds an infinity or what
    /// is not a number: one would spoil the answers of all sessions of a step.
    /// - Parameter tensor: to name in messages.
    private func checked(
        _ matrix: Matrix,
        form: String,
        _ tensor: Tensor,
        _ readsRows: Bool
    ) throws(ModelError) -> Matrix {
        matrix.prefetch()
        guard ck_compute_reserve(compute.handle, matrix.columns) else {
            throw ModelError("\(tensor.label): no memory for rows of \(matrix.columns) columns")
        }
        let row = withUnsafePointer(to: matrix.view) { ck_first_nonfinite_row(compute.handle, $0) }
        guard row < 0 else { throw ModelError("\(tensor.label): row \(row) holds a value that is not finite") }
        guard packing, !readsRows, let packed = matrix.packed(on: compute, in: packedMemory) else {
            forms[form, default: 0] += matrix.byteCount
            return matrix
        }
        let isWider = packed.byteCount > matrix.byteCount + matrix.byteCount / 8
        forms[isWider ? "\(form) (held in \(packed.view.bits) bits)" : form, default: 0] += packed.byteCount
        return packed
    }
}

extension TensorType {
    /// How the kernels name the type, which must be one of floats or blocks.
    fileprivate var format: ck_format {
        switch self {
        case .float32: CK_F32
        case .float16: CK_F16
        case .bfloat16: CK_BF16
        case .q4_0: CK_Q4_0
        case .q4_1: CK_Q4_1
        case .q5_0: CK_Q5_0
        case .q5_1: CK_Q5_1
        case .q8_0: CK_Q8_0
        case .q2_k: CK_Q2_K
        case .q3_k: CK_Q3_K
        case .q4_k: CK_Q4_K
        case .q5_k: CK_Q5_K
        case .q6_k: CK_Q6_K
        case .iq4_nl: CK_IQ4_NL
        case .iq4_xs: CK_IQ4_XS
        case .mxfp4: CK_MXFP4
        // The reader asks only for the types above.
        case .uint32, .float64, .float8e4m3, .float8e5m2, .float8e8m0, .int64, .uint64, .int32, .int16, .uint16, .int8,
            .uint8, .bool:
            CK_F32
        }
    }

    /// For people.
    fileprivate var formName: String {
        switch self {
        case .float32: "float32"
        case .float16: "float16"
        case .bfloat16: "bfloat16"
        default: rawValue
        }
    }
}
