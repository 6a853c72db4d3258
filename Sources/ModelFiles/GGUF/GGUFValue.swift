/// A value of a GGUF file's metadata: checked when the file is read, decoded only when asked for.
package struct GGUFValue: Sendable {
    /// The kinds of values, by their numbers in the file.
    enum Kind: UInt32 {
        case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

        /// The bytes of a value; nil where they vary.
        var byteCount: Int? {
            switch self {
            case .uint8, .int8, .bool: 1
            case .uint16, .int16: 2
            case .uint32, .int32, .float32: 4
            case .uint64, .int64, .float64: 8
            case .string, .array: nil
            }
        }
    }

    /// The kind of the value, or of the elements of the array.
    let kind: Kind
    /// How many elements, if it is an array.
    let count: Int?
    /// The value or the elements, as they lie in the file.
    let bytes: FileBytes

    // MARK: One value

    package var integer: Int? { count == nil ? integer(at: 0) : nil }
    package var number: Double? { count == nil ? number(at: 0) : nil }
    package var text: String? { count == nil ? strings(1)?.first : nil }

    package var flag: Bool? {
        guard count == nil, kind == .bool else { return nil }
        return bytes.bytes[0] != 0
    }

    // MARK: Arrays

    /// The elements, if they are whole numbers that fit.
    package var integers: [Int]? { elements(integer(at:)) }
    package var numbers: [Double]? { elements(number(at:)) }
    package var texts: [String]? { count.flatMap { strings($0) } }
    package var flags: [Bool]? { kind == .bool ? elements { load($0, as: UInt8.self) != 0 } : nil }

    /// How many elements an array has.
    package var elementCount: Int? { count }

    private func elements<Element>(_ element: (Int) -> Element?) -> [Element]? {
        guard let count, kind.byteCount != nil else { return nil }
        var result: [Element] = []
        result.reserveCapacity(count)
        for index in 0..<count {
            guard let value = element(index) else { return nil }
            result.append(value)
        }
        return result
    }

    private func load<Value: BitwiseCopyable>(_ index: Int, as type: Value.Type) -> Value {
        bytes.bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Value>.size, as: type)
    }

    private func integer(at index: Int) -> Int? {
        switch kind {
        case .uint8: Int(load(index, as: UInt8.self))
        case .int8: Int(load(index, as: Int8.self))
        case .uint16: Int(UInt16(littleEndian: load(index, as: UInt16.self)))
        case .int16: Int(Int16(littleEndian: load(index, as: Int16.self)))
        case .uint32: Int(UInt32(littleEndian: load(index, as: UInt32.self)))
        case .int32: Int(Int32(littleEndian: load(index, as: Int32.self)))
        case .uint64: Int(exactly: UInt64(littleEndian: load(index, as: UInt64.self)))
        case .int64: Int(Int64(littleEndian: load(index, as: Int64.self)))
        case .float32, .float64, .bool, .string, .array: nil
        }
    }

    private func number(at index: Int) -> Double? {
        switch kind {
        case .float32: Double(Float(bitPattern: UInt32(littleEndian: load(index, as: UInt32.self))))
        case .float64: Double(bitPattern: UInt64(littleEndian: load(index, as: UInt64.self)))
        default: integer(at: index).map(Double.init)
        }
    }

    /// Bytes that are no UTF-8 become replacement characters: a vocabulary may have such a token and be of use.
    private func strings(_ count: Int) -> [String]? {
        guard kind == .string else { return nil }
        var result: [String] = []
        result.reserveCapacity(count)
        var offset = 0
        for _ in 0..<count {
            let length = Int(UInt64(littleEndian: bytes.bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            let start = offset + 8
            offset = start + length
            result.append(String(decoding: bytes.bytes[start..<offset], as: UTF8.self))
        }
        return result
    }
}
