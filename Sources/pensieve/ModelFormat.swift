import ModelFiles
import Tokenization

/// How the conversations of a model are written: as its template says, or else as its family does.
enum ModelFormat {
    static func find(
        _ source: ModelSource,
        _ configuration: ModelConfiguration,
        _ tokenizer: Tokenizer
    ) throws -> ChatFormat {
        // The built-in model was trained with this one.
        if case .memory = source { return .phi3 }
        var files = TokenizerConfiguration()
        if let file = try source.file("tokenizer_config.json") { files = try .init(json: file.array) }
        // A template in a file of its own counts more than one inside the configuration.
        for (name, path) in [
            ("default", "chat_template.jinja"), ("tool_use", "additional_chat_templates/tool_use.jinja"),
        ] {
            guard let template = try source.file(path) else { continue }
            files.templates[name] = String(decoding: template.array, as: UTF8.self)
        }
        do {
            return try ChatFormat(
                files,
                architecture: configuration.modelType,
                endTokens: Set(configuration.eosTokens.compactMap { Int32(exactly: $0) }),
                tokenizer: tokenizer
            )
        } catch {
            throw ModelError("\(source.label("chat_template.jinja")): \(error)")
        }
    }

    /// What to tell people about a format that is not the model's own; nil if it is.
    static func note(_ format: ChatFormat) -> String? {
        guard case .family(let name) = format.origin else { return nil }
        return "the model has no chat template; its conversations are written in the format '\(name)'"
    }
}
