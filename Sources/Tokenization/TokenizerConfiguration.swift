/// What `tokenizer_config.json`, and the files beside it, say to those who write conversations.
package struct TokenizerConfiguration: Sendable, Equatable {
    /// Chat templates by their names; a model with one has it as `default`.
    package var templates: [String: String]
    /// The text of special tokens by the names that templates know: `bos_token`, `eos_token`, …
    package var specialTokens: [String: String]
    /// What the files say of the tokens that are found in a text as they stand.
    package private(set) var addedTokens = AddedTokenFiles()
    /// Whether a conversation begins with what the tokenizer puts before a text, also where the template leaves it out.
    /// GGUF files are read so; a template of transformers says all there is.
    package var beginsAsText = false

    package init(templates: [String: String] = [:], specialTokens: [String: String] = [:]) {
        self.templates = templates
        self.specialTokens = [:]
        setNames(
            specialTokens.mapValues {
                AddedToken(id: AddedTokenFiles.unnumbered, content: Array($0.utf8), isSpecial: true)
            }
        )
    }

    /// Reads all files beside `tokenizer.json` that transformers reads, with its precedence.
    /// - Parameter contents: the contents of a file of the model; nil if there is none of that name.
    /// - Throws: `TokenizerError` if one is no JSON, or has none of the known forms; what `contents` throws.
    package init(files contents: (_ name: String) throws -> [UInt8]?) throws {
        self.init()
        var names: [String: AddedToken] = [:]
        if let json = try contents("tokenizer_config.json") { try read(json, &names) }
        if let json = try contents("special_tokens_map.json") {
            try addedTokens.read(specialTokensMap: json, &names)
        }
        if let json = try contents("added_tokens.json") { try addedTokens.read(addedTokens: json) }
        setNames(names)
        // What a processor of texts and pictures would use serves where the tokenizer has no template.
        for name in ["processor_config.json", "chat_template.json"] {
            guard templates.isEmpty, let json = try contents(name) else { continue }
            templates = try Self.templates(JSONNode(try JSONDocument(json, named: name)))
        }
        // A template in a file of its own counts more than one inside the configuration.
        for (name, path) in [
            ("default", "chat_template.jinja"), ("tool_use", "additional_chat_templates/tool_use.jinja"),
        ] {
            guard let template = try contents(path) else { continue }
            templates[name] = String(decoding: template, as: UTF8.self)
        }
    }

    /// Reads the contents of `tokenizer_config.json` alone.
    /// - Throws: `TokenizerError` if it is no JSON, or its `chat_template` has none of the known forms.
    package init(json: [UInt8]) throws(TokenizerError) {
        self.init()
        var names: [String: AddedToken] = [:]
        try read(json, &names)
        setNames(names)
    }

    private mutating func read(_ json: [UInt8], _ names: inout [String: AddedToken]) throws(TokenizerError) {
        let file = JSONNode(try JSONDocument(json, named: "tokenizer_config.json"))
        addedTokens = try AddedTokenFiles(file, &names)
        templates = try Self.templates(file)
    }

    private mutating func setNames(_ names: [String: AddedToken]) {
        specialTokens = names.mapValues { String(decoding: $0.content, as: UTF8.self) }
        addedTokens.named = names.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The `chat_template` of a file: one, or several by their names.
    private static func templates(_ file: JSONNode) throws(TokenizerError) -> [String: String] {
        guard let template = try file.member("chat_template") else { return [:] }
        var templates: [String: String] = [:]
        switch file.document.kind(template.value) {
        case .string: templates["default"] = try template.string()
        case .array:
            for named in try template.elements() {
                templates[try named.required("name").string()] = try named.required("template").string()
            }
        default: throw template.fault("is neither a text nor a list of named ones")
        }
        return templates
    }

    /// The template of conversations without tools.
    package var template: String? {
        if let template = templates["default"] { return template }
        // A model that names no default has one template as well as none, if there is no choice.
        let others = templates.filter { $0.key != "tool_use" && $0.key != "rag" }
        return others.count == 1 ? others.first?.value : templates["tool_use"]
    }

    /// The template of conversations with tools, if there is one of its own.
    package var toolTemplate: String? { templates["tool_use"] }
}
