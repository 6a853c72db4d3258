/// Turns tokens into text as they come, holding back the first bytes of a character until it is whole.
///
/// Bytes that cannot become a character are replaced by U+FFFD as Unicode recommends (one for each maximal part).
package struct StreamDecoder: Sendable {
    private let tokenizer: Tokenizer
    private let visible: Set<Int32>
    private var pending: [UInt8] = []
    /// How many characters may still be stripped at the beginning.
    private var toStrip: Int
    private var isFirst: Bool
    /// What may be stripped if nothing follows.
    private var withheld: [UInt8] = []

    /// - Parameter startsText: false where the tokens go on with a text, as an answer does with its beginning given by
    ///   the client: then the space that SentencePiece-like vocabularies put before the first word stays.
    /// - Parameter visible: special tokens that are written as they are spelled, where all others have no text.
    package init(tokenizer: Tokenizer, startsText: Bool = true, visible: Set<Int32> = []) {
        self.tokenizer = tokenizer
        self.visible = visible
        toStrip = startsText ? tokenizer.decoder.strip.start : 0
        isFirst = startsText
    }

    /// The characters that this token completes; special tokens have no text, unless they are to be seen.
    package mutating func push(_ token: Int32) -> String {
        guard tokenizer.hasText(token) || visible.contains(token) else { return "" }
        if !isFirst { pending += tokenizer.decoder.separator }
        pending += tokenizer.text(of: token, isFirst: isFirst)
        isFirst = false
        let held = Self.incompleteSuffix(pending)
        let text = stripped(pending.dropLast(held), isLast: false)
        pending.removeFirst(pending.count - held)
        return text
    }

    /// What is left at the end: an incomplete character becomes U+FFFD.
    package mutating func finish() -> String {
        defer { pending = [] }
        return stripped(pending[...], isLast: true)
    }

    /// The text of bytes, without what is stripped from the beginning and the end of the whole.
    private mutating func stripped(_ bytes: ArraySlice<UInt8>, isLast: Bool) -> String {
        let strip = tokenizer.decoder.strip
        var bytes = bytes
        while toStrip > 0, !bytes.isEmpty {
            guard bytes.starts(with: strip.character) else {
                toStrip = 0
                break
            }
            bytes = bytes.dropFirst(strip.character.count)
            toStrip -= 1
        }
        guard strip.stop > 0 else { return String(decoding: bytes, as: UTF8.self) }
        var whole = withheld + bytes
        var end = whole.count
        for _ in 0..<strip.stop where whole[..<end].suffix(strip.character.count).elementsEqual(strip.character) {
            end -= strip.character.count
        }
        withheld = isLast ? [] : Array(whole[end...])
        whole.removeLast(whole.count - end)
        return String(decoding: whole, as: UTF8.self)
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
