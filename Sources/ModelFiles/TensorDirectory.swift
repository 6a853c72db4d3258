import JSON

/// All tensors of a model, from one file or several, by the names of its Hugging Face form.
package struct TensorDirectory: Sendable {
    /// Several times what the largest models have.
    static let maxTensors = 1 << 17

    package private(set) var tensors: [String: Tensor]
    /// How messages name the model's file or files.
    private let label: String

    package init(tensors: [String: Tensor], label: String = "the model") {
        self.tensors = tensors
        self.label = label
    }

    /// Finds the tensors of `model.safetensors`, or of the shards that `model.safetensors.index.json` names, or of shards
    /// whose names say that they are all there, or of a GGUF file.
    /// - Parameter names: of a GGUF file's tensors.
    /// - Throws: `ModelError` if there are none, or a file is malformed.
    package init(source: ModelSource, names: GGUFTensorNames = GGUFTensorNames()) throws(ModelError) {
        if case .gguf(let model) = source {
            label = model.path
            tensors = try model.tensors(named: names)
        } else if let file = try source.file("model.safetensors") {
            label = source.label("model.safetensors")
            tensors = try Safetensors(file, label: label).tensors
        } else if let index = try source.file("model.safetensors.index.json") {
            label = source.label("model.safetensors.index.json")
            tensors = try Self.shards(of: index, source: source)
        } else if let shard = try Self.shardWithoutIndex(source) {
            label = source.label(shard.file(number: 1))
            tensors = try Self.tensors(of: shard, source: source)
        } else {
            throw ModelError(
                "\(source.label("model.safetensors")): no such file, and no model.safetensors.index.json either"
            )
        }
    }

    package subscript(_ name: String) -> Tensor? { tensors[name] }

    /// The files that the tensors are mapped from.
    package var mappedFiles: [MappedFile] {
        var files: [ObjectIdentifier: MappedFile] = [:]
        for tensor in tensors.values {
            if let file = tensor.bytes.mappedFile { files[ObjectIdentifier(file)] = file }
        }
        return files.values.sorted { $0.path < $1.path }
    }

    /// The same without some tensors.
    package func removing(_ names: Set<String>) -> TensorDirectory {
        TensorDirectory(tensors: tensors.filter { !names.contains($0.key) }, label: label)
    }

    /// Makes a tensor known by another name.
    package mutating func add(_ tensor: Tensor, as name: String) { tensors[name] = tensor }

    /// The tensor `name`, which must have one of these types and this shape.
    package func tensor(_ name: String, _ types: [TensorType], shape: [Int]) throws(ModelError) -> Tensor {
        guard let tensor = tensors[name] else {
            throw ModelError("\(label): tensor \(name): missing; \(types.names) \(shape) is expected")
        }
        guard types.contains(tensor.type) else {
            throw ModelError("\(tensor.label): is \(tensor.type.rawValue); \(types.names) is expected")
        }
        guard tensor.shape == shape else {
            throw ModelError("\(tensor.label): has shape \(tensor.shape); \(shape) is expected")
        }
        return tensor
    }

    // MARK: Shards

    /// One of the shards `model-00001-of-00003.safetensors` of a model without an index; nil if it has none.
    /// - Throws: `ModelError` if there are shards of several models.
    private static func shardWithoutIndex(_ source: ModelSource) throws(ModelError) -> ShardName? {
        let shards = try source.names().compactMap { ShardName($0, suffix: ".safetensors") }.filter {
            ["model", "model.safetensors"].contains($0.stem)
        }
        let counts = Set(shards.map(\.count)).sorted()
        guard counts.count <= 1 else {
            let all = counts.map { "\($0)" }.joined(separator: " and ")
            throw ModelError(
                "\(source.label("model.safetensors.index.json")): no such file, and there are shards of \(all)"
            )
        }
        return shards.first
    }

    /// The tensors of shards that have no index: each must be in one of them.
    private static func tensors(of shard: ShardName, source: ModelSource) throws(ModelError) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for number in 1...shard.count {
            let name = shard.file(number: number)
            let label = source.label(name)
            guard let file = try source.file(name) else {
                throw ModelError("\(label): no such file; all \(shard.count) shards of a model are needed")
            }
            for (name, tensor) in try Safetensors(file, label: label).tensors {
                guard tensors.updateValue(tensor, forKey: name) == nil else {
                    throw ModelError("\(tensor.label): is also in another shard")
                }
            }
            guard tensors.count <= maxTensors else { throw ModelError("\(label): more than \(maxTensors) tensors") }
        }
        return tensors
    }

    private static func shards(of index: FileBytes, source: ModelSource) throws(ModelError) -> [String: Tensor] {
        let label = source.label("model.safetensors.index.json")
        var shards: [String: [String: Tensor]] = [:]
        var tensors: [String: Tensor] = [:]
        for (name, shard) in try weightMap(of: index, label: label) {
            if shards[shard] == nil {
                guard !shard.contains("/"), !shard.hasPrefix("."), shard.hasSuffix(".safetensors") else {
                    throw ModelError("\(label): \"\(shard)\" is not the name of a .safetensors file in the same folder")
                }
                guard let file = try source.file(shard) else {
                    throw ModelError(
                        "\(source.label(shard)): no such file, though model.safetensors.index.json names it"
                    )
                }
                shards[shard] = try Safetensors(file, label: source.label(shard)).tensors
            }
            guard let tensor = shards[shard]?[name] else {
                throw ModelError("\(source.label(shard)): tensor \(name): missing, though the index places it here")
            }
            tensors[name] = tensor
        }
        return tensors
    }

    /// The names of tensors and of the shards they are in, sorted, so that the same error comes first each time.
    private static func weightMap(of index: FileBytes, label: String) throws(ModelError) -> [(String, String)] {
        let map = try index.json(label: label) { (index) throws(JSONError) in
            var map: [(String, String)] = []
            for member in try index["weight_map"].members(atMost: maxTensors) {
                map.append((member.name, try member.value.string()))
            }
            return map
        }
        return map.sorted { ($0.1, $0.0) < ($1.1, $1.0) }
    }
}
