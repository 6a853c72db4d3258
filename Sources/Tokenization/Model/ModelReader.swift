/// The `model` of a `tokenizer.json`: the vocabulary, and the model over it.
struct ModelReader {
    /// Of the model's tokens.
    private(set) var spellings = Spellings()

    private let node: JSONNode
    private let reserved: Set<[UInt8]>

    /// - Parameter reserved: the spellings that no text may become, whatever the model would make of it: those of
    ///   special tokens. The reference lets a text forge such a token, if the vocabulary has it and merges lead there.
    init(_ node: JSONNode, reserved: Set<[UInt8]>) {
        self.node = node
        self.reserved = reserved
    }

    /// Reads the model.
    /// - Parameter endsInByteAlphabet: whether the pieces are to be spelled in the byte alphabet. Set to false if the
    ///   model cannot do that by itself.
    mutating func read(endsInByteAlphabet: inout Bool) throws(TokenizerError) -> VocabularyModel {
        switch try node.member("type")?.string() ?? "BPE" {
        case "BPE": return .bytePair(try bytePair(&endsInByteAlphabet))
        case "Unigram":
            endsInByteAlphabet = false
            return .unigram(try unigram())
        case let type: throw node.fault("is of type '\(type)', which is not supported; BPE and Unigram are")
        }
    }

    private mutating func bytePair(_ endsInByteAlphabet: inout Bool) throws(TokenizerError) -> BytePairModel {
        try refuseUnsupported()
        let table = try readTable()
        spellings = table.spellings
        var options = BytePairModel.Options()
        options.ignoresMerges = try node.bool("ignore_merges", default: false)
        options.fallsBackToBytes = try node.bool("byte_fallback", default: false)
        options.fusesUnknown = try node.bool("fuse_unk", default: false)
        if let name = try node.member("unk_token") {
            options.unknown = table.number(of: try name.bytes())
            guard options.unknown != nil else { throw name.fault("is not in the vocabulary") }
        }
        if endsInByteAlphabet {
            // Where a byte has no token of its own, its spelling is what is unknown, as in the reference.
            options.readsBytes = !options.fallsBackToBytes && ByteAlphabet.isComplete(in: table)
            endsInByteAlphabet = options.readsBytes
        }
        let merges = try node.required("merges")
        let reserved = Set(reserved.compactMap { table.number(of: $0) })
        var model = BytePairModel(table, options, reserved: reserved, mergeCount: merges.countOfTexts)
        try add(merges, of: table, to: &model)
        return model
    }

