import JSON

/// The `model` of a `tokenizer.json`: the vocabulary, and the model over it.
struct ModelReader {
    /// Of the model's tokens.
    private(set) var tokenStrings = TokenStrings()

    private let node: JSONNode
    private let forbidden: Set<[UInt8]>

    /// - Parameter forbidden: the strings that no text may be encoded as, whatever the model would do: those of special
    ///   tokens. The reference lets a text forge such a token, if the vocabulary has it and merges lead there.
    init(_ node: JSONNode, forbidden: Set<[UInt8]>) {
        self.node = node
        self.forbidden = forbidden
    }

    /// Reads the model.
    /// - Parameter endsInByteAlphabet: whether the pieces are to be spelled in the byte alphabet. Set to false if the
    ///   model cannot do that by itself.
    mutating func read(endsInByteAlphabet: inout Bool) throws(JSONError) -> VocabularyModel {
        switch try node["type"].nullable?.string() ?? "BPE" {
        case "BPE": return .bytePair(try bytePair(&endsInByteAlphabet))
        case "Unigram":
            endsInByteAlphabet = false
            return .unigram(try unigram())
        case let type: throw node.error("is of type '\(type)', which is not supported; BPE and Unigram are")
        }
    }

    private mutating func bytePair(_ endsInByteAlphabet: inout Bool) throws(JSONError) -> BytePairModel {
        try refuseUnsupported()
        let table = try readTable()
        tokenStrings = table.tokenStrings
        var options = BytePairModel.Options()
        options.ignoresMerges = try node["ignore_merges"].nullable?.bool() ?? false
        options.fallsBackToBytes = try node["byte_fallback"].nullable?.bool() ?? false
        options.fusesUnknown = try node["fuse_unk"].nullable?.bool() ?? false
        if let name = try node["unk_token"].nullable {
            options.unknown = table.id(of: try name.bytes())
            guard options.unknown != nil else { throw name.error("is not in the vocabulary") }
        }
        if endsInByteAlphabet {
            // Where a byte has no token, the characters of its spelling are unknown, as in the reference.
            options.readsBytes = !options.fallsBackToBytes && ByteAlphabet.isComplete(in: table)
            endsInByteAlphabet = options.readsBytes
        }
        let merges = node["merges"]
        let forbidden = Set(forbidden.compactMap { table.id(of: $0) })
        var model = BytePairModel(table, options, forbidden: forbidden, mergeCount: try Self.mergeCount(merges))
        try add(merges, of: table, to: &model)
        return model
    }

