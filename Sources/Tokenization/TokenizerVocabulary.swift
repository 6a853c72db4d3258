/// A tokenizer's tables, and the encoding of plain text with them.
struct TokenizerVocabulary: Sendable {
    enum Kind: Sendable, Equatable {
        case byteLevel
        /// Characters, with a byte's own token where a character has none; `prefix` goes before the text.
        case characters(prefix: String)
    }

    /// What each token stands for, by its number.
    private(set) var bytes: [[UInt8]] = []
    private(set) var addedByContent: [String: Int32] = [:]
    private(set) var special: Set<Int32> = []
    private var added: [UInt8: [Tokenizer.AddedToken]] = [:]

    private let kind: Kind
    private let preTokenizer: PreTokenizer
    private var merger: BytePairMerger
    /// The token of each single byte, -1 where the vocabulary lacks it.
    private var byteTokens = [Int32](repeating: -1, count: 256)
    private var characterTokens: [Unicode.Scalar: Int32] = [:]
    private var wholeTokens: [String: Int32] = [:]
    private var unknown: Int32?

    /// Far more than any vocabulary in use has; keeps a hostile file from asking for memory.
    private static let largestToken: Int32 = 4_000_000

    init(file: TokenizerFile) throws(TokenizerError) {
        let model = file.model
        guard (model.type ?? "BPE") == "BPE" else {
            throw TokenizerError("tokenizer.json: model type '\(model.type ?? "")' is not supported; BPE is")
        }
        guard model.continuing_subword_prefix ?? "" == "", model.end_of_word_suffix ?? "" == "" else {
            throw TokenizerError("tokenizer.json: model: subword prefixes and suffixes are not supported")
        }
        preTokenizer = try Self.preTokenizer(file.pre_tokenizer)
        let normalizer = try Self.prefix(file.normalizer)
        kind = Self.isByteLevel(file) ? .byteLevel : .characters(prefix: normalizer ?? "")
        merger = BytePairMerger(capacity: model.merges.count)
        try fill(model)
        try add(file.added_tokens ?? [])
        for (rank, merge) in model.merges.enumerated() {
            guard let left = model.vocab[merge.left], let right = model.vocab[merge.right],
                let result = model.vocab[merge.left + merge.right]
            else {
                throw TokenizerError(
                    "tokenizer.json: model.merges.\(rank): '\(merge.left)' and '\(merge.right)' or their "
                        + "union are not in the vocabulary"
                )
            }
            merger.add(left, right, result: result, rank: Int32(clamping: rank))
        }
        if model.ignore_merges == true { wholeTokens = model.vocab }
    }

    private mutating func fill(_ model: TokenizerFile.Model) throws(TokenizerError) {
        for (text, token) in model.vocab {
            try reserve(token, "model.vocab['\(text.prefix(40))']")
            switch kind {
            case .byteLevel:
                bytes[Int(token)] = ByteAlphabet.decode(text) ?? Array(text.utf8)
                if bytes[Int(token)].count == 1 { byteTokens[Int(bytes[Int(token)][0])] = token }
            case .characters:
                if let byte = Self.fallbackByte(text) {
                    bytes[Int(token)] = [byte]
                    byteTokens[Int(byte)] = token
                } else {
                    bytes[Int(token)] = Array(text.replacing("▁", with: " ").utf8)
                    let scalars = text.unicodeScalars
                    if let only = scalars.first, scalars.count == 1 { characterTokens[only] = token }
                }
            }
        }
        unknown = model.unk_token.flatMap { model.vocab[$0] }
        guard kind == .byteLevel || model.byte_fallback == true || unknown != nil else {
            throw TokenizerError("tokenizer.json: model: neither byte_fallback nor unk_token")
        }
    }

    private mutating func add(_ tokens: [TokenizerFile.AddedToken]) throws(TokenizerError) {
        for (index, token) in tokens.enumerated() {
            try reserve(token.id, "added_tokens.\(index)")
            let content = Array(token.content.utf8)
            guard let first = content.first else {
                throw TokenizerError("tokenizer.json: added_tokens.\(index): empty content")
            }
            bytes[Int(token.id)] = content
            addedByContent[token.content] = token.id
            if token.special == true { special.insert(token.id) }
            added[first, default: []].append(
                Tokenizer.AddedToken(
                    id: token.id,
                    bytes: content,
                    isSpecial: token.special ?? false,
                    stripsLeft: token.lstrip ?? false,
                    stripsRight: token.rstrip ?? false
                )
            )
        }
        for first in added.keys { added[first]?.sort { $0.bytes.count > $1.bytes.count } }
    }

    private mutating func reserve(_ token: Int32, _ place: String) throws(TokenizerError) {
        guard (0...Self.largestToken).contains(token) else {
            throw TokenizerError("tokenizer.json: \(place): token \(token) is out of range")
        }
        while bytes.count <= Int(token) { bytes.append([]) }
    }

