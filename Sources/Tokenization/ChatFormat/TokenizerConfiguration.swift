import Foundation

/// What `tokenizer_config.json`, and the files beside it, say to those who write conversations.
package struct TokenizerConfiguration: Sendable, Equatable {
    /// Chat templates by their names; a model with one has it as `default`.
    package var templates: [String: String]
    /// The text of special tokens by the names that templates know: `bos_token`, `eos_token`, …
    package var specialTokens: [String: String]

    package init(templates: [String: String] = [:], specialTokens: [String: String] = [:]) {
        self.templates = templates
        self.specialTokens = specialTokens
    }

    /// Reads the contents of `tokenizer_config.json`.
    /// - Throws: `TokenizerError` if it is no JSON, or its `chat_template` has none of the known forms.
    package init(json: [UInt8]) throws(TokenizerError) {
        let fields: [String: Field]
        do {
            fields = try JSONDecoder().decode([String: Field].self, from: Data(json))
        } catch {
            throw TokenizerError("tokenizer_config.json: not the JSON that is expected")
        }
        self.init()
        for (name, field) in fields where name.hasSuffix("_token") {
            if case .text(let text) = field { specialTokens[name] = text }
            if case .token(let content) = field { specialTokens[name] = content }
        }
        switch fields["chat_template"] {
        case .text(let text): templates["default"] = text
        case .templates(let list): for template in list { templates[template.name] = template.template }
        case nil, .null: break
        default: throw TokenizerError("tokenizer_config.json: chat_template is neither a text nor a list of named ones")
        }
    }

    /// The template of conversations without tools.
    var template: String? {
        if let template = templates["default"] { return template }
        // A model that names no default has one template as well as none, if there is no choice.
        let others = templates.filter { $0.key != "tool_use" && $0.key != "rag" }
        return others.count == 1 ? others.first?.value : templates["tool_use"]
    }

    /// The template of conversations with tools, if there is one of its own.
    var toolTemplate: String? { templates["tool_use"] }

    /// One value of the file, as far as it is of interest.
    private enum Field: Decodable {
        case text(String)
        case token(String)
        case templates([NamedTemplate])
        case null
        case other

        private struct Token: Decodable { var content: String }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let token = try? container.decode(Token.self) {
                self = .token(token.content)
            } else if let templates = try? container.decode([NamedTemplate].self) {
                self = .templates(templates)
            } else {
                self = .other
            }
        }
    }

    private struct NamedTemplate: Decodable {
        var name: String
        var template: String
    }
}
