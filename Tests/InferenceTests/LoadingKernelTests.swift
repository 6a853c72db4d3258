import CKernels
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
        let result = transposed.bytes.array
        for row in 0..<rows {
            for column in 0..<columns {
                let (from, to) = ((row * columns + column) * size, (column * rows + row) * size)
                #expect(bytes[from..<(from + size)] == result[to..<(to + size)], "\(row), \(column)")
            }
        }
    }
}
