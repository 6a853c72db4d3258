import Platform

/// Where a model's files are: `config.json`, `model.safetensors` (or shards, perhaps with an index), `tokenizer.json`, and
/// perhaps `generation_config.json`.
package enum ModelSource: Sendable {
    /// A folder of the file system.
    case folder(String)
    /// Files in memory, by name: the built-in model.
    case memory([String: FileBytes])
    /// One GGUF file or its parts, whose metadata say what the small files of a folder do.
    case gguf(GGUFModel)

    /// The model at a path: a GGUF file, a folder of safetensors, or a folder that has one GGUF model and no
    /// `config.json`.
    package static func at(_ path: String) throws(ModelError) -> ModelSource {
        if path.lowercased().hasSuffix(".gguf") { return .gguf(try GGUFModel(path: path)) }
        let names = try folderNames(path)
        let models = names.filter {
            $0.lowercased().hasSuffix(".gguf") && ShardName($0, suffix: ".gguf").map { $0.number == 1 } ?? true
        }
        if names.contains("config.json") || models.isEmpty { return .folder(path) }
        guard models.count == 1 else {
            throw ModelError(
                "\(path): holds several models; name one of them: \(models.sorted().joined(separator: ", "))"
            )
        }
        return .gguf(try GGUFModel(path: path + "/" + models[0]))
    }

    private static func folderNames(_ path: String) throws(ModelError) -> [String] {
        guard let folder = opendir(path) else {
            throw ModelError("\(path): \(String(cString: strerror(errno))); a folder or a .gguf file is expected")
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { name in
                    String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
                }
            )
        }
        return names
    }

    /// The file `name`, or nil if the model has none of that name.
    package func file(_ name: String) throws(ModelError) -> FileBytes? {
        switch self {
        case .folder(let path): try FileBytes(contentsOf: path + "/" + name)
        case .memory(let files): files[name]
        case .gguf: nil
        }
    }

    /// The names of the files there are.
    func names() throws(ModelError) -> [String] {
        switch self {
        case .folder(let path): try Self.folderNames(path)
        case .memory(let files): Array(files.keys)
        case .gguf: []
        }
    }

    /// The file `name`, which a model must have.
    package func requiredFile(_ name: String) throws(ModelError) -> FileBytes {
        guard let file = try file(name) else {
            throw ModelError("\(label(name)): no such file; a model in Hugging Face or MLX form has one")
        }
        return file
    }

    /// How messages name the file `name`, or the metadata that are in its place.
    package func label(_ name: String) -> String {
        switch self {
        case .folder(let path): path + "/" + name
        case .memory: name
        case .gguf(let model): "\(model.path): metadata"
        }
    }

    /// The folder's own name, or the GGUF file's without its extension; nil in memory.
    package var folderName: String? {
        switch self {
        case .folder(let path): path.split(separator: "/").last.map(String.init)
        case .memory: nil
        case .gguf(let model): model.name
        }
    }
}
