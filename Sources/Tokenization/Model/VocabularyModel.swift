/// How pieces of text become tokens.
enum VocabularyModel: Sendable {
    case bytePair(BytePairModel)
    case unigram(UnigramModel)

    /// Appends the tokens of one piece.
    @inline(__always)
    func encode(_ text: [UInt8], _ piece: Range<Int>, _ work: inout EncodingWorkspace, to result: inout [Int32]) {
        switch self {
        case .bytePair(let model): model.encode(text, piece, &work, to: &result)
        case .unigram(let model): model.encode(text, piece, &work, to: &result)
        }
    }
}

/// The `model` of a `tokenizer.json`: the vocabulary, and the model over it.
struct ModelReader {
    /// Each token by its spelling.
    private(set) var spellings: SpellingTable
    /// Tokens whose spelling a later one has too: they are never the result of an encoding.
    private(set) var hidden: [(spelling: [UInt8], token: Int32)] = []
    let model: VocabularyModel

    /// - Parameter endsInByteAlphabet: whether the pieces are to be spelled in the byte alphabet. Set to false if the
    ///   model cannot do that by itself.
    init(_ node: JSONNode, endsInByteAlphabet: inout Bool) throws(TokenizerError) {
        switch try node.member("type")?.string() ?? "BPE" {
        case "BPE": (spellings, model) = try Self.bytePair(node, &endsInByteAlphabet)
        case "Unigram":
            endsInByteAlphabet = false
            (spellings, hidden, model) = try Self.unigram(node)
        case let type: throw node.fault("is of type '\(type)', which is not supported; BPE and Unigram are")
        }
    }

    private static func bytePair(
        _ node: JSONNode,
        _ endsInByteAlphabet: inout Bool
    ) throws(TokenizerError) -> (SpellingTable, VocabularyModel) {
        for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let affix = try node.member(name), try !affix.bytes().isEmpty {
                throw affix.fault("is not empty, which is not supported")
            }
        }
        if let dropout = try node.member("dropout"), node.document.number(dropout.value) != 0 {
            throw dropout.fault("is not 0, which is not supported")
        }
        let spellings = try spellings(node.required("vocab"))
        var options = BytePairModel.Options()
        options.ignoresMerges = try node.bool("ignore_merges", default: false)
        options.fallsBackToBytes = try node.bool("byte_fallback", default: false)
        options.fusesUnknown = try node.bool("fuse_unk", default: false)
        if let name = try node.member("unk_token") {
            options.unknown = spellings.number(of: try name.bytes())
            guard options.unknown != nil else { throw name.fault("is not in the vocabulary") }
        }
        if endsInByteAlphabet {
            // Where a byte has no token of its own, its spelling is what is unknown, as in the reference.
            options.readsBytes = !options.fallsBackToBytes && ByteAlphabet.isComplete(in: spellings)
            endsInByteAlphabet = options.readsBytes
        }
        let merges = try node.required("merges")
        var model = BytePairModel(spellings, options, mergeCount: merges.count)
        try add(merges, spellings, to: &model)
        return (spellings, .bytePair(model))
    }

    private static func spellings(_ vocab: JSONNode) throws(TokenizerError) -> SpellingTable {
        var spellings = SpellingTable(capacity: vocab.count / 2)
        try vocab.forEachMember { (key, value) throws(TokenizerError) in
            guard let number = vocab.document.integer(value), TokenNumbers.range.contains(number) else {
                let name = String(decoding: key, as: UTF8.self)
                throw vocab.child(value, name).fault("is not a token's number, or is out of range")
            }
            spellings.insert(key, Int32(truncatingIfNeeded: number))
        }
        return spellings
    }

    private static func add(
        _ merges: JSONNode,
        _ spellings: SpellingTable,
        to model: inout BytePairModel
    ) throws(TokenizerError) {
        var rank: UInt32 = 0
        try merges.forEachElement { (index, value) throws(TokenizerError) in
            guard let (left, right) = sides(of: value, in: merges.document) else {
                throw merges.child(value, index).fault("is not a merge: two strings, or one with one space in it")
            }
            if right.isEmpty { return }
            let whole = left + right
            guard let first = spellings.number(of: left), let second = spellings.number(of: right),
                let result = spellings.number(of: whole)
            else {
                throw merges.child(value, index).fault(
                    "joins '\(String(decoding: left, as: UTF8.self))' and '\(String(decoding: right, as: UTF8.self))', "
                        + "of which one, or what they make, is not in the vocabulary"
                )
            }
            model.addMerge(first, second, rank: rank, result: result, spelling: whole)
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

    private static func unigram(
        _ node: JSONNode
    ) throws(TokenizerError) -> (SpellingTable, [(spelling: [UInt8], token: Int32)], VocabularyModel) {
        let vocab = try node.required("vocab")
        let document = node.document
        var spellings = SpellingTable(capacity: vocab.count / 3)
        var hidden: [(spelling: [UInt8], token: Int32)] = []
        var scores: [Double] = []
        try vocab.forEachElement { (index, value) throws(TokenizerError) in
            guard case .array = document.kind(value) else { throw vocab.child(value, index).fault("is not an array") }
            var contents = document.contents(of: value)
            guard let first = contents.next(), let second = contents.next(), let spelling = document.string(first),
                let score = document.number(second), score.isFinite, TokenNumbers.range.contains(index)
            else { throw vocab.child(value, index).fault("is not a token and its score") }
            if let earlier = spellings.number(of: spelling) { hidden.append((spelling, earlier)) }
            spellings.insert(spelling, Int32(truncatingIfNeeded: index))
            scores.append(score)
        }
        let unknown = try node.required("unk_id")
        let token = try unknown.integer(in: 0...max(0, scores.count - 1))
        guard !scores.isEmpty else { throw vocab.fault("is empty") }
        let fallsBackToBytes = try node.bool("byte_fallback", default: false)
        let model = UnigramModel(
            spellings,
            scores: scores,
            unknown: Int32(truncatingIfNeeded: token),
            fallsBackToBytes: fallsBackToBytes
        )
        return (spellings, hidden, .unigram(model))
    }
}
