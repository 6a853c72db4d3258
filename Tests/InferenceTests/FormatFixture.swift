import CKernels
import ModelFiles
import Testing

@testable import Inference

/// Random rows in every form of weights, with the values that the forms' own packages give them.
struct FormatFixture {
    /// A form by name, and the matrix [2, 256] in it.
    struct Form: Sendable, CustomTestStringConvertible {
        let name: String
        let matrix: Matrix
        let values: [Float]

        var testDescription: String { name }
    }

    static let mlx = [2, 3, 4, 5, 6, 8].flatMap { bits in [32, 64, 128].map { (bits: bits, group: $0) } }

    static func forms(packing: Bool = false) throws -> [Form] {
        let source = ModelSource.folder(try Fixture.path(""))
        let tensors = try Safetensors(source.requiredFile("formats.safetensors"), label: "formats").tensors
        let reader = try WeightReader(
            TensorDirectory(
                tensors: tensors.merging(blocks(of: tensors)) { $1 }.merging(try float4(of: tensors)) { $1 }
            ),
            quantization(),
            packing: packing,
            progress: { _ in }
        )
        let names = TensorType.blocks.map(\.rawValue) + mlx.map { "MLX.\($0.bits).\($0.group)" } + ["FLOAT4"]
        return try names.map { name in
            let bytes = try #require(tensors["\(name == "FLOAT4" ? "MXFP4" : name).values"]).bytes.bytes
            return Form(
                name: name,
                matrix: try reader.matrix(name, rows: 2, columns: 256),
                values: (0..<512).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
            )
        }
    }

    /// The fixture has blocks as bytes, for want of a name in safetensors.
    private static func blocks(of tensors: [String: Tensor]) -> [String: Tensor] {
        var result: [String: Tensor] = [:]
        for type in TensorType.blocks {
            let name = "\(type.rawValue).weight"
            guard let bytes = tensors[name]?.bytes else { continue }
            result[name] = Tensor(name: name, type: type, shape: [2, 256], bytes: bytes, file: "formats")
        }
        return result
    }

    /// The values of MXFP4 as files other than GGUF's have them: codes in the order of columns, and exponents, by
    /// themselves.
    private static func float4(of tensors: [String: Tensor]) throws -> [String: Tensor] {
        let blocks = try #require(tensors["MXFP4.weight"]).bytes.array
        var (codes, exponents): ([UInt8], [UInt8]) = ([], [])
        for start in stride(from: 0, to: blocks.count, by: 17) {
            let pairs = blocks[(start + 1)...].prefix(16)
            let columns = pairs.map { $0 & 15 } + pairs.map { $0 >> 4 }
            codes += stride(from: 0, to: 32, by: 2).map { columns[$0] | columns[$0 + 1] << 4 }
            exponents.append(blocks[start])
        }
        func tensor(_ name: String, _ shape: [Int], _ bytes: [UInt8]) -> Tensor {
            Tensor(name: name, type: .uint8, shape: shape, bytes: FileBytes(copying: bytes), file: "formats")
        }
        return [
            "FLOAT4.blocks": tensor("FLOAT4.blocks", [2, 8, 16], codes),
            "FLOAT4.scales": tensor("FLOAT4.scales", [2, 8], exponents),
        ]
    }

    private static func quantization() throws -> MLXQuantization {
        let layers = mlx.map { "\"MLX.\($0.bits).\($0.group)\": {\"bits\": \($0.bits), \"group_size\": \($0.group)}" }
        let json = """
            {"quantization": {"bits": 4, "group_size": 64, \(layers.joined(separator: ", "))}}
            """
        let source = ModelSource.memory(["config.json": FileBytes(copying: Array(json.utf8))])
        return try MLXQuantization(ModelFields(source: source))
    }
}
