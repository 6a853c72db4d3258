import EngineContract
import Foundation
import Inference
import ModelFiles
import Tokenization

/// A model ready to serve: its engine, and what turns text into its tokens.
struct Model: Sendable {
    let engine: any InferenceEngine
    let tokenizer: Tokenizer
    let chatFormat: ChatFormat
    /// RFC 3339, as `/v1/models` shows it.
    let createdAt: String

    /// Loads the model that the configuration names: a folder, the built-in one, or a script without a model.
    static func load(_ configuration: Configuration) async throws -> Model {
        let clock = ContinuousClock()
        let start = clock.now
        let name = configuration.mock ? "the mock" : configuration.model ?? "the built-in model"
        if Terminal.isInteractive { Terminal.error("Loading \(name) …") }
        let model = try configuration.mock ? mock(configuration) : real(configuration)
        if Terminal.isInteractive {
            let seconds = Double((clock.now - start) / .milliseconds(1)) / 1000
            Terminal.error("Loaded in \(Format.number((seconds * 100).rounded() / 100)) s")
        }
        return model
    }

    private static func real(_ configuration: Configuration) throws -> Model {
        let source: ModelSource = try configuration.model.map { try .at(expand($0)) } ?? .memory(BuiltinFiles.all)
        let isBuiltIn = configuration.model == nil
        let loaded = try loadModel(
            from: source,
            modelID: isBuiltIn ? BuiltinFiles.modelID : nil,
            displayName: isBuiltIn ? BuiltinFiles.displayName : nil
        )
        let tokenizer = try tokenizer(loaded.vocabulary)
        var options = EngineOptions()
        options.threads = configuration.threads
        options.kvMemoryBytes = configuration.kvMemoryBytes
        options.precise = configuration.precise
        options.contextLimit = configuration.context
        return Model(
            engine: try Engine(model: loaded, options: options),
            tokenizer: tokenizer,
            chatFormat: .phi3,
            createdAt: BuiltinFiles.createdAt
        )
    }

    private static func tokenizer(_ vocabulary: LoadedModel.Vocabulary) throws -> Tokenizer {
        switch vocabulary {
        case .tokenizerJSON(let json): try Tokenizer(tokenizerJSON: json)
        case .gguf: throw ModelError("vocabularies of GGUF files cannot be read yet")
        }
    }

    private static func mock(_ configuration: Configuration) throws -> Model {
        guard let json = BuiltinFiles.file("tokenizer.json")?.array else {
            throw ConfigurationError("the built-in tokenizer is missing from this build")
        }
        let tokenizer = try Tokenizer(tokenizerJSON: json)
        let engine = try MockModel(tokenizer: tokenizer).engine(tokensPerSecond: configuration.mockTokensPerSecond)
        return Model(engine: engine, tokenizer: tokenizer, chatFormat: .phi3, createdAt: BuiltinFiles.createdAt)
    }

    private static func expand(_ path: String) -> String {
        path.hasPrefix("~/") ? NSHomeDirectory() + path.dropFirst(1) : path
    }
}
