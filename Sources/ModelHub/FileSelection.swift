import ModelFiles

/// The files of a repository that make up a model, and the quantisation chosen among several.
package struct FileSelection: Sendable, Equatable {
    package enum Format: Sendable, Equatable {
        /// A folder of `config.json`, `*.safetensors` and a tokenizer, plain or MLX.
        case folder
        /// GGUF files, with the quantisation's label if the name has one.
        case gguf(quantization: String?)
    }

    package let format: Format
    /// Sorted by name.
    package let files: [RepositoryPath]
    /// The GGUF file to load, or `config.json` of a folder.
    package let entry: RepositoryPath
    /// The other quantisations, if the user named none.
    package let alternatives: [String]

    /// - Parameters:
    ///   - sizes: the repository's files, with sizes where they are known.
    ///   - variant: the reference's part after the colon.
    /// - Throws: `HubError` that lists the choices if none matches, or says why no file can be loaded.
    package init(
        _ sizes: [RepositoryPath: Int?],
        variant: String?,
        of repository: RepositoryName
    ) throws(HubError) {
        let names = Set(sizes.keys)
        let models = GGUFModel.all(in: sizes)
        if variant == nil, let folder = Self.folder(names) {
            (format, files, entry, alternatives) = (.folder, folder.files, folder.entry, [])
            return
        }
        guard !models.isEmpty else { throw Self.nothing(in: names, variant: variant, of: repository) }
        let chosen = try GGUFModel.choose(models, variant: variant, of: repository)
        guard chosen.isComplete else {
            throw HubError("\(repository): \(chosen.stem) is split, and some of its parts are missing")
        }
        format = .gguf(quantization: chosen.quantization)
        files = chosen.parts.sorted()
        entry = chosen.parts[0]
        let others = models.filter { $0.stem != chosen.stem }.map(\.label)
        alternatives = variant == nil ? others.sorted() : []
    }

    /// The files of a folder of safetensors; nil if it has no weights, no `config.json` or no `tokenizer.json`.
    private static func folder(_ names: Set<RepositoryPath>) -> (files: [RepositoryPath], entry: RepositoryPath)? {
        let top = names.filter(\.isAtTop)
        guard let config = top.first(where: { $0.name == "config.json" }) else { return nil }
        let weights = self.weights(top)
        guard !weights.isEmpty, top.contains(where: { $0.name == "tokenizer.json" }) else { return nil }
        let others = names.filter { path in
            if path.isAtTop { return companions.contains(path.name) }
            return path.components[0] == "additional_chat_templates" && path.name.hasSuffix(".jinja")
        }
        return (others.union(weights).sorted(), config)
    }

    private static let companions: Set<String> = [
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
        "added_tokens.json", "chat_template.jinja", "chat_template.json", "processor_config.json",
        "model.safetensors.index.json",
    ]

    /// `model.safetensors`, else its shards, and those files beside them that the index may name; else all `.safetensors`.
    /// Copies in other formats are never chosen.
    private static func weights(_ top: Set<RepositoryPath>) -> Set<RepositoryPath> {
        let all = top.filter { $0.name.hasSuffix(".safetensors") }
        let whole = all.filter { $0.name == "model.safetensors" }
        if !whole.isEmpty { return whole }
        let shards = all.filter { isShard($0.name) }
        let hasIndex = top.contains { $0.name == "model.safetensors.index.json" }
        if !shards.isEmpty, !hasIndex { return shards }
        let others = all.filter { path in !["consolidated", "adapter", "model."].contains { path.name.hasPrefix($0) } }
        return shards.union(others)
    }

    /// `model-00001-of-00003.safetensors`; gpt-oss counts from 0, and Qwen 3.5 has `model.safetensors-00001-of-…`.
    private static func isShard(_ name: String) -> Bool {
        name.wholeMatch(of: #/model(\.safetensors)?-[0-9]+-of-[0-9]+\.safetensors/#) != nil
    }

    private static func nothing(
        in names: Set<RepositoryPath>,
        variant: String?,
        of repository: RepositoryName
    ) -> HubError {
        if let variant {
            return HubError("\(repository) has no GGUF files, so ':\(variant)' chooses nothing; leave it out")
        }
        let top = Set(names.filter(\.isAtTop).map(\.name))
        if top.contains("config.json"), !weights(names.filter(\.isAtTop)).isEmpty {
            return HubError(
                "\(repository) has no tokenizer.json, and vocabularies in other forms are not read: look for a repository of "
                    + "the same model that has one, or GGUF files"
            )
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

/// A model in one GGUF file or in the parts of a split one.
private struct GGUFModel {
    let stem: String
    let quantization: String?
    let bits: Int?
    let partCount: Int
    /// In order of part numbers.
    let parts: [RepositoryPath]
    /// Zero if sizes are unknown.
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
                bytes: parts.map { $0.size }.saturatedSum
            )
        }.sorted { $0.stem < $1.stem }
    }

    static func choose(
        _ models: [GGUFModel],
        variant: String?,
        of repository: RepositoryName
    ) throws(HubError) -> GGUFModel {
        guard let variant else { return preferred(models) }
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

    /// Q4_K_M; else the smallest with 4 bits; else the smallest with more bits; else the largest.
    private static func preferred(_ models: [GGUFModel]) -> GGUFModel {
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

/// The information in the name of a `.gguf` file: quantisation, and part number of a split model.
///
///     Phi-3-mini-4k-instruct-q4.gguf            q4
///     Q4_K_M/model-UD-Q4_K_M-00001-of-00003.gguf  UD-Q4_K_M, part 1 of 3
package struct GGUFName: Sendable, Equatable {
    /// The path without its part number and `.gguf`; the same for all parts of one model.
    package let stem: String
    /// As written, such as `Q4_K_M`; nil if the name has none.
    package let quantization: String?
    /// From 1; a whole model is part 1 of 1.
    package let part: Int
    package let partCount: Int

    /// Nil unless the file holds a language model: image projectors and importance matrices are `.gguf` files, too.
    package init?(_ path: RepositoryPath) {
        guard path.name.lowercased().hasSuffix(".gguf") else { return nil }
        let name = path.name.lowercased()
        guard !name.contains("mmproj"), !name.contains("imatrix") else { return nil }
        let shard = ShardName(path.description, suffix: ".gguf")
        (part, partCount) = (shard?.number ?? 1, shard?.count ?? 1)
        stem = shard?.stem ?? String(path.description.dropLast(".gguf".count))
        quantization = Self.quantization(in: stem.split(separator: "/").last ?? "")
    }

    /// Bits of a weight by the label, such as 4 for `IQ4_XS`; nil without a label.
    package var bits: Int? {
        guard let label = quantization?.uppercased() else { return nil }
        if label.contains("32") { return 32 }
        if label.contains("16") { return 16 }
        return label.first(where: \.isNumber)?.wholeNumberValue
    }

    /// The last component of a name that is a label, with the `UD-` that may precede it.
    private static func quantization(in name: Substring) -> String? {
        let pieces = name.split { $0 == "-" || $0 == "." }
        guard let index = pieces.lastIndex(where: isLabel) else { return nil }
        let isDynamic = index > 0 && pieces[index - 1].uppercased() == "UD"
        return (isDynamic ? "UD-" : "") + pieces[index]
    }

    /// `Q4_K_M`, `IQ2_XXS`, `TQ1_0`, `q4`, `BF16`, `fp16`, `MXFP4_MOE`.
    private static func isLabel(_ text: Substring) -> Bool {
        let upper = text.uppercased()
        if ["BF16", "F16", "FP16", "F32", "FP32", "MXFP4", "MXFP4_MOE", "NVFP4"].contains(upper) { return true }
        let rest = upper.drop { $0 == "I" || $0 == "T" }
        let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
        guard rest.first == "Q", digits.count == 1, upper.count - rest.count <= 1 else { return false }
        let tail = rest.dropFirst(2)
        return tail.isEmpty
            || tail.first == "_" && tail.allSatisfy { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
    }
}
