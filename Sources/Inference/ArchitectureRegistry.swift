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

    /// Computes all tokens of the pass, and the logits of the given rows.
    func forward(_ pass: ForwardPass, logitsOf rows: [Int])
}

/// The architectures by `model_type` of config.json.
enum ArchitectureRegistry {
    static let all: [String: any Architecture.Type] = [
        "phi3": Phi3.self
    ]

    static func architecture(_ modelType: String) throws(ModelError) -> any Architecture.Type {
        guard let type = all[modelType] else {
            throw ModelError(
                "config.json: model_type \"\(modelType)\" is not supported; "
                    + all.keys.sorted().map { "\"\($0)\"" }.joined(separator: ", ") + " is"
            )
        }
        return type
    }
}
