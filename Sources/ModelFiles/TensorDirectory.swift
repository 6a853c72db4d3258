/// The kinds of numbers that tensors are stored in.
package enum TensorType: String, Sendable {
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case uint32 = "U32"

    package var byteCount: Int {
        switch self {
        case .float32, .uint32: 4
        case .float16, .bfloat16: 2
        }
    }
}

/// A tensor of a model file: checked, but not read.
package struct Tensor: Sendable {
    package let name: String
    package let type: TensorType
    package let shape: [Int]
    /// As many bytes as type and shape ask for, little-endian, at any alignment.
    package let bytes: FileBytes
    /// The file it is in, for messages.
    package let file: String

    /// One of the tensors that this one, which must not be empty, is a stack of.
    package func element(_ index: Int) -> Tensor {
        let size = bytes.count / shape[0]
        return Tensor(
            name: "\(name)[\(index)]",
            type: type,
            shape: Array(shape.dropFirst()),
            bytes: bytes.slice((index * size)..<((index + 1) * size)),
            file: file
        )
    }
}

/// All tensors of a model, from one file or several.
package struct TensorDirectory: Sendable {
    package private(set) var tensors: [String: Tensor]
    /// How messages name the model's file or files.
    private let label: String

    package init(tensors: [String: Tensor], label: String = "the model") {
        self.tensors = tensors
        self.label = label
    }

    /// Finds the tensors of `model.safetensors`, or of the shards that `model.safetensors.index.json` names.
    package init(source: ModelSource) throws(ModelError) {
        if let file = try source.file("model.safetensors") {
            label = source.label("model.safetensors")
            tensors = try Safetensors(file, label: label).tensors
        } else if let index = try source.file("model.safetensors.index.json") {
            label = source.label("model.safetensors.index.json")
            tensors = try Self.shards(of: index, source: source)
        } else {
            throw ModelError(
                "\(source.label("model.safetensors")): no such file, and no model.safetensors.index.json either"
            )
        }
    }

    package subscript(_ name: String) -> Tensor? { tensors[name] }

    /// Makes a tensor known by another name.
    package mutating func add(_ tensor: Tensor, as name: String) { tensors[name] = tensor }

    /// The tensor `name`, which must have one of these types and this shape.
    package func tensor(_ name: String, _ types: [TensorType], shape: [Int]) throws(ModelError) -> Tensor {
        guard let tensor = tensors[name] else {
            throw ModelError("\(label): tensor \(name): missing; \(types.names) \(shape) is expected")
        }
        guard types.contains(tensor.type) else {
            throw ModelError("\(tensor.file): tensor \(name): is \(tensor.type.rawValue); \(types.names) is expected")
        }
        guard tensor.shape == shape else {
            throw ModelError("\(tensor.file): tensor \(name): has shape \(tensor.shape); \(shape) is expected")
        }
        return tensor
    }

    private struct Index: Decodable {
        var weight_map: [String: String]
    }

    private static func shards(of index: FileBytes, source: ModelSource) throws(ModelError) -> [String: Tensor] {
        let label = source.label("model.safetensors.index.json")
        let map = try decodeJSON(Index.self, from: index, label: label).weight_map
        var shards: [String: [String: Tensor]] = [:]
        for name in Set(map.values).sorted() {
            guard !name.contains("/"), !name.hasPrefix("."), name.hasSuffix(".safetensors") else {
                throw ModelError("\(label): \"\(name)\" is not the name of a .safetensors file in the same folder")
            }
            shards[name] = try Safetensors(source.requiredFile(name), label: source.label(name)).tensors
        }
        var tensors: [String: Tensor] = [:]
        for (name, shard) in map {
            guard let tensor = shards[shard]?[name] else {
                throw ModelError("\(source.label(shard)): tensor \(name): missing, though the index places it here")
            }
            tensors[name] = tensor
        }
        return tensors
    }
}

extension [TensorType] {
    fileprivate var names: String { map(\.rawValue).joined(separator: " or ") }
}
