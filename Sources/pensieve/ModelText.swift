import Chat
import Inference
import ModelFiles
import Tokenization

/// What turns conversations into a model's tokens and back: its tokenizer and its chat format, as its files have them.
///
/// The one way there is: the server, `inspect` and the tests go it.
struct ModelText: Sendable {
    let tokenizer: Tokenizer
    let chatFormat: ChatFormat
    /// What people should know of how the files were read.
    let notes: [String]

    /// - Parameter vocabulary: of the same source.
    init(
        _ source: ModelSource,
        _ configuration: ModelConfiguration,
        _ vocabulary: LoadedModel.Vocabulary
    ) throws {
        var files = try TokenizerConfiguration { name in try source.file(name)?.array }
        if case .gguf = source { files.addsTokensBeforeText = true }
        let all = try Self.tokenizer(vocabulary, files.addedTokens)
        let own = try all.limited(toRows: configuration.vocabularySize)
        chatFormat = try Self.format(source, configuration, files, own)
        // A configuration may name tokens that the embedding has no row for.
        let rows = Int32(clamping: configuration.vocabularySize)
        tokenizer = try own.protecting(chatFormat.controlTokens(in: own).filter { $0 < rows })
        notes = Self.notes(chatFormat) + tokenizer.notes
    }

    private static func format(
        _ source: ModelSource,
        _ configuration: ModelConfiguration,
        _ files: TokenizerConfiguration,
        _ tokenizer: Tokenizer
    ) throws -> ChatFormat {
        // The built-in model was trained with this one.
        if case .memory = source { return .phi3 }
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
