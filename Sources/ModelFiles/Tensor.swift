/// A tensor of a model file: checked, but not read.
package struct Tensor: Sendable {
    /// The name that the Hugging Face form of the model has for it.
    package let name: String
    package let type: TensorType
    package let shape: [Int]
    /// As many bytes as type and shape ask for, little-endian, at any alignment.
    package let bytes: FileBytes
    /// The file it is in, for messages.
    package let file: String
    /// The name in the file, where that is another.
    package let origin: String

    package init(
        name: String,
        type: TensorType,
        shape: [Int],
        bytes: FileBytes,
        file: String,
        origin: String? = nil
    ) {
        self.name = name
        self.type = type
        self.shape = shape
        self.bytes = bytes
        self.file = file
        self.origin = origin ?? name
    }

    /// The same tensor under another name.
    func named(_ name: String) -> Tensor {
        Tensor(name: name, type: type, shape: shape, bytes: bytes, file: file, origin: origin)
    }

    /// One of the tensors that this one, which must not be empty, is a stack of.
    package func element(_ index: Int) -> Tensor {
        let size = bytes.count / shape[0]
        return Tensor(
            name: "\(name)[\(index)]",
            type: type,
            shape: Array(shape.dropFirst()),
            bytes: bytes.slice((index * size)..<((index + 1) * size)),
            file: file,
            origin: "\(origin)[\(index)]"
        )
    }

    /// The file and the name in it, as messages begin.
    package var label: String { "\(file): tensor \(origin)" }
}
