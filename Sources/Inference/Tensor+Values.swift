import ModelFiles

/// What is in a tensor, in the form that the Hugging Face form of the model has.
extension Tensor {
    /// The values as float32. The tensor must be of floats.
    func floats() -> [Float] {
        let ordered = rowsInOrder()
        let values = withExtendedLifetime(ordered) { floats(ordered.bytes) }
        return adjustment == .subtractOne ? values.map { $0 - 1 } : values
    }

    private func floats(_ bytes: UnsafeRawBufferPointer) -> [Float] {
        let count = bytes.count / type.blockBytes
        switch type {
        case .float16:
            return (0..<count).map {
                Float(Float16(bitPattern: bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)))
            }
        case .bfloat16:
            return (0..<count).map {
                Float(bitPattern: UInt32(bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)) << 16)
            }
        default:
            return (0..<count).map { Float(bitPattern: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)) }
        }
    }

    /// The bytes with the rows in order; a copy only where the file has them in another.
    func rowsInOrder() -> FileBytes {
        guard case .separateHalves(let heads, let headSize) = adjustment, let rows = shape.first, rows > 0,
            headSize % 2 == 0, heads * headSize <= rows
        else { return bytes }
        let (rowBytes, half) = (bytes.count / rows, headSize / 2)
        let ordered = FileBytes(count: bytes.count) { memory in
            memory.copyBytes(from: bytes.bytes)
            for row in 0..<(heads * headSize) {
                let (head, place) = (row / headSize, row % headSize)
                let from = (head * headSize + place % half * 2 + place / half) * rowBytes
                UnsafeMutableRawBufferPointer(rebasing: memory[(row * rowBytes)..<((row + 1) * rowBytes)])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.bytes[from..<(from + rowBytes)]))
            }
        }
        bytes.release()
        return ordered
    }
}

extension FileBytes {
    /// The same bytes at an address that suits floats; old files have them anywhere.
    func aligned() -> FileBytes {
        guard let start = bytes.baseAddress, UInt(bitPattern: start) % 4 != 0 else { return self }
        return FileBytes(copying: bytes)
    }
}
