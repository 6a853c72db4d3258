import CKernels
import EngineContract
import Foundation
import ModelFiles
import Support
import Testing

@testable import Inference

/// What becomes of matrices when they are loaded.
@Suite struct LoadingKernelTests {
    @Test(
        "A transposed matrix has each element in its place, whatever its sides and the size of its elements",
        arguments: [(1, 1), (64, 64), (65, 63), (3, 200), (200, 3), (130, 257)],
        [TensorType.bfloat16, .float32]
    )
    func transposed(sides: (Int, Int), type: TensorType) throws {
        let ((rows, columns), size) = (sides, type.blockBytes)
        var generator = SeededGenerator(seed: 3)
        let bytes = (0..<(rows * columns * size)).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        // At any address, as in a file.
        let file = FileBytes(copying: [0] + bytes)
        let tensor = Tensor(
            name: "x",
            type: type,
            shape: [rows, columns],
            bytes: file.slice(1..<file.count),
            file: "f"
        )
        let transposed = tensor.transposed(on: try Compute(threads: 2, precise: false))
        #expect(transposed.shape == [columns, rows] && transposed.type == type)
        var expected: [UInt8] = []
        for column in 0..<columns {
            for row in 0..<rows { expected += bytes[((row * columns + column) * size)...].prefix(size) }
        }
        #expect(transposed.bytes.array == expected)
    }

    @Test("Floats of 8 bits, with factors for squares, are the bfloat16 that torch makes of them")
    func float8() throws {
        let path = try Fixture.path("float8.safetensors")
        let file = try #require(try FileBytes(contentsOf: path))
        let tensors = try Safetensors(file, label: "float8").tensors
        let (codes, factors) = (try #require(tensors["weight"]), try #require(tensors["weight_scale_inv"]))
        let expected = try #require(tensors["expected"])
        // Partly filled squares at both ends.
        #expect(codes.shape[0] % 16 != 0 && codes.shape[1] % 32 != 0)
        let decoded = codes.decodedFloat8(factors.floats(), block: 32, on: try Compute(threads: 2, precise: false))
        #expect(decoded.type == .bfloat16 && decoded.shape == expected.shape)
        let (values, others) = (decoded.floats(), expected.floats())
        #expect(values.count == others.count && values.contains { $0.isNaN } && values.contains { $0 == 448 })
        let same = zip(values, others).map { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN }
        #expect(same.firstIndex(of: false) == nil)
    }

    @Test("A factor that is not a number makes what is not, whatever its bits")
    func float8Spoiled() throws {
        // Of ones.
        let codes = Tensor(
            name: "x",
            type: .float8e4m3,
            shape: [1, 16],
            bytes: FileBytes(copying: [UInt8](repeating: 0x38, count: 16)),
            file: "f"
        )
        let compute = try Compute(threads: 1, precise: false)
        for factor in [Float.nan, Float(bitPattern: 0x7FFF_FFFF), Float(bitPattern: 0xFFFF_FFFF)] {
            #expect(codes.decodedFloat8([factor], block: 16, on: compute).floats().allSatisfy { $0.isNaN })
        }
    }

    @Test("A model whose matrices are floats of 8 bits says what the same in bfloat16 says")
    func float8Model() async throws {
        func model(_ name: String) throws -> LoadedModel { try loadModel(from: .folder(Fixture.path(name))) }
        let (packed, plain) = (try model("qwen3-float8"), try model("qwen3-float8/decoded"))
        #expect(packed.quantization.contains("float8 (held as bfloat16)"))
        #expect(packed.parameterCount == plain.parameterCount)
        let tokens: [Token] = [3, 17, 4, 60, 9]
        let logits = try await Engine.make(packed).logits(of: tokens)
        #expect(identical(logits, try await Engine.make(plain).logits(of: tokens)))
    }

    @Test("Factors of another shape, codes of another type and squares of no size are errors that name the tensor")
    func float8Refusals() throws {
        func model(_ change: (inout [String: Any], inout [String: Any]) -> Void) throws {
            let folder = try Fixture.path("qwen3-float8")
            let config = try Data(contentsOf: URL(fileURLWithPath: folder + "/config.json"))
            let weights = try Data(contentsOf: URL(fileURLWithPath: folder + "/model.safetensors"))
            let length = Int(weights.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
            func object(_ data: Data) throws -> [String: Any] {
                try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            }
            var (fields, header) = (try object(config), try object(weights[8..<(8 + length)]))
            change(&fields, &header)
            let head = try JSONSerialization.data(withJSONObject: header)
            let count = withUnsafeBytes(of: UInt64(head.count)) { Data($0) }
            _ = try loadModel(
                from: .memory([
                    "config.json": FileBytes(copying: try JSONSerialization.data(withJSONObject: fields)),
                    "model.safetensors": FileBytes(copying: count + head + weights[(8 + length)...]),
                    "tokenizer.json": FileBytes(copying: Array("{}".utf8)),
                ])
            )
        }
        try model { _, _ in }
        let name = "model.layers.0.mlp.up_proj.weight"
        func expectError(_ words: String, _ change: @escaping (inout [String: Any], inout [String: Any]) -> Void) {
            let error = #expect(throws: ModelError.self) { try model(change) }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "none")")
        }
        expectError("weight_scale_inv: config.json") { fields, _ in fields["quantization_config"] = nil }
        expectError("\(name)_scale_inv") { _, header in
            var factors = header["\(name)_scale_inv"] as? [String: Any] ?? [:]
            factors["shape"] = (factors["shape"] as? [Int]).map { Array($0.reversed()) }
            header["\(name)_scale_inv"] = factors
        }
        expectError(name) { _, header in
            var codes = header[name] as? [String: Any] ?? [:]
            codes["dtype"] = "I8"
            header[name] = codes
        }
    }
}
