/// A parsed `.safetensors` file.
///
///     0 ..< 8          length of the header, little-endian
///     8 ..< 8 + n      header: JSON, {"name": {"dtype": …, "shape": […], "data_offsets": [begin, end]}, …}
///     8 + n ..< count  data: the tensors, one after another without gaps, at the offsets of the header
///
/// Every number of the header is checked before it is used, so a hostile file gives an error and nothing worse.
package struct Safetensors: Sendable {
    /// As in the reference implementation.
    static let maxHeaderBytes = 100_000_000

    package let tensors: [String: Tensor]

    /// - Parameter label: how messages name the file.
    package init(_ file: FileBytes, label: String) throws(ModelError) {
        let (header, data) = try Self.split(file, label: label)
        var tensors: [String: Tensor] = [:]
        var ranges: [(range: Range<Int>, name: String)] = []
        var reader = JSONReader(header, label: label)
        try reader.object { (reader, name) throws(ModelError) in
            if name == "__metadata__" { return try reader.skip() }
            let tensorLabel = "\(label): tensor \(name)"
            guard tensors[name] == nil else { throw ModelError("\(tensorLabel): occurs twice") }
            guard tensors.count < TensorDirectory.maxTensors else {
                throw ModelError("\(label): more than \(TensorDirectory.maxTensors) tensors")
            }
            let item = try Item(&reader, label: tensorLabel)
            let (type, shape, range) = try item.checked(dataCount: data.count, label: tensorLabel)
            tensors[name] = Tensor(name: name, type: type, shape: shape, bytes: data.slice(range), file: label)
            ranges.append((range, name))
        }
        try reader.end()
        try Self.checkLayout(&ranges, dataCount: data.count, label: label)
        self.tensors = tensors
    }

    private static func split(_ file: FileBytes, label: String) throws(ModelError) -> (FileBytes, FileBytes) {
        guard file.count >= 8 else {
            throw ModelError(
                "\(label): \(file.count) bytes long; a header's length of 8 bytes is expected at its start"
            )
        }
        let length = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
        guard length <= maxHeaderBytes, length <= file.count - 8 else {
            throw ModelError(
                "\(label): the header is said to have \(length) bytes; the file has \(file.count) bytes, "
                    + "and a header at most \(maxHeaderBytes)"
            )
        }
        let end = 8 + Int(length)
        return (file.slice(8..<end), file.slice(end..<file.count))
    }

    /// Tensors must follow each other without overlap or gap, from the first byte of the data to the last.
    private static func checkLayout(
        _ ranges: inout [(range: Range<Int>, name: String)],
        dataCount: Int,
        label: String
    ) throws(ModelError) {
        ranges.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        var end = 0
        for (range, name) in ranges {
            guard range.lowerBound == end else {
                throw ModelError(
                    "\(label): tensor \(name): begins at \(range.lowerBound); the one before it ends at \(end)"
                )
            }
            end = range.upperBound
        }
        guard end == dataCount else {
            throw ModelError("\(label): the tensors end at \(end), the data at \(dataCount)")
        }
    }

    /// What the header says about a tensor.
    private struct Item {
        /// No tensor has more dimensions.
        static let maxDimensions = 8

        var dtype: String?
        var shape: [Int]?
        var offsets: [Int]?

        init(_ reader: inout JSONReader, label: String) throws(ModelError) {
            var (dtype, shape, offsets): (String?, [Int]?, [Int]?)
            try reader.object { (reader, key) throws(ModelError) in
                switch key {
                case "dtype": dtype = try reader.string()
                case "shape": shape = try Self.integers(&reader, label: "\(label): shape")
                case "data_offsets": offsets = try Self.integers(&reader, label: "\(label): data_offsets")
                default: try reader.skip()
                }
            }
            (self.dtype, self.shape, self.offsets) = (dtype, shape, offsets)
        }

        private static func integers(_ reader: inout JSONReader, label: String) throws(ModelError) -> [Int] {
            var values: [Int] = []
            try reader.array { (reader) throws(ModelError) in
                guard values.count < maxDimensions else {
                    throw ModelError("\(label): more than \(maxDimensions) numbers")
                }
                values.append(try reader.integer())
            }
            return values
        }

        func checked(dataCount: Int, label: String) throws(ModelError) -> (TensorType, [Int], Range<Int>) {
            guard let dtype, let shape, let offsets else {
                throw ModelError("\(label): dtype, shape and data_offsets are expected")
            }
            guard let type = TensorType(safetensors: dtype) else {
                throw ModelError("\(label): dtype \(dtype) is not supported; F32, F16, BF16 and U32 are")
            }
            guard let count = type.byteCount(shape: shape) else {
                throw ModelError("\(label): shape \(shape) is out of range")
            }
            guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] <= dataCount else {
                throw ModelError("\(label): data_offsets \(offsets) do not lie in the \(dataCount) bytes of data")
            }
            guard offsets[1] - offsets[0] == count else {
                throw ModelError(
                    "\(label): \(dtype) \(shape) takes \(count) bytes, but data_offsets hold \(offsets[1] - offsets[0])"
                )
            }
            return (type, shape, offsets[0]..<offsets[1])
        }
    }
}
