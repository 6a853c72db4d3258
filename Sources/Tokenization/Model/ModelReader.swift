/// The `model` of a `tokenizer.json`: the vocabulary, and the model over it.
struct ModelReader {
    /// Each token by its spelling.
    private(set) var spellings = SpellingTable()
    /// Tokens whose spelling a later one has too: they are never the result of an encoding.
    private(set) var hidden: [(spelling: [UInt8], token: Int32)] = []

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

    private var reservedTokens: Set<Int32> { Set(reserved.compactMap { spellings.number(of: $0) }) }

    private mutating func bytePair(_ endsInByteAlphabet: inout Bool) throws(TokenizerError) -> BytePairModel {
        try refuseUnsupported()
        try readSpellings()
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
        var model = BytePairModel(spellings, options, reserved: reservedTokens, mergeCount: merges.count)
        try add(merges, to: &model)
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

    private mutating func readSpellings() throws(TokenizerError) {
        let vocab = try node.required("vocab")
        var table = SpellingTable(capacity: vocab.count / 2, byteCapacity: vocab.stringBytes)
        try vocab.forEachMember { (key, value) throws(TokenizerError) in
            guard let number = vocab.document.integer(value), TokenNumbers.range.contains(number) else {
                let name = String(decoding: key, as: UTF8.self)
                throw vocab.child(value, name).fault("is not a token's number, or is out of range")
            }
            table.insert(key, Int32(truncatingIfNeeded: number))
        }
        spellings = table
    }

    private func add(_ merges: JSONNode, to model: inout BytePairModel) throws(TokenizerError) {
        var rank: UInt32 = 0
        try merges.forEachElement { (index, value) throws(TokenizerError) in
            guard let (left, right) = Self.sides(of: value, in: merges.document) else {
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

    private mutating func unigram() throws(TokenizerError) -> UnigramModel {
        let vocab = try node.required("vocab")
        let document = node.document
        var table = SpellingTable(capacity: vocab.count)
        var scores: [Double] = []
        var hidden: [(spelling: [UInt8], token: Int32)] = []
        try vocab.forEachElement { (index, value) throws(TokenizerError) in
            guard case .array = document.kind(value) else { throw vocab.child(value, index).fault("is not an array") }
            var contents = document.contents(of: value)
            guard let first = contents.next(), let second = contents.next(), let spelling = document.string(first),
                let score = document.number(second), score.isFinite, TokenNumbers.range.contains(index)
            else { throw vocab.child(value, index).fault("is not a token and its score") }
            if let earlier = table.number(of: spelling) { hidden.append((spelling, earlier)) }
            table.insert(spelling, Int32(truncatingIfNeeded: index))
            scores.append(score)
        }
        guard !scores.isEmpty else { throw vocab.fault("is empty") }
        let unknown = try node.required("unk_id").integer(in: 0...(scores.count - 1))
        (spellings, self.hidden) = (table, hidden)
        return UnigramModel(
            spellings,
            scores: scores,
            unknown: Int32(truncatingIfNeeded: unknown),
            reserved: reservedTokens,
            fallsBackToBytes: try node.bool("byte_fallback", default: false)
        )
    }
}
