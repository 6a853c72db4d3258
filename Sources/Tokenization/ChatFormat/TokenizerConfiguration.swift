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
        self.init()
        let file = JSONNode(try JSONDocument(json, named: "tokenizer_config.json"))
        try file.forEachMember { (key, value) throws(TokenizerError) in
            let name = String(decoding: key, as: UTF8.self)
            guard name.hasSuffix("_token") else { return }
            let token = file.child(value, name)
            // A text, or an object with its flags; what is neither is of no interest.
            switch file.document.kind(value) {
            case .string: specialTokens[name] = try token.string()
            case .object: specialTokens[name] = try? token.member("content")?.string()
            default: break
            }
        }
        guard let template = try file.member("chat_template") else { return }
        switch file.document.kind(template.value) {
        case .string: templates["default"] = try template.string()
        case .array:
            for named in try template.elements() {
                templates[try named.required("name").string()] = try named.required("template").string()
            }
        default: throw template.fault("is neither a text nor a list of named ones")
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
}
