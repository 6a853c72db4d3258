package import ModelFiles

/// What a model's files say, but for its weights and its vocabulary.
package struct ModelConfiguration: Sendable {
    /// The family's name, as `model_type` of config.json.
    package let modelType: String
    package var transformer: TransformerDescription
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
        transformer = try family.describe(fields)
        quantization = try MLXQuantization(fields)
        generation = try GenerationConfiguration(source: source)
        eosTokens = try fields.eosTokens().union(generation.eosTokens)
    }

    /// The tensors of `source`, by the names of the Hugging Face form.
    /// - Throws: `ModelError` if there are none, or a file is malformed.
    package func tensors(of source: ModelSource) throws(ModelError) -> TensorDirectory {
        try TensorDirectory(source: source, names: family.names.ggufTensors)
    }
}
