/// Where a model's files are: `config.json`, `model.safetensors` (or shards with an index), `tokenizer.json`, and
/// perhaps `generation_config.json`.
package enum ModelSource: Sendable {
    /// A folder of the file system.
    case folder(String)
    /// Files in memory, by name: the built-in model.
    case memory([String: FileBytes])

    /// The file `name`, or nil if the model has none of that name.
    package func file(_ name: String) throws(ModelError) -> FileBytes? {
        switch self {
        case .folder(let path): try FileBytes(contentsOf: path + "/" + name)
        case .memory(let files): files[name]
        }
    }

    /// The file `name`, which a model must have.
    package func requiredFile(_ name: String) throws(ModelError) -> FileBytes {
        guard let file = try file(name) else {
            throw ModelError("\(label(name)): no such file; a model in MLX form has one")
        }
        return file
    }

    /// How messages name the file `name`.
    package func label(_ name: String) -> String {
        switch self {
        case .folder(let path): path + "/" + name
        case .memory: name
        }
    }

    /// The folder's own name; nil in memory.
    package var folderName: String? {
        guard case .folder(let path) = self else { return nil }
        return path.split(separator: "/").last.map(String.init)
    }
}
