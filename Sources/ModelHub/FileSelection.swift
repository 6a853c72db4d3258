import ModelFiles

/// Which files of a repository make a model that can be served, and what was chosen where there was a choice.
package struct FileSelection: Sendable, Equatable {
    package enum Form: Sendable, Equatable {
        /// A folder of `config.json`, `*.safetensors` and a tokenizer, plain or MLX.
        case folder
        /// GGUF files; the label of the quantisation, if the name has one.
        case gguf(quantization: String?)
    }

    package let form: Form
    /// In order of their names.
    package let files: [RepositoryPath]
    /// The GGUF file to load, or `config.json` of a folder.
    package let entry: RepositoryPath
    /// The other quantisations there are, when the user named none.
    package let alternatives: [String]

    /// - Parameters:
    ///   - sizes: the files there are; bytes of each where they are known.
    ///   - variant: what the user named after the colon.
    /// - Throws: `HubError` listing what there is if nothing fits.
    package init(
        _ sizes: [RepositoryPath: Int?],
        variant: String?,
        of repository: RepositoryName
    ) throws(HubError) {
        let names = Set(sizes.keys)
        let models = GGUFModel.all(in: sizes)
        if variant == nil, let folder = Self.folder(names) {
            (form, files, entry, alternatives) = (.folder, folder.files, folder.entry, [])
            return
        }
        guard !models.isEmpty else { throw Self.nothing(in: names, variant: variant, of: repository) }
        let chosen = try GGUFModel.choose(models, variant: variant, of: repository)
        guard chosen.isComplete else {
            throw HubError("\(repository): \(chosen.stem) is split, and some of its parts are missing")
        }
        form = .gguf(quantization: chosen.quantization)
        files = chosen.parts.sorted()
        entry = chosen.parts[0]
        let others = models.filter { $0.stem != chosen.stem }.map(\.label)
        alternatives = variant == nil ? others.sorted() : []
    }

    /// The files of a folder of safetensors; nil if it has no weights or no `config.json`.
    private static func folder(_ names: Set<RepositoryPath>) -> (files: [RepositoryPath], entry: RepositoryPath)? {
        let top = names.filter(\.isAtTop)
        guard let config = top.first(where: { $0.name == "config.json" }) else { return nil }
        let weights = self.weights(top)
        guard !weights.isEmpty else { return nil }
        let hasTokenizer = top.contains { $0.name == "tokenizer.json" }
        let others = names.filter { path in
            if path.isAtTop {
                return companions.contains(path.name) || !hasTokenizer && vocabularies.contains(path.name)
            }
            return path.components[0] == "additional_chat_templates" && path.name.hasSuffix(".jinja")
        }
        return (others.union(weights).sorted(), config)
    }

    private static let companions: Set<String> = [
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
        "added_tokens.json", "chat_template.jinja", "chat_template.json", "processor_config.json",
        "model.safetensors.index.json",
    ]
    /// What `tokenizer.json` says as well.
    private static let vocabularies: Set<String> = ["tokenizer.model", "vocab.json", "merges.txt"]

    /// One file, else its shards, else whatever `.safetensors` there are but for copies in other forms.
    private static func weights(_ top: Set<RepositoryPath>) -> Set<RepositoryPath> {
        let all = top.filter { $0.name.hasSuffix(".safetensors") }
        let whole = all.filter { $0.name == "model.safetensors" }
        if !whole.isEmpty { return whole }
        let shards = all.filter { ShardName($0.name, suffix: ".safetensors")?.stem == "model" }
        if !shards.isEmpty { return shards }
        return all.filter { path in !["consolidated", "adapter", "model."].contains { path.name.hasPrefix($0) } }
    }

    private static func nothing(
        in names: Set<RepositoryPath>,
        variant: String?,
        of repository: RepositoryName
    ) -> HubError {
        if let variant {
            return HubError("\(repository) has no GGUF files, so ':\(variant)' chooses nothing; leave it out")
        }
        let pickles = [".bin", ".pt", ".pth", ".ckpt"]
        let pickle = names.filter { path in pickles.contains { path.name.hasSuffix($0) } }.min()
        let detail = pickle.map {
            "; weights such as \($0) are not loaded, as such files can run programs: look for a repository of the same "
                + "model with safetensors or GGUF files"
        }
        return HubError("\(repository) has neither *.safetensors with a config.json nor *.gguf" + (detail ?? ""))
    }
}

/// A model in one GGUF file or in the parts of one.
private struct GGUFModel {
    let stem: String
    let quantization: String?
    let bits: Int?
    let partCount: Int
    /// In order of their numbers.
    let parts: [RepositoryPath]
    /// Zero if the listing names no sizes.
    let bytes: Int

    var isComplete: Bool { parts.count == partCount }
    var label: String { quantization ?? stem }

    static func all(in sizes: [RepositoryPath: Int?]) -> [GGUFModel] {
        let named = sizes.compactMap { path, size in
            GGUFName(path).map { (name: $0, path: path, size: max(0, size ?? 0)) }
        }
        return Dictionary(grouping: named) { "\($0.name.stem) \($0.name.partCount)" }.values.map { parts in
            let parts = parts.sorted { ($0.name.part, $0.path) < ($1.name.part, $1.path) }
            return GGUFModel(
                stem: parts[0].name.stem,
                quantization: parts[0].name.quantization,
                bits: parts[0].name.bits,
                partCount: parts[0].name.partCount,
                parts: parts.map(\.path),
                bytes: parts.reduce(0) { $0.addingReportingOverflow($1.size).partialValue }
            )
        }.sorted { $0.stem < $1.stem }
    }

    static func choose(
        _ models: [GGUFModel],
        variant: String?,
        of repository: RepositoryName
    ) throws(HubError) -> GGUFModel {
        guard let variant else { return usual(models) }
        let wanted = variant.lowercased()
        let byFile = models.filter { model in model.parts.contains { $0.description.lowercased() == wanted } }
        let byLabel = models.filter { $0.quantization?.lowercased() == wanted }
        let byPlainLabel = models.filter { $0.quantization?.lowercased() == "ud-" + wanted }
        let found = [byFile, byLabel, byPlainLabel].first { !$0.isEmpty } ?? []
        guard let first = found.first else {
            let there = models.map(\.label).sorted().joined(separator: ", ")
            throw HubError("\(repository) has no \(variant); it has \(there)")
        }
        guard found.count == 1 else {
            let files = found.map { $0.parts[0].description }.joined(separator: ", ")
            throw HubError("\(repository) has \(variant) in \(files): name one of the files after the colon")
        }
        return first
    }

    /// Q4_K_M; else the smallest of 4 bits; else the smallest of more bits; else the largest there is.
    private static func usual(_ models: [GGUFModel]) -> GGUFModel {
        let whole = models.filter(\.isComplete)
        let models = whole.isEmpty ? models : whole
        if let known = models.first(where: { $0.quantization?.uppercased() == "Q4_K_M" }) { return known }
        let least = models.filter { $0.bits == 4 }.min { ($0.bytes, $0.stem) < ($1.bytes, $1.stem) }
        if let least { return least }
        let more = models.filter { ($0.bits ?? 16) > 4 }
            .min { ($0.bits ?? 16, $0.bytes, $0.stem) < ($1.bits ?? 16, $1.bytes, $1.stem) }
        return more ?? models.max { ($0.bits ?? 0, $0.bytes) < ($1.bits ?? 0, $1.bytes) } ?? models[0]
    }
}
