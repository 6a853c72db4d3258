import Chat
import Inference
import ModelFiles
import Tokenization

/// The tokenizer and the chat format of a model's files. The server, `inspect` and the tests all read them here.
struct ModelText: Sendable {
    let tokenizer: Tokenizer
    let chatFormat: ChatFormat
    /// Remarks for the user on how the files were read.
    let notes: [String]

    /// - Parameter vocabulary: from the same source.
    /// - Throws: `ModelError` and errors of the tokenizer.
    init(
        _ source: ModelSource,
        _ configuration: ModelConfiguration,
        _ vocabulary: LoadedModel.Vocabulary
    ) throws {
        let files =
            switch vocabulary {
            case .gguf(let file): TokenizerConfiguration(file)
            case .tokenizerJSON: try TokenizerConfiguration { name in try source.file(name)?.array }
            }
        let all = try Self.tokenizer(vocabulary, files.addedTokens)
        let own = try all.limited(toRows: configuration.transformer.vocabularySize)
        chatFormat = try Self.format(source, configuration, files, own)
        // A configuration may name tokens without a row in the embedding.
        let rows = Int32(clamping: configuration.transformer.vocabularySize)
        tokenizer = try own.protecting(chatFormat.controlTokens(in: own).filter { $0 < rows })
        notes = Self.notes(chatFormat) + tokenizer.notes
    }

    private static func format(
        _ source: ModelSource,
        _ configuration: ModelConfiguration,
        _ files: TokenizerConfiguration,
        _ tokenizer: Tokenizer
    ) throws -> ChatFormat {
        do {
            return try ChatFormat(
                files,
                architecture: configuration.modelType,
                endTokens: Set(configuration.eosTokens.compactMap { Int32(exactly: $0) }),
                tokenizer: tokenizer
            )
        } catch {
            throw ModelError("\(source.folderName ?? "the model"): chat template: \(error)")
        }
    }

    private static func notes(_ format: ChatFormat) -> [String] {
        guard case .family(let name) = format.origin else { return format.notes }
        return ["the model has no chat template; its conversations are written in the format '\(name)'"] + format.notes
    }

    /// The vocabulary's tokenizer.
    static func tokenizer(
        _ vocabulary: LoadedModel.Vocabulary,
        _ addedTokens: AddedTokenFiles = AddedTokenFiles()
    ) throws -> Tokenizer {
        switch vocabulary {
        case .tokenizerJSON(let json): try Tokenizer(tokenizerJSON: json, files: addedTokens)
        case .gguf(let file): try Tokenizer(vocabulary: VocabularyValues(file))
        }
    }
}

extension TokenizerConfiguration {
    /// What a GGUF file says of what other models have in `tokenizer_config.json`.
    fileprivate init(_ file: GGUFVocabulary) {
        func token(_ id: Int?) -> String? { id.map { file.tokens[$0] } }
        let tokens = [
            "bos_token": token(file.bosToken), "eos_token": token(file.eosToken), "unk_token": token(file.unknownToken),
            "pad_token": token(file.paddingToken),
        ]
        let templates = ["default": file.chatTemplate, "tool_use": file.toolTemplate]
        self.init(templates: templates.compactMapValues(\.self), specialTokens: tokens.compactMapValues(\.self))
        addsTokensBeforeText = true
    }
}

extension VocabularyValues {
    fileprivate init(_ file: GGUFVocabulary) {
        self.init(
            model: file.model,
            preTokenizer: file.pre,
            tokens: file.tokens,
            scores: file.scores,
            kinds: file.types.map { Int32(clamping: $0) },
            merges: file.merges,
            beginningToken: file.bosToken,
            endToken: file.eosToken,
            unknownToken: file.unknownToken,
            endTokens: file.endTokens,
            addsBeginning: file.addsBOS,
            addsEnd: file.addsEOS,
            addsSpacePrefix: file.addsSpacePrefix,
            modelName: file.modelName
        )
    }
}
