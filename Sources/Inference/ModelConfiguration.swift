package import ModelFiles

/// What a model's files say, but for its weights and its vocabulary.
package struct ModelConfiguration: Sendable {
    /// The family's name, as `model_type` of config.json.
    package let modelType: String
    /// Without a draft head until that is added.
    package private(set) var transformer: TransformerDescription
    private let draftHead: DraftHeadDescription?
    /// The tokens that end an answer.
    package let eosTokens: Set<Int>
    /// How answers are to be sampled.
    package let generation: GenerationConfiguration
    package let quantization: MLXQuantization
    let family: any ModelFamily.Type

    /// - Throws: `ModelError` naming the field that is missing, out of range or not supported.
    package init(source: ModelSource) throws(ModelError) {
        let fields = try ModelFields(source: source)
        family = try FamilyRegistry.family(of: fields)
        modelType = fields.isGGUF ? family.names.huggingFace[0] : try fields.architecture
        let overrides = "per_layer_config"
        if !family.readsLayerOverrides, try fields.object(overrides)?.members.isEmpty == false {
            throw fields.error(overrides, "makes layers differ from the others, which \(modelType) is not known to do")
        }
        transformer = try family.describe(fields)
        draftHead = transformer.draftHead
        transformer.draftHead = nil
        quantization = try MLXQuantization(fields)
        generation = try GenerationConfiguration(source: source)
        eosTokens = try fields.eosTokens().union(generation.eosTokens)
    }

    /// Adds the draft head, if the files have one: many leave it out, whatever they say of it.
    package mutating func addDraftHead(in tensors: TensorDirectory) {
        transformer.draftHead = draftHead.flatMap { $0.paths(in: tensors) == nil ? nil : $0 }
    }

    /// The tensors of `source`, by the names of the Hugging Face form.
    /// - Throws: `ModelError` if there are none, or a file is malformed.
    package func tensors(of source: ModelSource) throws(ModelError) -> TensorDirectory {
        try TensorDirectory(source: source, names: family.names.ggufTensors)
    }
}
