import JSON

/// Turns token strings back into text.
///
/// Only orders of decoders that can be streamed are supported: first those that look at one token, then one that turns tokens
/// into bytes, then one that strips the whole.
struct TokenDecoder: Sendable {
    private enum Step: Sendable {
        case replace(Replacement)
        case metaspace(Metaspace)
        case strip(Strip)
    }

    /// A character, and how often it is taken away at the beginning and at the end.
    struct Strip: Sendable {
        var character: [UInt8] = [UInt8(ascii: " ")]
        var start = 0
        var stop = 0
    }

    /// Many times what a decoder needs, which gives a mark back for a space.
    private static let mostGrowth = 64

    /// What is done to each token's string.
    private var steps: [Step] = []
    /// Token strings are in the byte alphabet.
    private(set) var isByteLevel = false
    /// Tokens like `<0x0A>` stand for bytes.
    private(set) var readsBytes = false
    /// What is taken away from the whole text.
    private(set) var strip = Strip()
    /// What stands between two tokens: a space, if a file has no decoder at all.
    private(set) var separator: [UInt8] = []
    private var isFused = false

    init(_ node: JSONNode) throws(JSONError) {
        for part in try node.parts("decoders") { try add(part) }
        var growth = 1
        for case .replace(let replacement) in steps where growth <= Self.mostGrowth {
            growth = growth.multipliedReportingOverflow(by: replacement.growth).partialValue
        }
        guard growth <= Self.mostGrowth else {
            throw node.error("may make a token more than \(Self.mostGrowth) times as long as it is")
        }
        if try node.nullable == nil { separator = [UInt8(ascii: " ")] }
    }

    /// The decoder of byte-level vocabularies.
    static let byteLevel: TokenDecoder = {
        var decoder = TokenDecoder()
        decoder.isByteLevel = true
        return decoder
    }()

    /// The decoder of SentencePiece's vocabularies.
    static func sentencePiece(mark: [UInt8], dropsFirstSpace: Bool) -> TokenDecoder {
        var decoder = TokenDecoder()
        decoder.steps = [.replace(Replacement(literal: mark, by: [UInt8(ascii: " ")]))]
        decoder.readsBytes = true
        decoder.strip.start = dropsFirstSpace ? 1 : 0
        return decoder
    }

    private init() {}

    private mutating func add(_ part: JSONNode) throws(JSONError) {
        let type = try part["type"].string()
        switch type {
        case "Fuse": isFused = true
        case "Strip":
            let strip = try part.strip()
            if !isFused, !readsBytes, !isByteLevel {
                steps.append(.strip(strip))
            } else if isFused || isByteLevel, self.strip.start == 0, self.strip.stop == 0 {
                self.strip = strip
            } else {
                throw part.error("strips in a place which is not supported")
            }
        case "Replace" where !isFused && !readsBytes && !isByteLevel: steps.append(.replace(try Replacement(part)))
        case "Metaspace" where !isFused && !readsBytes && !isByteLevel: steps.append(.metaspace(try Metaspace(part)))
        case "ByteFallback" where !isFused && !isByteLevel: readsBytes = true
        case "ByteLevel" where !isFused && !readsBytes && steps.isEmpty: isByteLevel = true
        case "Replace", "Metaspace", "ByteFallback", "ByteLevel":
            throw part.error("is a '\(type)' in a place which is not supported")
        default: throw part.error("is of type '\(type)', which is not supported")
        }
    }

    /// Whether a token's text differs where it is the first.
    var dependsOnPosition: Bool {
        steps.contains { if case .metaspace(let metaspace) = $0 { metaspace.scheme != .never } else { false } }
    }

    /// The bytes that a token string stands for.
    func bytes(of spelling: [UInt8], isFirst: Bool = false) -> [UInt8] {
        if isByteLevel { return ByteAlphabet.decode(spelling) ?? spelling }
        var text = spelling
        for step in steps {
            switch step {
            case .replace(let replacement): text = replacement.apply(text)
            case .metaspace(let metaspace): text = metaspace.unmarked(text, isFirst: isFirst)
            case .strip(let strip): text = strip.apply(text)
            }
        }
        return readsBytes ? ByteAlphabet.fallbackByte(text).map { [$0] } ?? text : text
    }

    /// Whether a token string stands for a byte.
    func isByte(_ spelling: [UInt8]) -> Bool {
        readsBytes && ByteAlphabet.fallbackByte(spelling) != nil
    }
}

extension TokenDecoder.Strip {
    func apply(_ text: [UInt8]) -> [UInt8] {
        var text = text[...]
        for _ in 0..<start where text.starts(with: character) { text = text.dropFirst(character.count) }
        for _ in 0..<stop where text.suffix(character.count).elementsEqual(character) {
            text = text.dropLast(character.count)
        }
        return Array(text)
    }
}

extension JSONNode {
    fileprivate func strip() throws(JSONError) -> TokenDecoder.Strip {
        .init(
            character: try self["content"].character(),
            start: try self["start"].int(in: 0...1024),
            stop: try self["stop"].int(in: 0...1024)
        )
    }

    /// A string of one character, as UTF-8.
    func character() throws(JSONError) -> [UInt8] {
        let character = try bytes()
        guard !character.isEmpty, character.scalar(at: 0).end == character.count else {
            throw error("is not one character")
        }
        return character
    }
}
