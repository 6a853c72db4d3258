/// Turns tokens into text as they come, holding back the first bytes of a character until it is whole.
///
/// Bytes that cannot become a character are replaced by U+FFFD as Unicode recommends (one for each maximal part).
package struct StreamDecoder: Sendable {
    private let tokenizer: Tokenizer
    private var pending: [UInt8] = []
    private var spacesToDrop: Int

    /// - Parameter startsText: false where the tokens go on with a text, as an answer does with its beginning given by
    ///   the client: then the space that SentencePiece-like vocabularies put before the first word stays.
    package init(tokenizer: Tokenizer, startsText: Bool = true) {
        self.tokenizer = tokenizer
        spacesToDrop = startsText ? tokenizer.leadingSpaces : 0
    }

    /// The characters that this token completes; special tokens have no text.
    package mutating func push(_ token: Int32) -> String {
        guard !tokenizer.isSpecial(token) else { return "" }
        var bytes = tokenizer.bytes(of: token)[...]
        while spacesToDrop > 0, let first = bytes.first {
            guard first == UInt8(ascii: " ") else {
                spacesToDrop = 0
                break
            }
            bytes.removeFirst()
            spacesToDrop -= 1
        }
        pending += bytes
        let held = Self.incompleteSuffix(pending)
        let text = String(decoding: pending.dropLast(held), as: UTF8.self)
        pending.removeFirst(pending.count - held)
        return text
    }

    /// What is left at the end: an incomplete character becomes U+FFFD.
    package mutating func finish() -> String {
        defer { pending = [] }
        return String(decoding: pending, as: UTF8.self)
    }

    /// How many bytes at the end are the valid beginning of a longer character.
    private static func incompleteSuffix(_ bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let lead = bytes[bytes.count - length]
            guard lead & 0xC0 != 0x80 else { continue }
            let needed = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 1
            guard length < needed, lead <= 0xF4 else { return 0 }
            return length == 1 || isValidSecond(bytes[bytes.count - length + 1], after: lead) ? length : 0
        }
        return 0
    }

    /// Whether a second byte may follow the lead byte: no overlong forms, no surrogates, nothing past U+10FFFF.
    private static func isValidSecond(_ byte: UInt8, after lead: UInt8) -> Bool {
        switch lead {
        case 0xE0: byte >= 0xA0
        case 0xED: byte <= 0x9F
        case 0xF0: byte >= 0x90
        case 0xF4: byte <= 0x8F
        default: true
        }
    }
}
