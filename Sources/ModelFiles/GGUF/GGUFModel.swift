/// A model in a GGUF file, or in the parts that it is split into.
package struct GGUFModel: Sendable {
    /// The file, or the first of the parts.
    package let path: String
    package let metadata: [String: GGUFValue]
    /// By their names in the file.
    let tensors: [Tensor]

    /// Maps the file at `path`, and the other parts if it is one of several.
    package init(path: String) throws(ModelError) {
        guard let part = ShardName(path, suffix: ".gguf") else {
            try self.init(path: path, files: [(path, try Self.map(path))])
            return
        }
        var files: [(String, FileBytes)] = []
        for number in 1...part.count {
            let file = part.file(number: number)
            files.append((file, try Self.map(file)))
        }
        try self.init(path: part.file(number: 1), files: files)
    }

    /// - Parameters:
    ///   - path: how messages name the model.
    ///   - files: the parts in their order, each with how messages name it.
    package init(path: String, files: [(label: String, bytes: FileBytes)]) throws(ModelError) {
        var metadata: [String: GGUFValue] = [:]
        var tensors: [Tensor] = []
        var names: Set<String> = []
        for (index, (label, bytes)) in files.enumerated() {
            let file = try GGUFFile(bytes, label: label)
            if index == 0 { metadata = file.metadata }
            try Self.checkPart(file, index: index, count: files.count, label: label)
            for tensor in file.tensors {
                guard names.insert(tensor.name).inserted else {
                    throw ModelError("\(tensor.label): is also in another part")
                }
            }
            tensors += file.tensors
            guard tensors.count <= TensorDirectory.maxTensors else {
                throw ModelError("\(label): more than \(TensorDirectory.maxTensors) tensors")
            }
        }
        self.path = path
        self.metadata = metadata
        self.tensors = tensors
    }

    /// The file's name without its extension and the number of its part.
    var name: String? {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        if let part = ShardName(file, suffix: ".gguf") { return part.stem }
        return file.lowercased().hasSuffix(".gguf") ? String(file.dropLast(".gguf".count)) : file
    }

    private static func map(_ path: String) throws(ModelError) -> FileBytes {
        guard let file = try FileBytes(contentsOf: path) else {
            throw ModelError(
                "\(path): no such file"
                    + (ShardName(path, suffix: ".gguf") == nil ? "" : "; all parts of a model are needed")
            )
        }
        return file
    }

    /// A part knows its place: `split.no` counts from 0.
    private static func checkPart(_ file: GGUFFile, index: Int, count: Int, label: String) throws(ModelError) {
        let parts = file.metadata["split.count"]?.integer ?? 1
        guard parts <= 1 || parts == count else {
            throw ModelError("\(label): metadata split.count: is \(parts), but there are \(count) files")
        }
        guard count == 1 || file.metadata["split.no"]?.integer == index else {
            throw ModelError("\(label): metadata split.no: \(index) is expected")
        }
    }

    // MARK: Values

    /// A required value of the metadata, in the form that `read` gives it.
    func value<Value>(_ key: String, _ what: String, _ read: (GGUFValue) -> Value?) throws(ModelError) -> Value {
        guard let value = try optional(key, what, read) else {
            throw ModelError("\(path): metadata \(key): missing; \(what) is expected")
        }
        return value
    }

    /// A value of the metadata that may be missing, but not be of another kind.
    func optional<Value>(_ key: String, _ what: String, _ read: (GGUFValue) -> Value?) throws(ModelError) -> Value? {
        guard let found = metadata[key] else { return nil }
        guard let value = read(found) else { throw ModelError("\(path): metadata \(key): \(what) is expected") }
        return value
    }

    func integer(_ key: String) throws(ModelError) -> Int? { try optional(key, "a whole number", \.integer) }
    func flag(_ key: String) throws(ModelError) -> Bool? { try optional(key, "true or false", \.flag) }
    func text(_ key: String) throws(ModelError) -> String? { try optional(key, "a text", \.text) }
}
