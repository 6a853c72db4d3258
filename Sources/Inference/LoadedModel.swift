package import EngineContract
package import ModelFiles

/// A model's weights and what its files say about it, ready for an `Engine`. Immutable.
package final class LoadedModel: Sendable {
    /// The identifier, as in `/v1/models`.
    package let modelID: String
    package let displayName: String
    package let tokenizerJSON: [UInt8]
    /// The tokens that end an answer, as `config.json` and `generation_config.json` name them.
    package let eosTokens: Set<Token>

    init(modelID: String, displayName: String, tokenizerJSON: [UInt8], eosTokens: Set<Token>) {
        self.modelID = modelID
        self.displayName = displayName
        self.tokenizerJSON = tokenizerJSON
        self.eosTokens = eosTokens
    }
}

/// Loads a model. Blocks while it reads and checks the files: call it before serving, not from a task that others wait on.
/// - Parameters:
///   - source: the files.
///   - modelID: the identifier to serve it under; the folder's name by default.
///   - displayName: for people; the identifier by default.
///   - progress: called now and then with the fraction done.
package func loadModel(
    from source: ModelSource,
    modelID: String? = nil,
    displayName: String? = nil,
    progress: (Double) -> Void = { _ in }
) throws(ModelError) -> LoadedModel {
    throw ModelError("models cannot be loaded yet")
}
