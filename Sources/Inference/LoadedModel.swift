package import EngineContract
package import ModelFiles

/// A model's weights and what its files say about it, ready for an `Engine`. Immutable.
package final class LoadedModel: Sendable {
    /// The identifier, as in `/v1/models`.
    package let modelID: String
    package let displayName: String
    package let configuration: ModelConfiguration
    package let vocabulary: Vocabulary
    /// The tokens that end an answer, as `config.json` and `generation_config.json` name them.
    package let eosTokens: Set<Token>
    package let parameterCount: Int
    package let weightBytes: Int
    /// The most columns of any matrix that is multiplied as a whole.
    let mostColumns: Int
    /// For people: "MLX 8-bit, group 64", "float16", "Q4_K and Q6_K", those first that hold the most.
    package let quantization: String
    package let leftOut: LeftOutWeights

    /// What a tokenizer is to be made of.
    package enum Vocabulary: Sendable {
        /// The contents of `tokenizer.json`.
        case tokenizerJSON([UInt8])
        case gguf(GGUFVocabulary)

        package init(source: ModelSource) throws(ModelError) {
            guard case .gguf(let file) = source else {
                self = .tokenizerJSON(try source.requiredFile("tokenizer.json").array)
                return
            }
            guard let vocabulary = try GGUFVocabulary(file) else {
                throw ModelError("\(file.path): metadata tokenizer.ggml.model: missing; the file has no vocabulary")
            }
            self = .gguf(vocabulary)
        }
    }

    let transformer: Transformer
    /// The files that weights are, or were, read from where they lie.
    let mappedFiles: [MappedFile]
    /// Names the weights and their configuration: the same for the same files, wherever they are.
    let identity: String

    init(
        source: ModelSource,
        modelID: String?,
        displayName: String?,
        packing: Bool,
        draftHead: Bool,
        progress: @escaping (Double) -> Void
    ) throws(ModelError) {
        var configuration = try ModelConfiguration(source: source)
        let tensors = try configuration.tensors(of: source)
        if draftHead { configuration.addDraftHead(in: tensors) }
        self.configuration = configuration
        let description = configuration.transformer
        let most = description.latentAttention == nil ? 512 : 576
        for size in description.headKinds.map(\.size) where size % 16 != 0 || size > most {
            throw ModelError(
                "\(source.label("config.json")): heads of size \(size) are not supported; multiples of 16 up to \(most) are"
            )
        }
        // Before the weights, which take longer.
        vocabulary = try Vocabulary(source: source)
        let files = tensors.mappedFiles
        mappedFiles = files
        leftOut = LeftOutWeights(of: tensors, description)
        identity = tensors.identity(description)
        let reader = try WeightReader(tensors, configuration.quantization, packing: packing, progress: progress)
        do throws(ModelError) {
            transformer = try Transformer(description, of: configuration.family, reader)
        } catch {
            // Zeros in place of missing bytes may have been refused for something else.
            throw Self.damage(of: files) ?? error
        }
        if let damage = Self.damage(of: files) { throw damage }
        eosTokens = Set(configuration.eosTokens.compactMap { Token(exactly: $0) })
        parameterCount = reader.parameterCount
        weightBytes = reader.byteCount
        mostColumns = reader.mostColumns
        quantization = reader.formNames
        self.modelID = modelID ?? source.folderName ?? configuration.modelType
        self.displayName = displayName ?? self.modelID
    }

    private static func damage(of files: [MappedFile]) -> ModelError? {
        files.damagedPath.map { ModelError("\($0): cannot be read to its end; it became shorter while it was read") }
    }
}

/// Loads a model. Blocks while it reads and checks the files: call it before serving, not from a task that others wait on.
/// - Parameters:
///   - source: the files.
///   - modelID: the identifier to serve it under; the folder's name by default.
///   - displayName: for people; the identifier by default.
///   - packing: whether quantised weights are put in the order of the integer kernels; an engine that computes precisely
///     has no use for that.
///   - draftHead: whether a draft head is read, if the model has one.
///   - progress: called now and then with the fraction done.
package func loadModel(
    from source: ModelSource,
    modelID: String? = nil,
    displayName: String? = nil,
    packing: Bool = true,
    draftHead: Bool = true,
    progress: @escaping (Double) -> Void = { _ in }
) throws(ModelError) -> LoadedModel {
    try LoadedModel(
        source: source,
        modelID: modelID,
        displayName: displayName,
        packing: packing,
        draftHead: draftHead,
        progress: progress
    )
}
