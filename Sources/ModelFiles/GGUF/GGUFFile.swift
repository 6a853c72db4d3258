/// A parsed GGUF file, version 2 or 3 (github.com/ggml-org/ggml, docs/gguf.md): one model, or one part of it.
///
///     "GGUF", version (4 bytes), tensor count, metadata count (8 bytes each)
///     metadata: key, type of value (4 bytes), value
///     tensors:  name, dimension count (4 bytes), dimensions from the innermost (8 bytes each), type (4 bytes),
///               offset in the data (8 bytes)
///     data:     begins at a multiple of `general.alignment`, as does every tensor in it
///
/// Strings have their length (8 bytes) before them; all numbers are little-endian. Every one is checked before it is used.
struct GGUFFile: Sendable {
    static let maxKeyBytes = 65_535
    static let maxNameBytes = 1024
    static let maxValues = 65_536
    private static let magic: UInt32 = 0x4655_4747

    let metadata: [String: GGUFValue]
    /// In the order of the file, by their own names.
    let tensors: [Tensor]

    /// - Parameter label: how messages name the file.
    init(_ file: FileBytes, label: String) throws(ModelError) {
        var cursor = GGUFCursor(file, label: label)
        guard file.count >= 4, try cursor.number(UInt32.self, "the magic number") == Self.magic else {
            throw ModelError("\(label): does not begin with \"GGUF\"")
        }
        let version = try cursor.number(UInt32.self, "the version")
        guard version == 2 || version == 3 else {
            // A version of another byte order has its number in the upper half.
            let order = version & 0xffff == 0 ? " in big-endian order" : ""
            throw ModelError("\(label): GGUF version \(version)\(order) is not supported; 2 and 3 are")
        }
        let tensorCount = try cursor.count(upTo: TensorDirectory.maxTensors, "the number of tensors")
        let valueCount = try cursor.count(upTo: Self.maxValues, "the number of metadata values")
        var metadata: [String: GGUFValue] = [:]
        for index in 0..<valueCount {
            let key = try cursor.name(upTo: Self.maxKeyBytes, "metadata key \(index)")
            let value = try cursor.value("metadata \(key)")
            guard metadata.updateValue(value, forKey: key) == nil else {
                throw ModelError("\(label): metadata \(key): occurs twice")
            }
        }
        let alignment = try Self.alignment(metadata, label: label)
        var items: [Item] = []
        for _ in 0..<tensorCount { items.append(try Item(&cursor, label: label)) }
        let dataStart = (cursor.position + alignment - 1) / alignment * alignment
        let data = file.slice(min(dataStart, file.count)..<file.count)
        self.metadata = metadata
        tensors = try Self.tensors(items, data: data, alignment: alignment, label: label)
    }

    private static func alignment(_ metadata: [String: GGUFValue], label: String) throws(ModelError) -> Int {
        guard let value = metadata["general.alignment"] else { return 32 }
        guard let alignment = value.integer, 1...65_536 ~= alignment, alignment & (alignment - 1) == 0 else {
            throw ModelError("\(label): metadata general.alignment: a power of two up to 65536 is expected")
        }
        return alignment
    }

    private static func tensors(
        _ items: [Item],
        data: FileBytes,
        alignment: Int,
        label: String
    ) throws(ModelError) -> [Tensor] {
        var tensors: [Tensor] = []
        var ranges: [(range: Range<Int>, name: String)] = []
        var names: Set<String> = []
        for item in items {
            guard names.insert(item.name).inserted else {
                throw ModelError("\(label): tensor \(item.name): occurs twice")
            }
            let range = try item.range(dataCount: data.count, alignment: alignment, label: label)
            ranges.append((range, item.name))
            tensors.append(
                Tensor(name: item.name, type: item.type, shape: item.shape, bytes: data.slice(range), file: label)
            )
        }
        ranges.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        for (one, next) in zip(ranges, ranges.dropFirst()) where next.range.lowerBound < one.range.upperBound {
            throw ModelError("\(label): tensor \(next.name): overlaps tensor \(one.name)")
        }
        return tensors
    }

    /// What the file says about a tensor.
    private struct Item {
        let name: String
        let type: TensorType
        /// From the outermost dimension.
        let shape: [Int]
        let offset: UInt64

        init(_ cursor: inout GGUFCursor, label: String) throws(ModelError) {
            name = try cursor.name(upTo: GGUFFile.maxNameBytes, "the name of a tensor")
            let dimensions = try cursor.number(UInt32.self, "the dimensions of tensor \(name)")
            guard 1...4 ~= dimensions else {
                throw ModelError("\(label): tensor \(name): has \(dimensions) dimensions; 1 to 4 are expected")
            }
            var shape: [Int] = []
            for _ in 0..<dimensions {
                let size = try cursor.count(upTo: Int.max, "a dimension of tensor \(name)")
                guard size > 0 else { throw ModelError("\(label): tensor \(name): has a dimension of 0") }
                shape.append(size)
            }
            self.shape = shape.reversed()
            let number = try cursor.number(UInt32.self, "the type of tensor \(name)")
            guard let type = TensorType(ggml: number) else {
                throw ModelError(
                    "\(label): tensor \(name): type \(TensorType.ggmlName(number)) is not supported; "
                        + "\(TensorType.floats.names), \(TensorType.blocks.names) is"
                )
            }
            self.type = type
            offset = try cursor.number(UInt64.self, "the offset of tensor \(name)")
        }

        /// Where the tensor lies in the data.
        func range(dataCount: Int, alignment: Int, label: String) throws(ModelError) -> Range<Int> {
            guard let count = type.byteCount(shape: shape) else {
                throw ModelError(
                    "\(label): tensor \(name): shape \(shape) is out of range, or its rows are no whole number of "
                        + "\(type.rawValue) blocks of \(type.blockCount)"
                )
            }
            guard offset % UInt64(alignment) == 0 else {
                throw ModelError("\(label): tensor \(name): offset \(offset) is no multiple of \(alignment)")
            }
            guard offset <= dataCount, count <= dataCount - Int(offset) else {
                throw ModelError(
                    "\(label): tensor \(name): \(count) bytes at \(offset) do not lie in the \(dataCount) bytes of data"
                )
            }
            return Int(offset)..<(Int(offset) + count)
        }
    }
}

extension TensorType {
    /// The type by its number in a GGUF file.
    init?(ggml number: UInt32) {
        let types: [UInt32: TensorType] = [
            0: .float32, 1: .float16, 2: .q4_0, 3: .q4_1, 6: .q5_0, 7: .q5_1, 8: .q8_0, 10: .q2_k, 11: .q3_k, 12: .q4_k,
            13: .q5_k, 14: .q6_k, 20: .iq4_nl, 23: .iq4_xs, 24: .int8, 25: .int16, 26: .int32, 27: .int64, 28: .float64,
            30: .bfloat16, 39: .mxfp4,
        ]
        guard let type = types[number] else { return nil }
        self = type
    }

    /// The name of a type that is not supported, for messages.
    static func ggmlName(_ number: UInt32) -> String {
        let names: [UInt32: String] = [
            9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 21: "IQ3_S", 22: "IQ2_S",
            29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 40: "NVFP4",
        ]
        return names[number] ?? "number \(number)"
    }
}
