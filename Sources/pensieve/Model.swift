import Chat
import EngineContract
import Foundation
import Inference
import ModelFiles
import ModelHub
import Tokenization

/// A model ready to serve: its engine, and what turns text into its tokens.
struct Model: Sendable {
    let engine: any InferenceEngine
    let tokenizer: Tokenizer
    let chatFormat: ChatFormat
    /// How its answers are to be sampled.
    var generation = GenerationConfiguration()
    /// RFC 3339, as `/v1/models` shows it.
    let createdAt: String

    /// Loads the model that the configuration names: a folder, one of a hub (fetched if it is not here), the built-in one,
    /// or a script without a model.
    /// - Parameter warn: is told what people should know of how its files were read.
    static func load(
        _ configuration: Configuration,
        warn: (String) -> Void = Terminal.warning
    ) async throws -> Model {
        if configuration.mock { return try mock(configuration) }
        var location: ModelLocation?
        if let name = configuration.model { location = try await ModelLocation.find(name) }
        let line = LoadingLine(configuration.model ?? "the built-in model")
        defer { line.clear() }
        let model = try real(configuration, at: location, progress: line.show, warn: warn)
        line.tellTime()
        return model
    }

    /// Looks whether a path holds a model of a known form, as far as its configuration tells. A model of a hub need not be
    /// here yet.
    /// - Returns: what its configuration says; nil if it is not here.
    @discardableResult
    static func check(_ name: String) throws(ConfigurationError) -> ModelConfiguration? {
        if !FileManager.default.fileExists(atPath: name), ModelReference.isPlausible(name) { return nil }
        do {
            return try ModelConfiguration(source: .at(name))
        } catch {
            throw ConfigurationError("\(error)")
        }
    }

    private static func real(
        _ configuration: Configuration,
        at location: ModelLocation?,
        progress: @escaping (Double) -> Void,
        warn: (String) -> Void
    ) throws -> Model {
        if let location { try check(location.path) }
        let source = try location?.source ?? .memory(BuiltinFiles.all)
        let loaded = try loadModel(
            from: source,
            modelID: location == nil ? BuiltinFiles.modelID : location?.id,
            displayName: location == nil ? BuiltinFiles.displayName : nil,
            packing: !configuration.precise,
            progress: progress
        )
        let text = try ModelText(source, loaded.configuration, loaded.vocabulary)
        loaded.configuration.generation.warnings.forEach(warn)
        if location != nil { text.notes.forEach(warn) }
        return Model(
            engine: try Engine(model: loaded, options: configuration.engineOptions),
            tokenizer: text.tokenizer,
            chatFormat: text.chatFormat,
            generation: loaded.configuration.generation,
            createdAt: BuiltinFiles.createdAt
        )
    }

    private static func mock(_ configuration: Configuration) throws -> Model {
        guard let json = BuiltinFiles.file("tokenizer.json")?.array else {
            throw ConfigurationError("the built-in tokenizer is missing from this build")
        }
        let tokenizer = try Tokenizer(tokenizerJSON: json)
        let engine = try MockModel(tokenizer: tokenizer).engine(tokensPerSecond: configuration.mockTokensPerSecond)
        return Model(engine: engine, tokenizer: tokenizer, chatFormat: .phi3, createdAt: BuiltinFiles.createdAt)
    }
}
