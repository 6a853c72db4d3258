import BuiltinModel
import Chat
import Console
import EngineContract
import Foundation
import Inference
import ModelFiles
import ModelHub
import Tokenization

/// A loaded model: its engine, tokenizer and chat format.
struct Model: Sendable {
    let engine: any InferenceEngine
    let tokenizer: Tokenizer
    let chatFormat: ChatFormat
    /// The sampling parameters that the model's files recommend.
    var generation = GenerationConfiguration()
    /// RFC 3339, as `/v1/models` shows it.
    let createdAt: String

    /// Loads the configured model: a local one, one of a hub (pulled if it is not in the cache), the built-in one, or
    /// the mock.
    /// - Parameter warn: receives warnings about the model's files.
    /// - Throws: `HubError`, `ModelError` and others whose descriptions are for the user.
    static func load(
        _ configuration: Configuration,
        warn: (String) -> Void = Terminal.warning
    ) async throws -> Model {
        if configuration.mock { return try mock(configuration) }
        var location: ModelLocation?
        if let name = configuration.model { location = try await ModelLocation.find(name) }
        var draft: ModelLocation?
        if configuration.speculation, let name = configuration.draftModel { draft = try await ModelLocation.find(name) }
        let line = LoadingLine(configuration.model ?? "the built-in model")
        defer { line.clear() }
        let model = try real(configuration, at: location, draft: draft, progress: line.show, warn: warn)
        line.printTime()
        return model
    }

    /// Checks a model by its configuration, without loading it. A model of a hub need not be in the cache.
    /// - Returns: the model's configuration; nil if it is not local.
    /// - Throws: `ConfigurationError` if the path is not a supported model.
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
        draft: ModelLocation?,
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
            draftHead: configuration.usesDraftHead,
            progress: progress
        )
        let text = try ModelText(source, loaded.configuration, loaded.vocabulary)
        loaded.configuration.generation.warnings.forEach(warn)
        loaded.leftOut.text.map { warn("weights that the language model does without are not read: \($0)") }
        if location != nil { text.notes.forEach(warn) }
        let drafting = try draft.map { try self.draft(at: $0, for: text.tokenizer, configuration) }
        return Model(
            engine: try Engine(model: loaded, draft: drafting, options: configuration.engineOptions),
            tokenizer: text.tokenizer,
            chatFormat: text.chatFormat,
            generation: loaded.configuration.generation,
            createdAt: BuiltinFiles.createdAt
        )
    }

    /// Loads a model that drafts for one with a tokenizer.
    private static func draft(
        at location: ModelLocation,
        for tokenizer: Tokenizer,
        _ configuration: Configuration
    ) throws -> LoadedModel {
        try check(location.path)
        let source = try location.source
        let loaded = try loadModel(
            from: source,
            modelID: location.id,
            packing: !configuration.precise,
            draftHead: false
        )
        let own = try ModelText(source, loaded.configuration, loaded.vocabulary).tokenizer
        let rows = Int32(min(own.vocabularySize, tokenizer.vocabularySize))
        let differing = (0..<rows).filter { own.bytes(of: $0) != tokenizer.bytes(of: $0) }
        // Models of one family differ in a few tokens that were added to some.
        guard let first = differing.first, differing.count * 100 > rows else { return loaded }
        let texts = [own, tokenizer].map { "'\(String(decoding: $0.bytes(of: first), as: UTF8.self).visible)'" }
        throw ConfigurationError(
            "--draft-model \(loaded.modelID): its vocabulary is not the model's: token \(first) is \(texts[0]) there and "
                + "\(texts[1]) here; a draft model needs the same vocabulary, as smaller models of a family have"
        )
    }

    private static func mock(_ configuration: Configuration) throws -> Model {
        guard let json = BuiltinFiles.file("tokenizer.json")?.array else {
            throw ConfigurationError("the built-in tokenizer is missing from this build")
        }
        let tokenizer = try Tokenizer(tokenizerJSON: json)
        let engine = try MockModel(tokenizer: tokenizer).engine(tokensPerSecond: configuration.mockTokensPerSecond)
        let format = try ChatFormat(
            try TokenizerConfiguration(files: { BuiltinFiles.file($0)?.array }),
            architecture: "phi3",
            endTokens: [],
            tokenizer: tokenizer
        )
        return Model(engine: engine, tokenizer: tokenizer, chatFormat: format, createdAt: BuiltinFiles.createdAt)
    }
}

/// The built-in model's files, which are embedded in the program.
enum BuiltinFiles {
    static let modelID = "pensieve-builtin"
    static let displayName = "Pensieve's built-in model (a small demonstration model)"
    static let createdAt = "2026-11-24T00:00:00Z"

    private static let names = [
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors",
    ]

    static var all: [String: FileBytes] {
        names.reduce(into: [:]) { files, name in files[name] = file(name) }
    }

    static func file(_ name: String) -> FileBytes? {
        var start: UnsafePointer<UInt8>?
        var length = 0
        guard pensieve_builtin_file(name, &start, &length) == 1, let start else { return nil }
        return FileBytes(permanent: UnsafeRawBufferPointer(start: start, count: length))
    }
}
