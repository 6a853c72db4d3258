import FoundationEssentials

/// The small files that a folder would have beside the weights, made from the metadata.
extension GGUFModel {
    /// The file `name`, or nil if there is none of that name or nothing to put in it.
    func file(_ name: String) throws(ModelError) -> FileBytes? {
        switch name {
        case "tokenizer_config.json":
            guard let vocabulary = try GGUFVocabulary(self) else { return nil }
            return try encoded(TokenizerConfiguration(vocabulary))
        case "chat_template.jinja": return try template("tokenizer.chat_template")
        case "additional_chat_templates/tool_use.jinja": return try template("tokenizer.chat_template.tool_use")
        default: return nil
        }
    }

    private func template(_ key: String) throws(ModelError) -> FileBytes? {
        try text(key).map { FileBytes(copying: Array($0.utf8)) }
    }

    private func encoded(_ value: some Encodable) throws(ModelError) -> FileBytes {
        do {
            return FileBytes(copying: try JSONEncoder().encode(value))
        } catch {
            throw ModelError("\(path): metadata: a number that is not finite")
        }
    }

    /// What `tokenizer_config.json` says to those who render chats.
    private struct TokenizerConfiguration: Encodable {
        var bos_token: String?
        var eos_token: String?
        var unk_token: String?
        var pad_token: String?
        var add_bos_token: Bool?
        var add_eos_token: Bool?
        var chat_template: String?

        init(_ vocabulary: GGUFVocabulary) {
            func token(_ id: Int?) -> String? { id.map { vocabulary.tokens[$0] } }
            bos_token = token(vocabulary.bosToken)
            eos_token = token(vocabulary.eosToken)
            unk_token = token(vocabulary.unknownToken)
            pad_token = token(vocabulary.paddingToken)
            add_bos_token = vocabulary.addsBOS
            add_eos_token = vocabulary.addsEOS
            chat_template = vocabulary.chatTemplate
        }
    }
}
