/// The `model` of the file: what each token stands for, and how a piece of text becomes tokens.
struct Vocabulary: Sendable {
    /// The tokens a file may number: many times what any vocabulary in use has, and a bound to what a hostile file
    /// can make us allocate.
    static let tokenRange = 0...3_999_999

    /// What each token stands for, by its number.
    private(set) var bytes: [[UInt8]] = []

    private let isByteLevel: Bool
    private var merger: BytePairMerger
    /// The token of each single byte, -1 where the vocabulary lacks it.
    private var byteTokens = [Int32](repeating: -1, count: 256)
    private var characterTokens: [Unicode.Scalar: Int32] = [:]
    /// With `ignore_merges`: the pieces that are a token as they are.
    private var wholePieces: [[UInt8]: Int32] = [:]
    private var unknown: Int32?
    private var fusesUnknown = false

    init(_ model: JSONNode, decoder: TokenDecoder) throws(TokenizerError) {
        if let type = try model.member("type")?.string(), type != "BPE" {
            throw model.fault("is of type '\(type)', which is not supported yet; BPE is")
        }
        for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let affix = try model.member(name), try !affix.bytes().isEmpty {
                throw affix.fault("is not empty, which is not supported yet")
            }
        }
        isByteLevel = decoder.isByteLevel
        let merges = try model.required("merges")
        merger = BytePairMerger(capacity: try merges.array().count)
        let tokens = try Self.tokens(model.required("vocab"))
        try fill(tokens, model, decoder)
        try add(merges, tokens)
    }

    private static func tokens(_ vocab: JSONNode) throws(TokenizerError) -> [[UInt8]: Int32] {
        let members = try vocab.members()
        var tokens: [[UInt8]: Int32] = [:]
        tokens.reserveCapacity(members.count)
        for (key, value) in members {
            guard case .integer(let number) = value, tokenRange.contains(number) else {
                let name = String(decoding: key, as: UTF8.self)
                throw JSONNode(value, path: "model.vocab.\(name)").fault("is not a token's number, or is out of range")
            }
            tokens[key] = Int32(truncatingIfNeeded: number)
        }
        return tokens
    }

    private mutating func fill(
        _ tokens: [[UInt8]: Int32],
        _ model: JSONNode,
        _ decoder: TokenDecoder
    ) throws(TokenizerError) {
        let ignoresMerges = try model.bool("ignore_merges", default: false)
        let fallsBackToBytes = try model.bool("byte_fallback", default: false)
        reserve(tokens.values.max() ?? -1)
        var isTaken = [Bool](repeating: false, count: bytes.count)
        for (spelling, token) in tokens {
            guard !isTaken[Int(token)] else { throw model.fault("gives the number \(token) to two tokens") }
            isTaken[Int(token)] = true
            bytes[Int(token)] = decoder.bytes(of: spelling)
            let plain = isByteLevel ? ByteAlphabet.decode(spelling) : spelling
            if ignoresMerges, let plain { wholePieces[plain] = token }
            if isByteLevel {
                if let plain, plain.count == 1 { byteTokens[Int(plain[0])] = token }
            } else if !spelling.isEmpty, spelling.scalar(at: 0).end == spelling.count {
                characterTokens[spelling.scalar(at: 0).value] = token
            }
        }
        if fallsBackToBytes, !isByteLevel {
            for byte in UInt8.min ... .max { byteTokens[Int(byte)] = tokens[TokenDecoder.spelling(of: byte)] ?? -1 }
        }
        if let name = try model.member("unk_token") {
            unknown = tokens[try name.bytes()]
            guard unknown != nil else { throw name.fault("is not in the vocabulary") }
        }
        fusesUnknown = try model.bool("fuse_unk", default: false)
        guard isByteLevel || unknown != nil || !byteTokens.contains(-1) else {
            throw model.fault(
                "has neither a token for each byte nor one for what is unknown: it could not encode every text"
            )
        }
    }

    private mutating func add(_ merges: JSONNode, _ tokens: [[UInt8]: Int32]) throws(TokenizerError) {
        for (index, value) in try merges.array().enumerated() {
            guard let (left, right) = Self.sides(of: value) else {
                throw merges.element(index, value).fault("is not a merge: two strings, or one with one space in it")
            }
            guard let first = tokens[left], let second = tokens[right], let result = tokens[left + right] else {
                throw merges.element(index, value).fault(
                    "joins '\(String(decoding: left, as: UTF8.self))' and '\(String(decoding: right, as: UTF8.self))', "
                        + "of which one, or what they make, is not in the vocabulary"
                )
            }
            merger.add(first, second, result: result)
        }
    }

    /// A merge is written "left right" or ["left", "right"].
    private static func sides(of merge: JSON) -> (left: [UInt8], right: [UInt8])? {
        switch merge {
        case .array(let sides) where sides.count == 2:
            guard case .string(let left) = sides[0], case .string(let right) = sides[1] else { return nil }
            return (left, right)
        case .string(let text):
            let sides = text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            return sides.count == 2 ? (Array(sides[0]), Array(sides[1])) : nil
        default: return nil
        }
    }

    private mutating func reserve(_ token: Int32) {
        guard Int(token) >= bytes.count else { return }
        bytes += Array(repeating: [], count: Int(token) + 1 - bytes.count)
    }

    /// Gives an added token its number; one that the model has too takes its place.
    mutating func setBytes(_ content: [UInt8], of token: Int32) {
        reserve(token)
        bytes[Int(token)] = content
    }

    /// Appends the tokens of one piece.
    func encode(
        _ text: [UInt8],
        _ piece: Range<Int>,
        _ work: inout BytePairMerger.Workspace,
        to result: inout [Int32]
    ) {
        if !wholePieces.isEmpty, let whole = wholePieces[Array(text[piece])] { return result.append(whole) }
        work.symbols.removeAll(keepingCapacity: true)
        isByteLevel ? spellBytes(text, piece, &work.symbols) : spellCharacters(text, piece, &work.symbols)
        merger.merge(&work)
        result += work.symbols
    }

    private func spellBytes(_ text: [UInt8], _ piece: Range<Int>, _ symbols: inout [Int32]) {
        var isInUnknown = false
        for index in piece {
            let token = byteTokens[Int(text[index])]
            if token >= 0 { symbols.append(token) } else { appendUnknown(&symbols, isInUnknown) }
            isInUnknown = token < 0
        }
    }

    private func spellCharacters(_ text: [UInt8], _ piece: Range<Int>, _ symbols: inout [Int32]) {
        var isInUnknown = false
        var index = piece.lowerBound
        while index < piece.upperBound {
            let (scalar, end) = text.scalar(at: index)
            let bytes = index..<end
            index = end
            if let token = characterTokens[scalar] {
                symbols.append(token)
            } else if bytes.allSatisfy({ byteTokens[Int(text[$0])] >= 0 }) {
                for byte in bytes { symbols.append(byteTokens[Int(text[byte])]) }
            } else {
                appendUnknown(&symbols, isInUnknown)
                isInUnknown = true
                continue
            }
            isInUnknown = false
        }
    }

    private func appendUnknown(_ symbols: inout [Int32], _ isInUnknown: Bool) {
        if let unknown, !(isInUnknown && fusesUnknown) { symbols.append(unknown) }
    }
}
