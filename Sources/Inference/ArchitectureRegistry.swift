import EngineContract
import ModelFiles

/// A family of models: its weights, bound by name, and the way through its layers.
protocol Architecture: Sendable {
    /// Binds the tensors of a model.
    init(_ configuration: ModelConfiguration, _ weights: WeightReader) throws(ModelError)

    var attention: Attention { get }
    var layerCount: Int { get }
    /// The most columns of any matrix.
    var maxColumns: Int { get }
    /// How many positions a token sees, itself included, in the layer that sees the most; nil is all.
    var widestWindow: Int? { get }

    /// Computes all tokens of the pass, and the logits of the given rows.
    func forward(_ pass: ForwardPass, logitsOf rows: [Int])
}

/// The architectures by `model_type` of config.json.
enum ArchitectureRegistry {
    static let all: [String: any Architecture.Type] = [
        "gemma2": Gemma2.self,
        "gemma3": Gemma3.self,
        "gemma3_text": Gemma3.self,
        "llama": Llama.self,
        "mistral": Mistral.self,
        "phi3": Phi3.self,
        "qwen2": Qwen2.self,
        "qwen3": Qwen3.self,
        "qwen3_moe": Qwen3MoE.self,
    ]

    static func architecture(_ modelType: String, label: String) throws(ModelError) -> any Architecture.Type {
        guard let type = all[modelType] else {
            throw ModelError(
                "\(label): model_type \"\(modelType)\" is not supported; "
                    + all.keys.sorted().map { "\"\($0)\"" }.joined(separator: ", ") + " are"
            )
        }
        return type
    }
}
