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
        let items = try decodeJSON([String: Item].self, from: header, label: label)
        var tensors: [String: Tensor] = [:]
        var ranges: [(range: Range<Int>, name: String)] = []
        for (name, item) in items where name != "__metadata__" {
            let (type, shape, range) = try item.checked(dataCount: data.count, label: "\(label): tensor \(name)")
            tensors[name] = Tensor(name: name, type: type, shape: shape, bytes: data.slice(range), file: label)
            ranges.append((range, name))
        }
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

    private struct Item: Decodable {
        var dtype: String?
        var shape: [Int]?
        var data_offsets: [Int]?

        func checked(dataCount: Int, label: String) throws(ModelError) -> (TensorType, [Int], Range<Int>) {
            guard let dtype, let shape, let offsets = data_offsets else {
                throw ModelError("\(label): dtype, shape and data_offsets are expected")
            }
            guard let type = TensorType(rawValue: dtype) else {
                throw ModelError("\(label): dtype \(dtype) is not supported; F32, F16, BF16 and U32 are")
            }
            var count = type.byteCount
            for size in shape {
                let (product, overflow) = count.multipliedReportingOverflow(by: size)
                guard size >= 0, !overflow else { throw ModelError("\(label): shape \(shape) is out of range") }
                count = product
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
