extension Tokenizer {
    /// Whether a token stands for what any message may say.
    package func isPlain(_ token: Int32) -> Bool {
        PlainText.contains(String(decoding: bytes(of: token), as: UTF8.self))
    }

    /// This tokenizer, with tokens that no message may spell: only a chat format's own text gives them. A message that
    /// has their letters gives other tokens.
    package func guarding(_ tokens: Set<Int32>) throws(TokenizerError) -> Tokenizer {
        // What is looked for in normalized text only is not found beside what somebody else wrote.
        let open = tokens.filter { token in
            added[token].map { $0.mayBeSpelled || $0.isNormalized } ?? spellings.isKnown(token)
        }
        guard !open.isEmpty else { return self }
        var list = added.tokens.map { open.contains($0.id) ? $0.guarded() : $0 }
        // One that only the vocabulary has is found where the format writes it.
        for token in open.sorted() where added[token] == nil {
            let content = bytes(of: token)
            guard !content.isEmpty, content.count <= AddedToken.longest else { continue }
            list.append(AddedToken(id: token, content: content, isSpecial: true))
        }
        return try copy(list, model.reserving(open))
    }

    /// This tokenizer, without the tokens that a model's embedding has no row for: texts are spelled with the others.
    /// - Throws: if the others cannot spell everything.
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
        var result = try copy(kept, model.reserving(excess), postProcessor.limited(to: limit))
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
            spellings,
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

    /// The added tokens whose content is written in texts of the format's, as they come, whether or not they would be
    /// found there: some are looked for in normalized text, where spaces may be needed.
    package func addedTokens(writtenIn texts: [[UInt8]]) -> [AddedToken] {
        guard let all = try? AddedTokens(added.tokens.map { $0.guarded() }, normalizer: normalizer) else { return [] }
        return texts.flatMap { text in
            all.segments(of: text, .raw, .all).compactMap { if case .token(let token) = $0 { all[token] } else { nil } }
        }
    }

    /// Whether an added token takes the white space after it along.
    package func stripsSpaceAfter(_ token: Int32) -> Bool { added[token]?.stripsRight ?? false }
}

/// What any message may say, whatever tokens it is: white space, a word, or a single character.
///
/// Templates write such text between turns too, and some vocabularies have line breaks among their added tokens.
enum PlainText {
    static func contains(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        return scalars.count < 2 || scalars.allSatisfy { CharacterClass.isSpace($0.value) }
            || scalars.allSatisfy { WordCharacters.ofWords.contains($0.value) }
    }
}
