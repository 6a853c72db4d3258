import CKernels
import ModelFiles

/// Binds the tensors of a model file to matrices and vectors, and counts what it has bound.
final class WeightReader {
    private var tensors: TensorDirectory
    /// The stack that a matrix was taken from, by its path.
    private var stacks: [String: String] = [:]
    private let configuration: ModelConfiguration
    private let progress: (Double) -> Void
    private(set) var parameterCount = 0
    private(set) var byteCount = 0
    /// The forms of matrices met, for people.
    private(set) var forms: Set<String> = []

    init(_ tensors: TensorDirectory, _ configuration: ModelConfiguration, progress: @escaping (Double) -> Void) {
        self.tensors = tensors
        self.configuration = configuration
        self.progress = progress
    }

    func report(_ fraction: Double) { progress(fraction) }

    /// Whether there is a matrix at `path`.
    func has(_ path: String) -> Bool { tensors["\(path).weight"] != nil }
    func hasBias(_ path: String) -> Bool { tensors["\(path).bias"] != nil }

    /// - Parameter offset: added to the weights, in models that keep them relative to it.
    func norm(_ path: String, _ count: Int, offset: Float = 0) throws(ModelError) -> Norm {
        let weight = try vector([(name: "\(path).weight", count: count)], offset: offset)
        return Norm(weight: weight, epsilon: configuration.normEpsilon)
    }

    /// Several vectors, one after another.
    func vector(_ parts: [(name: String, count: Int)], offset: Float = 0) throws(ModelError) -> Vector {
        var values: [Float] = []
        for part in parts {
            values += try floats(part.name, shape: [part.count])
        }
        guard let vector = Vector(offset == 0 ? values : values.map { $0 + offset }) else {
            throw ModelError("tensor \(parts.first?.name ?? "without a name"): is empty")
        }
        parameterCount += vector.count
        byteCount += vector.memory.count
        return vector
    }

    private func floats(_ name: String, shape: [Int]) throws(ModelError) -> [Float] {
        let tensor = try tensors.tensor(name, Self.floats, shape: shape)
        let values = tensor.floats()
        // One scale that is no number would spoil every answer; the time to say so is now.
        guard values.allSatisfy(\.isFinite) else {
            throw ModelError("\(tensor.file): tensor \(name): has a value that is not a finite number")
        }
        return values
    }

    private func vector(_ name: String, shape: [Int]) throws(ModelError) -> Vector {
        guard let vector = Vector(try floats(name, shape: shape)) else { throw ModelError("tensor \(name): is empty") }
        return vector
    }

    /// The matrix at `path`: quantised if the file has scales for it, else of floats.
    func matrix(_ path: String, rows: Int, columns: Int) throws(ModelError) -> Matrix {
        guard columns % 16 == 0, rows <= Int32.max, columns <= 1 << 22 else {
            throw ModelError("tensor \(path).weight: [\(rows), \(columns)]: a multiple of 16 columns is expected")
        }
        let matrix =
            tensors["\(path).scales"] != nil
            ? try quantized(path, rows, columns) : try plain(path, rows, columns)
        parameterCount += matrix.parameterCount
        byteCount += matrix.byteCount
        return matrix
    }

    /// Whether the tensor at `path` is a stack of matrices.
    func isStack(_ path: String) -> Bool { (tensors["\(path).weight"] ?? tensors[path])?.shape.count == 3 }

    /// Makes the matrices of a stack [count, rows, columns] readable one by one.
    /// - Parameter element: the path to give to each.
    func unstack(_ path: String, count: Int, as element: (Int) -> String) throws(ModelError) {
        for suffix in ["", ".weight", ".scales", ".biases"] {
            guard let stack = tensors[path + suffix] else { continue }
            guard stack.shape.count == 3, stack.shape[0] == count else {
                throw ModelError(
                    "\(stack.file): tensor \(stack.name): has shape \(stack.shape); \(count) matrices are expected"
                )
            }
            for index in 0..<count {
                tensors.add(stack.element(index), as: element(index) + (suffix.isEmpty ? ".weight" : suffix))
                stacks[element(index)] = path
            }
        }
    }

    private static let floats: [TensorType] = [.float32, .float16, .bfloat16]

    private func plain(_ path: String, _ rows: Int, _ columns: Int) throws(ModelError) -> Matrix {
        let tensor = try tensors.tensor("\(path).weight", Self.floats, shape: [rows, columns])
        let format: ck_format
        switch tensor.type {
        case .float32: (format, _) = (CK_F32, forms.insert("float32"))
        case .float16: (format, _) = (CK_F16, forms.insert("float16"))
        case .bfloat16, .uint32: (format, _) = (CK_BF16, forms.insert("bfloat16"))
        }
        let weights = tensor.bytes.aligned()
        return Matrix(
            ck_matrix(
                format: format,
                rows: Int32(rows),
                columns: Int32(columns),
                group: 0,
                weights: weights.bytes.baseAddress,
                scales: nil,
                biases: nil
            ),
            memory: [weights]
        )
    }

    private func quantized(_ path: String, _ rows: Int, _ columns: Int) throws(ModelError) -> Matrix {
        guard let quantization = configuration.quantization(of: stacks[path] ?? path) else {
            throw ModelError("tensor \(path).scales: config.json does not say how it is quantised")
        }
        let (bits, group) = (quantization.bits, quantization.groupSize)
        guard columns % group == 0 else {
            throw ModelError(
                "tensor \(path).weight: \(columns) columns; a multiple of the group size \(group) is expected"
            )
        }
        let weights = try tensors.tensor("\(path).weight", [.uint32], shape: [rows, columns * bits / 32]).bytes
        let scales = try vector("\(path).scales", shape: [rows, columns / group])
        let biases = try vector("\(path).biases", shape: [rows, columns / group])
        forms.insert("MLX \(bits)-bit, group \(group)")
        return Matrix(
            ck_matrix(
                format: bits == 4 ? CK_AFFINE4 : CK_AFFINE8,
                rows: Int32(rows),
                columns: Int32(columns),
                group: Int32(group),
                weights: weights.bytes.baseAddress,
                scales: scales.start,
                biases: biases.start
            ),
            memory: [weights, scales.memory, biases.memory]
        )
    }
}

extension Tensor {
    /// The values as float32. The tensor must be of floats.
    fileprivate func floats() -> [Float] {
        let bytes = bytes.bytes
        let count = bytes.count / type.byteCount
        switch type {
        case .float32, .uint32:
            return (0..<count).map { Float(bitPattern: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)) }
        case .float16:
            return (0..<count).map {
                Float(Float16(bitPattern: bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)))
            }
        case .bfloat16:
            return (0..<count).map {
                Float(bitPattern: UInt32(bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)) << 16)
            }
        }
    }
}

extension FileBytes {
    /// The same bytes at an address that suits floats; old files have them anywhere.
    fileprivate func aligned() -> FileBytes {
        guard let start = bytes.baseAddress, UInt(bitPattern: start) % 4 != 0 else { return self }
        return FileBytes(copying: bytes)
    }
}
