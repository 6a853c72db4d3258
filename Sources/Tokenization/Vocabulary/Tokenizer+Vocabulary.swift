extension Tokenizer {
    /// Makes a tokenizer from the plain values of a GGUF file.
    /// - Throws: `TokenizerError` naming what is missing, wrong or not supported.
    package init(vocabulary: VocabularyValues) throws(TokenizerError) {
        try vocabulary.check()
        switch vocabulary.model {
        case "llama": try self.init(sentencePiece: vocabulary)
        case "gpt2": try self.init(byteLevel: vocabulary)
        case "gemma4": try self.init(mergesOfMarkedText: vocabulary)
        case let model:
            throw VocabularyValues.error("its model is '\(model)', which is not supported; llama, gpt2 and gemma4 are")
        }
    }

    private init(sentencePiece vocabulary: VocabularyValues) throws(TokenizerError) {
        let mark = Array("▁".utf8)
        let addsPrefix = vocabulary.addsSpacePrefix ?? true
        let normalizer = Normalizer(markingSpacesWith: mark, addsPrefix: addsPrefix)
        let merges = try ScoredMerges(vocabulary)
        try self.init(
            merges.table.tokenStrings,
            .bytePair(merges.model),
            try AddedTokens(vocabulary.addedTokens(), normalizer: normalizer),
            normalizer,
            PreTokenizer(),
            .sentencePiece(mark: mark, dropsFirstSpace: addsPrefix),
            vocabulary.postProcessor(addsBeginning: true, beginning: 1, end: 2)
        )
    }

    /// As SentencePiece's, but with a list of merges in place of scores.
    private init(mergesOfMarkedText vocabulary: VocabularyValues) throws(TokenizerError) {
        let mark = Array("▁".utf8)
        let addsPrefix = vocabulary.addsSpacePrefix ?? false
        let normalizer = Normalizer(markingSpacesWith: mark, addsPrefix: addsPrefix)
        let table = TokenStringTable(vocabulary.makeTokenStrings())
        let added = vocabulary.addedTokens()
        let options = BytePairModel.Options(
            unknown: vocabulary.unknownToken.map { Int32(truncatingIfNeeded: $0) },
            fallsBackToBytes: true
        )
        var model = BytePairModel(
            table,
            options,
            forbidden: Set(added.filter { !$0.mayAppearInText }.map(\.id)),
            mergeCount: vocabulary.merges.count
        )
        let strange = try model.add(vocabulary.merges, table)
        try self.init(
            table.tokenStrings,
            .bytePair(model),
            try AddedTokens(added, normalizer: normalizer),
            normalizer,
            PreTokenizer(),
            .sentencePiece(mark: mark, dropsFirstSpace: addsPrefix),
            vocabulary.postProcessor(addsBeginning: true, beginning: nil, end: nil)
        )
        note(strange, of: vocabulary)
    }

    private init(byteLevel vocabulary: VocabularyValues) throws(TokenizerError) {
        let name = vocabulary.preTokenizer ?? "default"
        guard let family = ByteLevelFamily(named: name) else {
            throw VocabularyValues.error("its pre-tokenizer is '\(name)', which is not supported")
        }
        var preTokenizer: PreTokenizer
        do throws(PatternError) {
            preTokenizer = try PreTokenizer(byteLevelPatterns: family.patterns)
        } catch {
            throw VocabularyValues.error("its pre-tokenizer '\(name)' has \(error.description)")
        }
        let table = TokenStringTable(vocabulary.makeTokenStrings())
        let added = vocabulary.addedTokens()
        let readsBytes = ByteAlphabet.isComplete(in: table)
        if !readsBytes { preTokenizer.spellByteAlphabet() }
        let options = BytePairModel.Options(readsBytes: readsBytes, ignoresMerges: family.ignoresMerges)
        var model = BytePairModel(
            table,
            options,
            forbidden: Set(added.filter { !$0.mayAppearInText }.map(\.id)),
            mergeCount: vocabulary.merges.count
        )
        let strange = try model.add(vocabulary.merges, table)
        // The reference normalizes no byte-level text, whatever the family's own file does.
        let normalizer = Normalizer()
        try self.init(
            table.tokenStrings,
            .bytePair(model),
            try AddedTokens(added, normalizer: normalizer),
            normalizer,
            preTokenizer,
            .byteLevel,
            vocabulary.postProcessor(addsBeginning: family.addsBeginning, beginning: nil, end: nil)
        )
        if vocabulary.preTokenizer == nil {
            notes.append("the file does not say how texts are to be cut: cut the default way, perhaps not the model's")
        }
        note(strange, of: vocabulary)
    }

    /// Tells of merges that were left out.
    private mutating func note(_ strange: Int, of vocabulary: VocabularyValues) {
        guard strange > 0 else { return }
        notes.append(
            "\(strange) of the vocabulary's \(vocabulary.merges.count) merges "
                + "\(strange == 1 ? "is of a token" : "are of tokens") that it does not have: left out"
        )
    }
}

extension BytePairModel {
    /// - Returns: how many merges are of tokens that there are not; these are left out.
    fileprivate mutating func add(_ merges: [String], _ table: TokenStringTable) throws(TokenizerError) -> Int {
        var strange = 0
        for (index, merge) in merges.enumerated() {
            if try !add(merge, number: index, table) { strange += 1 }
        }
        return strange
    }

    /// - Returns: whether the merge is of tokens that there are; if not, it is left out.
    fileprivate mutating func add(
        _ merge: String,
        number: Int,
        _ table: TokenStringTable
    ) throws(TokenizerError) -> Bool {
        let text = Array(merge.utf8)
        // The space of a merge is not its first character, which may be one.
        guard let space = text.dropFirst().firstIndex(of: UInt8(ascii: " ")), space + 1 < text.count else {
            throw VocabularyValues.error("its merge \(number) is not two tokens with a space between them")
        }
        let (left, right) = (Array(text[..<space]), Array(text[(space + 1)...]))
        guard let first = table.id(of: left), let second = table.id(of: right),
            let result = table.id(of: left + right)
        else { return false }
        let rank = UInt32(truncatingIfNeeded: number)
        guard addMerge(first, second, rank: rank, result: result, spelling: left + right) else {
            throw VocabularyValues.error("it has more than \(MergeTable.mostMerges) merges")
        }
        return true
    }
}
