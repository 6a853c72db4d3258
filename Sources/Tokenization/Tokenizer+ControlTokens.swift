extension Tokenizer {
    /// Whether a token stands for ordinary text: white space, a word or a single character.
    package func isPlain(_ token: Int32) -> Bool {
        PlainText.contains(String(decoding: bytes(of: token), as: UTF8.self))
    }

    /// This tokenizer with control tokens that are found only in a chat format's own text. Elsewhere their text is encoded
    /// as other tokens.
    /// - Throws: `TokenizerError` if an added token becomes too long.
    package func protecting(_ tokens: Set<Int32>) throws(TokenizerError) -> Tokenizer {
        // A token that is looked for after normalization could be missed beside a user's text.
        let open = tokens.filter { token in
            added[token].map { $0.mayAppearInText || $0.isNormalized } ?? tokenStrings.isKnown(token)
        }
        guard !open.isEmpty else { return self }
        var list = added.tokens.map { open.contains($0.id) ? $0.protected() : $0 }
        // A token of the vocabulary alone becomes an added token, so that it is found where the format writes it.
        for token in open.sorted() where added[token] == nil {
            let content = bytes(of: token)
            guard !content.isEmpty, content.count <= AddedToken.longest else { continue }
            list.append(AddedToken(id: token, content: content, isSpecial: true))
        }
        return try copy(list, model.forbidding(open))
    }

    /// This tokenizer without the tokens that a model's embedding has no row for.
    /// - Throws: `TokenizerError` if the others cannot encode every text.
    package func limited(toRows rows: Int) throws(TokenizerError) -> Tokenizer {
        let limit = Int32(clamping: rows)
        guard vocabularySize > rows else { return self }
        let excess = Set(limit..<Int32(clamping: vocabularySize))
        guard !model.needs(excess) else {
            throw TokenizerError(
                "the vocabulary has \(vocabularySize) tokens, but the model's embedding only \(rows) rows: "
                    + "too few to spell every text"
            )
        }
        let kept = added.tokens.filter { $0.id < limit }
        var result = try copy(kept, model.forbidding(excess), postProcessor.limited(to: limit))
        result.notes.append(
            "the vocabulary has \(vocabularySize) tokens, but the model's embedding only \(rows) rows: "
                + "no text becomes one of those beyond"
        )
        return result
    }

    private func copy(
        _ added: [AddedToken],
        _ model: VocabularyModel,
        _ postProcessor: PostProcessor? = nil
    ) throws(TokenizerError) -> Tokenizer {
        var result = try Tokenizer(
            tokenStrings,
            model,
            try AddedTokens(added, normalizer: normalizer),
            normalizer,
            preTokenizer,
            decoder,
            postProcessor ?? self.postProcessor
        )
        result.notes = notes
        return result
    }

    /// The added tokens that occur in texts of a chat format, in order, including those that are only looked for after
    /// normalization and would not be found as the texts stand.
    package func addedTokens(writtenIn texts: [[UInt8]]) -> [AddedToken] {
        guard let all = try? AddedTokens(added.tokens.map { $0.protected() }, normalizer: normalizer) else { return [] }
        return texts.flatMap { text in
            all.segments(of: text, .raw, .all).compactMap { if case .token(let token) = $0 { all[token] } else { nil } }
        }
    }

    /// Whether an added token includes the white space after it.
    package func stripsSpaceAfter(_ token: Int32) -> Bool { added[token]?.stripsRight ?? false }
}

/// Text that is never a control token: white space, a word, or a single character.
///
/// Templates write such text between turns too, and some vocabularies have line breaks among their added tokens.
enum PlainText {
    static func contains(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        return scalars.count < 2 || scalars.allSatisfy { CharacterClass.isSpace($0.value) }
            || scalars.allSatisfy { WordCharacters.ofWords.contains($0.value) }
    }
}
