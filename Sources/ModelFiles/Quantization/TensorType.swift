/// The kinds of numbers that tensors are stored in, by the names that safetensors and GGUF give them.
package enum TensorType: String, Sendable, CaseIterable {
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"

    /// Words of MLX's packed weights.
    case uint32 = "U32"

    // Blocks of GGUF; Sources/CKernels/weights.inc says what is in them.
    case q4_0 = "Q4_0"
    case q4_1 = "Q4_1"
    case q5_0 = "Q5_0"
    case q5_1 = "Q5_1"
    case q8_0 = "Q8_0"
    case q2_k = "Q2_K"
    case q3_k = "Q3_K"
    case q4_k = "Q4_K"
    case q5_k = "Q5_K"
    case q6_k = "Q6_K"
    case iq4_nl = "IQ4_NL"
    case iq4_xs = "IQ4_XS"
    case mxfp4 = "MXFP4"

    // Of no use as weights here, but known, so that a file that has such a tensor beside the weights can be read.
    case float64 = "F64"
    case float8e4m3 = "F8_E4M3"
    case float8e5m2 = "F8_E5M2"
    case float8e8m0 = "F8_E8M0"
    case int64 = "I64"
    case uint64 = "U64"
    case int32 = "I32"
    case int16 = "I16"
    case uint16 = "U16"
    case int8 = "I8"
    case uint8 = "U8"
    case bool = "BOOL"

    /// The kinds that are floats.
    package static let floats: [TensorType] = [.float32, .float16, .bfloat16]
    /// The kinds that are blocks of columns.
    package static let blocks: [TensorType] = allCases.filter { $0.blockCount > 1 }
    /// The kinds that a matrix of weights may have by itself.
    package static let matrices = floats + blocks

    /// The type of a tensor in a safetensors file.
    init?(safetensors name: String) {
        guard let type = TensorType(rawValue: name), type.blockCount == 1 else { return nil }
        self = type
    }

    /// How many values, neighbours in a row, are stored together.
    package var blockCount: Int {
        switch self {
        case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .iq4_nl, .mxfp4: 32
        case .q2_k, .q3_k, .q4_k, .q5_k, .q6_k, .iq4_xs: 256
        default: 1
        }
    }

    /// The bytes of one block; of one value where there are no blocks.
    package var blockBytes: Int {
        switch self {
        case .float64, .int64, .uint64: 8
        case .float32, .uint32, .int32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        case .float8e4m3, .float8e5m2, .float8e8m0, .int8, .uint8, .bool: 1
        case .q4_0, .iq4_nl: 18
        case .q4_1: 20
        case .q5_0: 22
        case .q5_1: 24
        case .q8_0: 34
        case .mxfp4: 17
        case .q2_k: 84
        case .q3_k: 110
        case .q4_k: 144
        case .q5_k: 176
        case .q6_k: 210
        case .iq4_xs: 136
        }
    }

    /// The bytes of a tensor of this shape; nil if that is no whole number of blocks in each row, or beyond 64 bits.
    package func byteCount(shape: [Int]) -> Int? {
        guard shape.allSatisfy({ $0 >= 0 }), (shape.last ?? 1) % blockCount == 0 else { return nil }
        var count = blockBytes
        for size in shape.dropLast() + [(shape.last ?? 1) / blockCount] {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            if overflow { return nil }
            count = product
        }
        return count
    }
}

extension [TensorType] {
    /// For messages: "F32, F16 or BF16".
    var names: String {
        if self == TensorType.matrices { return "\(TensorType.floats.names) or a block type of GGUF" }
        guard let last else { return "" }
        if count == 1 { return last.rawValue }
        return dropLast().map(\.rawValue).joined(separator: ", ") + " or " + last.rawValue
    }
}