    private func refuseUnsupported() throws(TokenizerError) {
        for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let affix = try node.member(name), try !affix.bytes().isEmpty {
                throw affix.fault("is not empty, which is not supported")
            }
        }
        if let dropout = try node.member("dropout"), node.document.number(dropout.value) != 0 {
            throw dropout.fault("is not 0, which is not supported")
        }
    }

    /// Reads the tokens twice: how long they are, and then what they are, so that they take no more room than they need.
    private func readTable() throws(TokenizerError) -> SpellingTable {
        let vocab = try node.required("vocab")
        let count = vocab.count / 2
        let limit = TokenNumbers.limit(tokenCount: count)
        var lengths: [UInt32] = []
        lengths.reserveCapacity(count + 1)
        try vocab.forEachMember { (key, value) throws(TokenizerError) in
            guard let number = vocab.document.integer(value), TokenNumbers.range.contains(number) else {
                let name = String(decoding: key, as: UTF8.self)
                throw vocab.child(value, name).fault("is not a token's number, or is out of range")
            }
            guard number <= limit else {
                throw node.fault("has a token numbered \(number), far more than it has tokens")
            }
            if number >= lengths.count {
                lengths += repeatElement(Spellings.absent, count: number + 1 - lengths.count)
            }
            guard lengths[number] == Spellings.absent else {
                throw node.fault("gives the number \(number) to two tokens, or to one twice")
            }
            lengths[number] = UInt32(truncatingIfNeeded: key.count)
        }
        var table = SpellingTable(places: Spellings(lengths: lengths), count: count)
        try vocab.forEachMember { (key, value) throws(TokenizerError) in
            table.set(Int32(truncatingIfNeeded: vocab.document.integer(value) ?? 0), key)
        }
        return table
    }

    private func add(
        _ merges: JSONNode,
        of table: SpellingTable,
        to model: inout BytePairModel
    ) throws(TokenizerError) {
        var rank: UInt32 = 0
        try merges.forEachElement { (index, value) throws(TokenizerError) in
            guard let (left, right) = Self.sides(of: value, in: merges.document) else {
                throw merges.child(value, index).fault("is not a merge: two strings, or one with one space in it")
            }
            if right.isEmpty { return }
            let whole = left + right
            guard let first = table.number(of: left), let second = table.number(of: right),
                let result = table.number(of: whole)
            else {
                throw merges.child(value, index).fault(
                    "joins '\(String(decoding: left, as: UTF8.self))' and '\(String(decoding: right, as: UTF8.self))', "
                        + "of which one, or what they make, is not in the vocabulary"
                )
            }
            guard model.addMerge(first, second, rank: rank, result: result, spelling: whole) else {
                throw merges.fault("are more than \(MergeTable.mostMerges)")
            }
            rank += 1
        }
    }

    /// A merge is written "left right" or ["left", "right"]. A comment in the old form has nothing on its right.
    private static func sides(of merge: Int, in document: JSONDocument) -> (left: [UInt8], right: [UInt8])? {
        if let text = document.string(merge) {
            if text.starts(with: "#version".utf8) { return (text, []) }
            guard let space = text.firstIndex(of: UInt8(ascii: " ")) else { return nil }
            let right = text[(space + 1)...]
            return right.isEmpty || right.contains(UInt8(ascii: " ")) ? nil : (Array(text[..<space]), Array(right))
        }
        guard case .array = document.kind(merge) else { return nil }
        var contents = document.contents(of: merge)
        guard let first = contents.next(), let second = contents.next(), contents.next() == nil,
            let left = document.string(first), let right = document.string(second), !right.isEmpty
        else { return nil }
        return (left, right)
    }

    /// Reads the tokens one thing after the other, each when there is room for it: their lengths, their spellings, and
    /// once the tree is built their scores.
    private mutating func unigram() throws(TokenizerError) -> UnigramModel {
        let vocab = try node.required("vocab")
        let document = vocab.document
        let count = vocab.count
        guard count > 0 else { throw vocab.fault("is empty") }
        var byteCount = 0
        try forEachPair(vocab) { index, spelling, _ in
            guard let spelling = document.string(spelling), TokenNumbers.range.contains(index) else { return false }
            guard spelling.count <= AddedToken.longest else { return false }
            byteCount += spelling.count
            return true
        }
        spellings = Spellings(capacity: count, byteCapacity: byteCount)
        try forEachPair(vocab) { _, spelling, _ in
            spellings.append(document.string(spelling) ?? [])
            return true
        }
        let trie = ByteTrie(spellings)
        var scores: [Double] = []
        scores.reserveCapacity(count)
        try forEachPair(vocab) { _, _, score in
            guard let score = document.number(score), score.isFinite else { return false }
            scores.append(score)
            return true
        }
        let unknown = try node.required("unk_id").integer(in: 0...(count - 1))
        return UnigramModel(
            trie,
            scores: scores,
            unknown: Int32(truncatingIfNeeded: unknown),
            reserved: Set(reserved.compactMap { trie.number(of: $0) }),
            fallsBackToBytes: try node.bool("byte_fallback", default: false)
        )
    }

    /// Calls the body with the values of each token's spelling and score, in the order of their numbers.
    /// - Parameter body: returns false for what is none.
    private func forEachPair(
        _ vocab: JSONNode,
        _ body: (_ index: Int, _ spelling: Int, _ score: Int) -> Bool
    ) throws(TokenizerError) {
        let document = vocab.document
        try vocab.forEachElement { (index, value) throws(TokenizerError) in
            guard case .array = document.kind(value) else { throw vocab.child(value, index).fault("is not an array") }
            var contents = document.contents(of: value)
            guard let spelling = contents.next(), let score = contents.next(), body(index, spelling, score) else {
                throw vocab.child(value, index).fault(
                    "is not a token of at most \(AddedToken.longest) bytes and its score"
                )
            }
        }
    }
}
