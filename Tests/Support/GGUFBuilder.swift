/// Writes GGUF files for tests, also wrong ones.
package struct GGUFBuilder: Sendable {
    /// A value of the metadata, of each kind that the format has.
    package indirect enum Value: Sendable {
        case uint8(UInt8)
        case int8(Int8)
        case uint16(UInt16)
        case int16(Int16)
        case uint32(UInt32)
        case int32(Int32)
        case float32(Float)
        case bool(Bool)
        case string(String)
        /// Elements of the kind of `of`, which itself is not written.
        case array(of: Value, [Value])
        case uint64(UInt64)
        case int64(Int64)
        case float64(Double)
        /// A number for a kind, and bytes for a value.
        case raw(kind: UInt32, [UInt8])

        var kind: UInt32 {
            switch self {
            case .uint8: 0
            case .int8: 1
            case .uint16: 2
            case .int16: 3
            case .uint32: 4
            case .int32: 5
            case .float32: 6
            case .bool: 7
            case .string: 8
            case .array: 9
            case .uint64: 10
            case .int64: 11
            case .float64: 12
            case .raw(let kind, _): kind
            }
        }

        var bytes: [UInt8] {
            switch self {
            case .uint8(let value): [value]
            case .int8(let value): [UInt8(bitPattern: value)]
            case .uint16(let value): littleEndian(value)
            case .int16(let value): littleEndian(value)
            case .uint32(let value): littleEndian(value)
            case .int32(let value): littleEndian(value)
            case .float32(let value): littleEndian(value.bitPattern)
            case .bool(let value): [value ? 1 : 0]
            case .string(let value): GGUFBuilder.string(value)
            case .array(let kind, let elements):
                littleEndian(kind.kind) + littleEndian(UInt64(elements.count)) + elements.flatMap(\.bytes)
            case .uint64(let value): littleEndian(value)
            case .int64(let value): littleEndian(value)
            case .float64(let value): littleEndian(value.bitPattern)
            case .raw(_, let bytes): bytes
            }
        }
    }

    package struct Tensor: Sendable {
        package var name: String
        /// From the outermost dimension.
        package var shape: [UInt64]
        /// As the format numbers types: 0 is F32.
        package var type: UInt32
        package var bytes: [UInt8]
        /// In the data; nil is where the tensors before it end.
        package var offset: UInt64?

        package init(_ name: String, _ shape: [UInt64], type: UInt32 = 0, bytes: [UInt8], offset: UInt64? = nil) {
            self.name = name
            self.shape = shape
            self.type = type
            self.bytes = bytes
            self.offset = offset
        }
    }

    package var magic = Array("GGUF".utf8)
    package var version: UInt32 = 3
    package var metadata: [(key: String, value: Value)]
    package var tensors: [Tensor]
    package var alignment = 32
    /// What the file says of how many there are, if not the truth.
    package var tensorCount: UInt64?
    package var valueCount: UInt64?

    package init(_ metadata: [(key: String, value: Value)] = [], tensors: [Tensor] = []) {
        self.metadata = metadata
        self.tensors = tensors
    }

    package var bytes: [UInt8] {
        var file = magic + littleEndian(version)
        file += littleEndian(tensorCount ?? UInt64(tensors.count)) + littleEndian(valueCount ?? UInt64(metadata.count))
        for (key, value) in metadata { file += Self.string(key) + littleEndian(value.kind) + value.bytes }
        var data: [UInt8] = []
        for tensor in tensors {
            file += Self.string(tensor.name) + littleEndian(UInt32(tensor.shape.count))
            file += tensor.shape.reversed().flatMap(littleEndian) + littleEndian(tensor.type)
            file += littleEndian(tensor.offset ?? UInt64(data.count))
            data += tensor.bytes
            data += [UInt8](repeating: 0, count: (alignment - data.count % alignment) % alignment)
        }
        return file + [UInt8](repeating: 0, count: (alignment - file.count % alignment) % alignment) + data
    }

    private static func string(_ text: String) -> [UInt8] { littleEndian(UInt64(text.utf8.count)) + Array(text.utf8) }
}

private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian, Array.init)
}
