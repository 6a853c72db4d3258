import CKernels
import ModelFiles

/// What is in a tensor, in the form that the Hugging Face form of the model has.
extension Tensor {
    /// The values as float32. The tensor must be of floats.
    func floats(_ interleaved: InterleavedHeads? = nil) -> [Float] {
        let ordered = rowsInOrder(interleaved)
        return withExtendedLifetime(ordered) { floats(ordered.bytes) }
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
    func rowsInOrder(_ interleaved: InterleavedHeads?) -> FileBytes {
        guard let (count, size) = interleaved.map({ ($0.count, $0.size) }), let rows = shape.first, rows > 0,
            size % 2 == 0, count * size <= rows
        else { return bytes }
        let (rowBytes, half) = (bytes.count / rows, size / 2)
        let ordered = FileBytes(count: bytes.count) { memory in
            memory.copyBytes(from: bytes.bytes)
            for row in 0..<(count * size) {
                let (head, place) = (row / size, row % size)
                let from = (head * size + place % half * 2 + place / half) * rowBytes
                UnsafeMutableRawBufferPointer(rebasing: memory[(row * rowBytes)..<((row + 1) * rowBytes)])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.bytes[from..<(from + rowBytes)]))
            }
        }
        bytes.release()
        return ordered
    }
}

extension Tensor {
    /// The transposed matrix of a matrix of floats.
    func transposed(on compute: Compute) -> Tensor {
        let (rows, columns, size) = (shape[0], shape[1], type.blockBytes)
        let aligned = bytes.aligned()
        aligned.prefetch()
        let transposed = FileBytes(count: aligned.count) { memory in
            ck_transpose(compute.handle, aligned.bytes.baseAddress, rows, columns, size, memory.baseAddress)
        }
        bytes.release()
        return Tensor(name: name, type: type, shape: [columns, rows], bytes: transposed, file: file, origin: origin)
    }
}

extension Tensor {
    /// The matrix of floats of 8 bits as one of bfloat16.
    /// - Parameter factors: of each square of `block` rows and columns, row by row.
    func decodedFloat8(_ factors: [Float], block: Int, on compute: Compute) -> Tensor {
        bytes.prefetch()
        let decoded = FileBytes(count: 2 * bytes.count) { memory in
            ck_decode_float8(
                compute.handle,
                bytes.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
                Int32(shape[0]),
                Int32(shape[1]),
                factors,
                Int32(block),
                memory.baseAddress?.assumingMemoryBound(to: UInt16.self)
            )
        }
        bytes.release()
        return Tensor(name: name, type: .bfloat16, shape: shape, bytes: decoded, file: file, origin: origin)
    }
}

/// Heads, the first of a matrix of q or k, whose rows a file has interleaved: the first row of one half of the head, the
/// first of the other, the second of one …; the halves are those that are rotated against each other, or gate and up.
struct InterleavedHeads {
    let count: Int
    let size: Int
}

extension FileBytes {
    /// The same bytes at an address that suits floats; old files have them anywhere.
    func aligned() -> FileBytes {
        guard let start = bytes.baseAddress, UInt(bitPattern: start) % 4 != 0 else { return self }
        return FileBytes(copying: bytes)
    }
}
