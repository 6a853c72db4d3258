import JSON

/// SentencePiece's table of replacements, `precompiled_charsmap`: a trie over bytes as a double array (as Darts makes
/// them), and the texts it leads to, each ended by a zero.
struct PrecompiledMap: Sendable {
    private let units: [UInt32]
    private let texts: [UInt8]

    init(_ node: JSONNode) throws(JSONError) {
        guard let blob = Base64.decode(try node.bytes()) else { throw node.error("is not base 64") }
        guard blob.count >= 4 else { throw node.error("is too short") }
        let word = { (place: Int) in (0..<4).reduce(0 as UInt32) { $0 | UInt32(blob[place + $1]) << UInt32(8 * $1) } }
        let count = Int(word(0)) / 4
        guard count > 0, 4 + 4 * count <= blob.count else { throw node.error("says it is longer than it is") }
        units = (1...count).map { word(4 * $0) }
        texts = Array(blob[(4 + 4 * count)...])
        guard texts.isUTF8 else { throw node.error("holds texts that are not UTF-8") }
    }

    /// - Throws: if what it makes goes beyond the limit.
    func apply(_ text: [UInt8], _ limit: GrowthLimit) throws(TokenizerError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            try limit.check(result.count)
            let end = GraphemeCluster.end(in: text, at: index)
            // Only a short cluster is looked up as a whole, and then what it begins with is enough: so the reference.
            if end - index < 6, let found = replacement(text, index..<end) {
                result += found
                index = end
            }
            while index < end {
                let next = text.scalar(at: index).end
                result += replacement(text, index..<next) ?? text[index..<next]
                try limit.check(result.count)
                index = next
            }
        }
        return result
    }

    /// What stands for the shortest beginning of some bytes that the table has.
    private func replacement(_ text: [UInt8], _ range: Range<Int>) -> ArraySlice<UInt8>? {
        var place = Self.offset(units[0])
        for byte in text[range] {
            guard byte != 0 else { return nil }
            place ^= Int(byte)
            guard place < units.count, units[place] & 0x8000_00FF == UInt32(byte) else { return nil }
            let unit = units[place]
            place ^= Self.offset(unit)
            guard unit >> 8 & 1 == 1 else { continue }
            guard place < units.count else { return nil }
            return entry(at: Int(units[place] & 0x7FFF_FFFF))
        }
        return nil
    }

    private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 0x200) >> 6) }

    private func entry(at start: Int) -> ArraySlice<UInt8>? {
        guard start <= texts.count, start == texts.count || texts[start] & 0xC0 != 0x80 else { return nil }
        return texts[start...].prefix { $0 != 0 }
    }
}

/// Base 64 (RFC 4648), in the alphabet with `+` and `/`, padded.
enum Base64 {
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        var result: [UInt8] = []
        result.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        for (index, byte) in text.dropLast(padding).enumerated() {
            guard let value = value(of: byte) else { return nil }
            bits = bits << 6 | value
            if index % 4 != 0 { result.append(UInt8(truncatingIfNeeded: bits >> (6 - 2 * UInt32(index % 4)))) }
        }
        return result
    }

    private static func value(of byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