    /// The longest added token that `text` begins with.
    func added(at text: Substring) -> Tokenizer.AddedToken? {
        guard let first = text.utf8.first else { return nil }
        return added[first]?.first { text.utf8.starts(with: $0.bytes) }
    }

    func encode(_ scalars: [Unicode.Scalar]) -> [Int32] {
        switch kind {
        case .byteLevel:
            var scalars = scalars
            if preTokenizer.addsPrefixSpace, scalars.first != " " { scalars.insert(" ", at: 0) }
            return preTokenizer.pieces(of: scalars[...]).flatMap(encodeBytes)
        case .characters(let prefix):
            return merger.merge(symbols((prefix.unicodeScalars + scalars).map { $0 == " " ? "▁" : $0 }))
        }
    }

    private func encodeBytes(_ piece: PreTokenizer.Scalars) -> [Int32] {
        let utf8 = piece.flatMap { UTF8.encode($0).map(Array.init) ?? [] }
        if !wholeTokens.isEmpty {
            var spelled = String.UnicodeScalarView()
            spelled.append(contentsOf: utf8.map { ByteAlphabet.characters[Int($0)] })
            if let whole = wholeTokens[String(spelled)] { return [whole] }
        }
        return merger.merge(utf8.compactMap { byteTokens[Int($0)] >= 0 ? byteTokens[Int($0)] : unknown })
    }

    private func symbols(_ scalars: [Unicode.Scalar]) -> [Int32] {
        var result: [Int32] = []
        result.reserveCapacity(scalars.count)
        for scalar in scalars {
            if let token = characterTokens[scalar] {
                result.append(token)
                continue
            }
            let fallback = (UTF8.encode(scalar).map(Array.init) ?? []).map { byteTokens[Int($0)] }
            if fallback.allSatisfy({ $0 >= 0 }) {
                result += fallback
            } else if let unknown {
                result.append(unknown)
            }
        }
        return result
    }
}

/// Reading the pipeline's parts.
extension TokenizerVocabulary {
    private static func isByteLevel(_ file: TokenizerFile) -> Bool {
        func mentions(_ part: TokenizerFile.Part?) -> Bool {
            guard let part else { return false }
            return part.type == "ByteLevel"
                || ((part.pretokenizers ?? []) + (part.decoders ?? [])).contains(where: mentions)
        }
        return mentions(file.pre_tokenizer) || mentions(file.decoder)
    }

    private static func preTokenizer(_ part: TokenizerFile.Part?) throws(TokenizerError) -> PreTokenizer {
        var result = PreTokenizer()
        func read(_ part: TokenizerFile.Part, depth: Int) throws(TokenizerError) {
            switch part.type {
            case "Sequence" where depth < 4:
                for inner in part.pretokenizers ?? [] { try read(inner, depth: depth + 1) }
            case "ByteLevel":
                if part.add_prefix_space ?? true { result.addsPrefixSpace = true }
                if part.use_regex ?? true { result.steps.append(.gpt2) }
            case "Digits" where part.individual_digits == true: result.steps.append(.digits)
            case "Split":
                guard let pattern = part.pattern?.Regex, ["\\d", "[0-9]"].contains(pattern),
                    part.behavior == "Isolated", part.invert != true
                else {
                    let pattern = part.pattern?.Regex ?? part.pattern?.String ?? ""
                    throw TokenizerError("tokenizer.json: pre_tokenizer: the pattern '\(pattern)' is not supported yet")
                }
                result.steps.append(.digits)
            default: throw TokenizerError("tokenizer.json: pre_tokenizer: '\(part.type)' is not supported yet")
            }
        }
        if let part { try read(part, depth: 0) }
        return result
    }

    /// What a SentencePiece-style normalizer puts before the text; it also writes "▁" for each space.
    private static func prefix(_ part: TokenizerFile.Part?) throws(TokenizerError) -> String? {
        guard let part else { return nil }
        var prefix: String?
        for step in part.type == "Sequence" ? part.normalizers ?? [] : [part] {
            switch step.type {
            case "Prepend": prefix = step.prepend
            case "Replace" where step.pattern?.String == " " && step.content == "▁": break
            default: throw TokenizerError("tokenizer.json: normalizer: '\(step.type)' is not supported yet")
            }
        }
        return prefix
    }

    /// The byte of a token spelled `<0x0A>`.
    private static func fallbackByte(_ text: String) -> UInt8? {
        guard text.utf8.count == 6, text.hasPrefix("<0x"), text.hasSuffix(">") else { return nil }
        return UInt8(text.dropFirst(3).dropLast(), radix: 16)
    }
}
