import JSON

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
        for item in try header.json(label: label, Self.items) {
            let tensorLabel = "\(label): tensor \(item.name)"
            guard tensors[item.name] == nil else { throw ModelError("\(tensorLabel): occurs twice") }
            let (type, shape, range) = try item.checked(dataCount: data.count, label: tensorLabel)
            tensors[item.name] = Tensor(
                name: item.name,
                type: type,
                shape: shape,
                bytes: data.slice(range),
                file: label
            )
            ranges.append((range, item.name))
        }
        try Self.checkLayout(&ranges, dataCount: data.count, label: label)
        self.tensors = tensors
    }

    private static func items(_ header: JSONNode) throws(JSONError) -> [Item] {
        var items: [Item] = []
        // One more: the metadata.
        for member in try header.members(atMost: TensorDirectory.maxTensors + 1) where member.name != "__metadata__" {
            items.append(try Item(member))
        }
        return items
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

        let name: String
        let dtype: String
        let shape: [Int]
        let offsets: [Int]

        init(_ member: JSONMember) throws(JSONError) {
            name = member.name
            dtype = try member.value["dtype"].string()
            shape = try Self.integers(member.value["shape"])
            offsets = try Self.integers(member.value["data_offsets"])
        }

        private static func integers(_ node: JSONNode) throws(JSONError) -> [Int] {
            var values: [Int] = []
            for element in try node.elements(atMost: maxDimensions) { values.append(try element.int()) }
            return values
        }

        func checked(dataCount: Int, label: String) throws(ModelError) -> (TensorType, [Int], Range<Int>) {
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
