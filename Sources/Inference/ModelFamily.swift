import ModelFiles

/// A family of models: how its files describe one, and how the tensors of a layer are called.
///
/// Everything that is particular to a family stands in its own file in `Architectures`; `Transformer` computes them all.
protocol ModelFamily: SendableMetatype {
    static var names: FamilyNames { get }
    /// What the parts of a layer are called, where the family binds them by the usual way.
    static var layerNames: LayerNames { get }
    /// Whether `describe` reads `per_layer_config`: what config.json says of single layers that differ from the others.
    static var readsLayerOverrides: Bool { get }

    /// - Throws: `ModelError` for a field that is missing, out of range or not supported.
    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription

    /// What the tensors say of a model that the configuration does not: usually nothing.
    /// - Parameter path: of the decoder.
    static func adjusted(
        _ model: TransformerDescription,
        at path: String,
        _ weights: WeightReader
    ) -> TransformerDescription

    /// Binds the tensors of a layer at `path`, by the names that most families have unless the family has its own.
    /// - Throws: `ModelError` for a tensor that is missing, of another shape, or not finite.
    static func bind(
        _ layer: LayerDescription,
        of model: TransformerDescription,
        at path: String,
        _ weights: WeightReader
    ) throws(ModelError) -> LayerWeights
}

extension ModelFamily {
    static var layerNames: LayerNames { LayerNames() }
    static var readsLayerOverrides: Bool { false }

    static func adjusted(
        _ model: TransformerDescription,
        at path: String,
        _ weights: WeightReader
    ) -> TransformerDescription {
        model
    }
}

/// The names of a layer's parts, below its path.
struct LayerNames: Sendable {
    var mixerNorm = "input_layernorm"
    /// Where there are no output norms.
    var feedForwardNorm = "post_attention_layernorm"
    var attention = "self_attn"
    var stateSpace = "mamba"
    var feedForward = "mlp"
    /// Where MLX and GGUF files have a dense one, if elsewhere.
    var otherFeedForward: String?
    /// Of layers with experts; nil: as that of the others.
    var experts: String?
    /// A network that all tokens go to, beside experts; nil: below these.
    var sharedExpert: String?
    // In attention.
    var queryNorm = "q_norm"
    var keyNorm = "k_norm"
    var attentionOutput = "o_proj"
    // In a feed-forward network.
    var gate = "gate_proj"
    var up = "up_proj"
    var down = "down_proj"
    /// Gate and up in one matrix.
    var gateUp = "gate_up_proj"
    // Of experts.
    var router = "gate"
    /// What is added to scores for the choice, without the `_bias` that ends it; nil: below the router.
    var correction: String?
    /// Stacks of all matrices of one kind, if the hub has such: of gate and up, and of down.
    var stacks: (gateUp: String, down: String)?
}

/// What a family is called in files, and its tensors in GGUF.
struct FamilyNames: Sendable {
    /// `model_type` of config.json; the first is the one that models from GGUF files go by.
    let huggingFace: [String]
    /// `general.architecture`; empty: no GGUF file has the family under a name of its own.
    let gguf: [String]
    let ggufTensors: GGUFTensorNames

    init(huggingFace: [String], gguf: String..., ggufTensors: [String: String] = [:]) {
        self.huggingFace = huggingFace
        self.gguf = gguf
        self.ggufTensors = GGUFTensorNames(ggufTensors)
    }
}

/// The families there are.
enum FamilyRegistry {
    static let all: [any ModelFamily.Type] = [
        DeepSeek.self,
        Ernie45.self,
        Exaone4.self,
        Gemma2.self,
        Gemma3.self,
        Gemma4.self,
        Glm4MoE.self,
        GptOss.self,
        Granite.self,
        GraniteMoE.self,
        GraniteMoEHybrid.self,
        HunyuanDense.self,
        LFM2.self,
        LFM2MoE.self,
        Llama.self,
        Ministral3.self,
        Mistral.self,
        NemotronH.self,
        Olmo2.self,
        Phi3.self,
        Qwen2.self,
        Qwen3.self,
        Qwen35.self,
        Qwen35MoE.self,
        Qwen3MoE.self,
        Qwen3Next.self,
        SeedOss.self,
        SmolLM3.self,
    ]

    /// - Throws: `ModelError` that lists the names there are, if there is no such family.
    static func family(of fields: ModelFields) throws(ModelError) -> any ModelFamily.Type {
        let name = try fields.architecture
        func known(_ family: any ModelFamily.Type) -> [String] {
            fields.isGGUF ? family.names.gguf : family.names.huggingFace
        }
        if let family = all.first(where: { known($0).contains(name) }) { return family }
        let supported = all.flatMap(known).sorted().map { "\"\($0)\"" }.joined(separator: ", ")
        let field = fields.isGGUF ? "metadata general.architecture:" : "model_type"
        throw ModelError("\(fields.label): \(field) \"\(name)\" is not supported; \(supported) are")
    }
}