    private func refuseUnsupported() throws(JSONError) {
        for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let affix = try node[name].nullable, try !affix.bytes().isEmpty {
                throw affix.error("is not empty, which is not supported")
            }
        }
        if let dropout = try node["dropout"].nullable, try dropout.double() != 0 {
            throw dropout.error("is not 0, which is not supported")
        }
    }

    /// Reads the tokens twice: how long they are, and then what they are, so that they take no more room than they need.
    private func readTable() throws(JSONError) -> TokenStringTable {
        let vocab = node["vocab"]
        let members = try vocab.members()
        let count = vocab.count
        let limit = TokenIDs.limit(tokenCount: count)
        var lengths: [UInt32] = []
        lengths.reserveCapacity(count + 1)
        for member in members {
            let number = try member.value.int(in: TokenIDs.range)
            guard number <= limit else {
                throw node.error("has a token numbered \(number), far more than it has tokens")
            }
            if number >= lengths.count {
                lengths += repeatElement(TokenStrings.absent, count: number + 1 - lengths.count)
            }
            guard lengths[number] == TokenStrings.absent else {
                throw node.error("gives the number \(number) to two tokens, or to one twice")
            }
            lengths[number] = UInt32(truncatingIfNeeded: member.nameBytes.count)
        }
        var table = TokenStringTable(places: TokenStrings(lengths: lengths), count: count)
        for member in members { table.set(try member.value.token(), member.nameBytes) }
        return table
    }

    /// The number of merges before the first element that is none.
    private static func mergeCount(_ merges: JSONNode) throws(JSONError) -> Int {
        var count = 0
        for merge in try merges.elements() {
            guard merge.kind == .string || merge.kind == .array else { break }
            count += 1
        }
        return count
    }

    private func add(
        _ merges: JSONNode,
        of table: TokenStringTable,
        to model: inout BytePairModel
    ) throws(JSONError) {
        var rank: UInt32 = 0
        for merge in try merges.elements() {
            guard let (left, right) = try Self.sides(of: merge) else {
                throw merge.error("is not a merge: two strings, or one with one space in it")
            }
            if right.isEmpty { continue }
            let whole = left + right
            guard let first = table.id(of: left), let second = table.id(of: right),
                let result = table.id(of: whole)
            else {
                throw merge.error(
                    "joins '\(String(decoding: left, as: UTF8.self))' and '\(String(decoding: right, as: UTF8.self))', "
                        + "of which one, or what they make, is not in the vocabulary"
                )
            }
            guard model.addMerge(first, second, rank: rank, result: result, spelling: whole) else {
                throw merges.error("are more than \(MergeTable.mostMerges)")
            }
            rank += 1
        }
    }

    /// A merge is written "left right" or ["left", "right"]. A comment in the old form has nothing on its right.
    private static func sides(of merge: JSONNode) throws(JSONError) -> (left: [UInt8], right: [UInt8])? {
        if merge.kind == .string {
            let text = try merge.bytes()
            if text.starts(with: "#version".utf8) { return (text, []) }
            guard let space = text.firstIndex(of: UInt8(ascii: " ")) else { return nil }
            let right = text[(space + 1)...]
            return right.isEmpty || right.contains(UInt8(ascii: " ")) ? nil : (Array(text[..<space]), Array(right))
        }
        var sides = try merge.elements()
        guard let left = try sides.next()?.bytes(), let right = try sides.next()?.bytes(), sides.next() == nil,
            !right.isEmpty
        else { return nil }
        return (left, right)
    }

    /// Reads the tokens in three passes, so that no more memory is reserved than needed: their lengths, their strings, and
    /// after the tree is built their scores.
    private mutating func unigram() throws(JSONError) -> UnigramModel {
        let vocab = node["vocab"]
        let tokens = try vocab.elements()
        var (count, byteCount) = (0, 0)
        for token in tokens {
            let spelling = try Self.pair(token).spelling.bytes()
            guard count <= TokenIDs.range.upperBound, spelling.count <= AddedToken.longest else {
                throw token.error("is not a token of at most \(AddedToken.longest) bytes")
            }
            count += 1
            byteCount += spelling.count
        }
        guard count > 0 else { throw vocab.error("is empty") }
        tokenStrings = TokenStrings(capacity: count, byteCapacity: byteCount)
        for token in tokens { tokenStrings.append(try Self.pair(token).spelling.bytes()) }
        let trie = ByteTrie(tokenStrings)
        var scores: [Double] = []
        scores.reserveCapacity(count)
        for token in tokens {
            let score = try Self.pair(token).score.serdeNumber()
            guard score.isFinite else { throw token.error("has a score that is not finite") }
            scores.append(score)
        }
        let unknown = try node["unk_id"].int(in: 0...(count - 1))
        return UnigramModel(
            trie,
            scores: scores,
            unknown: Int32(truncatingIfNeeded: unknown),
            forbidden: Set(forbidden.compactMap { trie.id(of: $0) }),
            fallsBackToBytes: try node["byte_fallback"].nullable?.bool() ?? false
        )
    }

    /// The string and the score of a token.
    private static func pair(_ token: JSONNode) throws(JSONError) -> (spelling: JSONNode, score: JSONNode) {
        var parts = try token.elements()
        guard let spelling = parts.next(), let score = parts.next() else {
            throw token.error("is not a token and its score")
        }
        return (spelling, score)
    }
}
