import Testing

@testable import ModelFiles

/// Memory for many short pieces.
@Suite struct SharedMemoryTests {
    @Test("Pieces keep what they were filled with, begin at multiples of 64, and lie side by side where they are short")
    func pieces() throws {
        let memory = SharedMemory()
        // More than a stretch holds, with one between them that has memory of its own.
        let counts = [1, 64, 1000, 5 << 20, 9 << 20, 63] + [Int](repeating: 7 << 20, count: 9) + [100]
        let pieces = counts.enumerated().map { index, count in
            memory.bytes(count: count) { $0.initializeMemory(as: UInt8.self, repeating: UInt8(index + 1)) }
        }
        for (index, piece) in pieces.enumerated() {
            #expect(piece.count == counts[index])
            let places = [0, piece.count / 2, piece.count - 1]
            #expect(places.allSatisfy { piece.bytes[$0] == index + 1 }, "piece \(index)")
            #expect(Int(bitPattern: piece.bytes.baseAddress) % 64 == 0)
        }
        let starts = pieces.map { Int(bitPattern: $0.bytes.baseAddress) }
        #expect(starts[1] - starts[0] == 64)
        #expect(starts[2] - starts[1] == 64)
        #expect(starts[3] - starts[2] == 1024)
        #expect(starts[5] - starts[3] == 5 << 20)
    }
}
