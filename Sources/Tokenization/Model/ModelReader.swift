import JSON

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
        spellings = table.spellings
        var options = BytePairModel.Options()
        options.ignoresMerges = try node["ignore_merges"].nullable?.bool() ?? false
        options.fallsBackToBytes = try node["byte_fallback"].nullable?.bool() ?? false
        options.fusesUnknown = try node["fuse_unk"].nullable?.bool() ?? false
        if let name = try node["unk_token"].nullable {
            options.unknown = table.number(of: try name.bytes())
            guard options.unknown != nil else { throw name.error("is not in the vocabulary") }
        }
        if endsInByteAlphabet {
            // Where a byte has no token of its own, its spelling is what is unknown, as in the reference.
            options.readsBytes = !options.fallsBackToBytes && ByteAlphabet.isComplete(in: table)
            endsInByteAlphabet = options.readsBytes
        }
        let merges = node["merges"]
        let reserved = Set(reserved.compactMap { table.number(of: $0) })
        var model = BytePairModel(table, options, reserved: reserved, mergeCount: try Self.mergeCount(merges))
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
    private func readTable() throws(JSONError) -> SpellingTable {
        let vocab = node["vocab"]
        let members = try vocab.members()
        let count = vocab.count
        let limit = TokenNumbers.limit(tokenCount: count)
        var lengths: [UInt32] = []
        lengths.reserveCapacity(count + 1)
        for member in members {
            let number = try member.value.int(in: TokenNumbers.range)
            guard number <= limit else {
                throw node.error("has a token numbered \(number), far more than it has tokens")
            }
            if number >= lengths.count {
                lengths += repeatElement(Spellings.absent, count: number + 1 - lengths.count)
            }
            guard lengths[number] == Spellings.absent else {
                throw node.error("gives the number \(number) to two tokens, or to one twice")
            }
            lengths[number] = UInt32(truncatingIfNeeded: member.nameBytes.count)
        }
        var table = SpellingTable(places: Spellings(lengths: lengths), count: count)
        for member in members { table.set(try member.value.token(), member.nameBytes) }
        return table
    }

    /// How many merges there are before what is none: as many are made room for.
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
        of table: SpellingTable,
        to model: inout BytePairModel
    ) throws(JSONError) {
        var rank: UInt32 = 0
        for merge in try merges.elements() {
            guard let (left, right) = try Self.sides(of: merge) else {
                throw merge.error("is not a merge: two strings, or one with one space in it")
            }
            if right.isEmpty { continue }
            let whole = left + right
            guard let first = table.number(of: left), let second = table.number(of: right),
                let result = table.number(of: whole)
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

    /// Reads the tokens one thing after the other, each when there is room for it: their lengths, their spellings, and
    /// once the tree is built their scores.
    private mutating func unigram() throws(JSONError) -> UnigramModel {
        let vocab = node["vocab"]
        let tokens = try vocab.elements()
        var (count, byteCount) = (0, 0)
        for token in tokens {
            let spelling = try Self.pair(token).spelling.bytes()
            guard count <= TokenNumbers.range.upperBound, spelling.count <= AddedToken.longest else {
                throw token.error("is not a token of at most \(AddedToken.longest) bytes")
            }
            count += 1
            byteCount += spelling.count
        }
        guard count > 0 else { throw vocab.error("is empty") }
        spellings = Spellings(capacity: count, byteCapacity: byteCount)
        for token in tokens { spellings.append(try Self.pair(token).spelling.bytes()) }
        let trie = ByteTrie(spellings)
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
            reserved: Set(reserved.compactMap { trie.number(of: $0) }),
            fallsBackToBytes: try node["byte_fallback"].nullable?.bool() ?? false
        )
    }

    /// The spelling and the score of a token.
    private static func pair(_ token: JSONNode) throws(JSONError) -> (spelling: JSONNode, score: JSONNode) {
        var parts = try token.elements()
        guard let spelling = parts.next(), let score = parts.next() else {
            throw token.error("is not a token and its score")
        }
        return (spelling, score)
    }
}
