import JSON
package import Tokenization

/// What the files beside `tokenizer.json` say about conversations: chat templates and special tokens.
package struct TokenizerConfiguration: Sendable, Equatable {
    /// Chat templates by name; a model with one has it as `default`.
    package var templates: [String: String]
    package private(set) var addedTokens: AddedTokenFiles
    /// Whether a conversation begins with the tokenizer's `tokensBeforeText` even if the template does not write them: so
    /// with GGUF files, while a template of transformers writes everything.
    package var addsTokensBeforeText = false

    package init(templates: [String: String] = [:], specialTokens: [String: String] = [:]) {
        self.templates = templates
        addedTokens = AddedTokenFiles(specialTokens: specialTokens)
    }

    /// Reads all files beside `tokenizer.json` that transformers reads, with its precedence.
    /// - Parameter contents: the contents of a file of the model; nil if there is none of that name.
    /// - Throws: `TokenizerError` if one is malformed; what `contents` throws.
    package init(files contents: (_ name: String) throws -> [UInt8]?) throws {
        addedTokens = try AddedTokenFiles(files: contents)
        templates = [:]
        // The template of a processor of texts and pictures is used where the tokenizer has none.
        for name in ["tokenizer_config.json", "processor_config.json", "chat_template.json"] {
            guard templates.isEmpty, let json = try contents(name) else { continue }
            templates = try JSONNode.file(json, named: name, Self.templates)
        }
        // A template in a file of its own overrides one inside the configuration.
        for (name, path) in [
            ("default", "chat_template.jinja"), ("tool_use", "additional_chat_templates/tool_use.jinja"),
        ] {
            guard let template = try contents(path) else { continue }
            templates[name] = String(decoding: template, as: UTF8.self)
        }
    }

    /// The `chat_template` of a file: one, or several by name.
    private static func templates(_ file: JSONNode) throws(JSONError) -> [String: String] {
        guard let template = try file["chat_template"].nullable else { return [:] }
        switch template.kind {
        case .string: return ["default": try template.string()]
        case .array:
            var templates: [String: String] = [:]
            for named in try template.elements(atMost: 1024) {
                templates[try named["name"].string()] = try named["template"].string()
            }
            return templates
        default: throw template.error("is neither a text nor a list of named ones")
        }
    }

    /// The text of special tokens by the names that templates know: `bos_token`, `eos_token`, ….
    var specialTokens: [String: String] { addedTokens.specialTokens }

    /// The template of conversations without tools.
    var template: String? {
        if let template = templates["default"] { return template }
        // Several templates without a default leave no choice that would be right.
        let others = templates.filter { $0.key != "tool_use" && $0.key != "rag" }
        return others.count == 1 ? others.first?.value : templates["tool_use"]
    }

    /// The template of conversations with tools, if there is a separate one.
    var toolTemplate: String? { templates["tool_use"] }
}
