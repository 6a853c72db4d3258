/// How a vocabulary's spellings become the bytes of a text again.
struct TokenDecoder: Sendable {
    let isByteLevel: Bool
    /// How many spaces the beginning of a text loses: those that the normalizer put there.
    private(set) var leadingSpaces = 0
    private var replacements: [(pattern: [UInt8], replacement: [UInt8])] = []
    private var readsBytes = false

    init(_ node: JSONNode?, isByteLevel: Bool) throws(TokenizerError) {
        self.isByteLevel = isByteLevel
        var isFused = false
        for part in try node?.parts("decoders") ?? [] {
            let type = try part.type()
            guard (type == "ByteLevel") == isByteLevel else {
                throw part.fault(
                    "is of type '\(type)', which does not go with the pre_tokenizer, or is not supported yet"
                )
            }
            switch type {
            case "ByteLevel": break
            case "Replace": replacements.append(try part.literalReplacement())
            case "ByteFallback": readsBytes = true
            case "Fuse": isFused = true
            case "Strip":
                guard isFused, try part.required("content").string() == " ",
                    try part.required("stop").integer(in: 0...0) == 0
                else { throw part.fault("strips more than spaces at the beginning, which is not supported yet") }
                leadingSpaces = try part.required("start").integer(in: 0...1024)
            default: throw part.fault("is of type '\(type)', which is not supported yet")
            }
        }
    }

    /// The bytes that a spelling in the vocabulary stands for.
    func bytes(of spelling: [UInt8]) -> [UInt8] {
        if isByteLevel { return ByteAlphabet.decode(spelling) ?? spelling }
        if readsBytes, let byte = Self.fallbackByte(spelling) { return [byte] }
        return replacements.reduce(spelling) { $0.replacing($1.pattern, by: $1.replacement) }
    }

    /// The byte of a token spelled `<0x0A>`.
    private static func fallbackByte(_ spelling: [UInt8]) -> UInt8? {
        guard spelling.count == 6, spelling.starts(with: "<0x".utf8), spelling.last == UInt8(ascii: ">") else {
            return nil
        }
        let digits = spelling[3..<5]
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    /// How a vocabulary with byte fallback spells the token of a byte: `<0x0A>`.
    static func spelling(of byte: UInt8) -> [UInt8] {
        let digits = String(byte, radix: 16, uppercase: true)
        return Array("<0x\(digits.count == 1 ? "0" : "")\(digits)>".utf8)
    }
}
