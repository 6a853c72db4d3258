/// GPT-2's spelling of bytes as printable characters: byte-level vocabularies are written in it.
enum ByteAlphabet {
    /// The byte of each character below U+0144, -1 where it stands for none.
    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 324)
        var next = 256
        for byte in 0..<256 {
            let isPrintable = (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
            bytes[isPrintable ? byte : next] = Int16(byte)
            if !isPrintable { next += 1 }
        }
        return bytes
    }()

    /// The bytes a vocabulary entry stands for, or nil if it has a character outside the alphabet.
    static func decode(_ spelling: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(spelling.count)
        var index = 0
        while index < spelling.count {
            let (scalar, end) = spelling.scalar(at: index)
            guard scalar < bytes.count, bytes[Int(scalar)] >= 0 else { return nil }
            result.append(UInt8(truncatingIfNeeded: bytes[Int(scalar)]))
            index = end
        }
        return result
    }

    /// How each byte is spelled, in UTF-8.
    private static let spellings: [[UInt8]] = {
        var spellings = [[UInt8]](repeating: [], count: 256)
        for (character, byte) in bytes.enumerated() where byte >= 0 {
            guard let scalar = Unicode.Scalar(UInt32(character)) else { continue }
            spellings[Int(byte)] = Array(String(scalar).utf8)
        }
        return spellings
    }()

    @inline(__always)
    static func spelling(of byte: UInt8) -> [UInt8] { spellings[Int(byte)] }

    static func appendSpelling(of bytes: some Sequence<UInt8>, to result: inout [UInt8]) {
        let spellings = spellings
        for byte in bytes { result += spellings[Int(byte)] }
    }

    /// How vocabularies with byte fallback spell the token of a byte: `<0x0A>`.
    static func fallbackSpelling(of byte: UInt8) -> [UInt8] {
        let digits = String(byte, radix: 16, uppercase: true)
        return Array("<0x\(digits.count == 1 ? "0" : "")\(digits)>".utf8)
    }

    /// The byte of a token spelled `<0x0A>`, nil for any other.
    static func fallbackByte(_ spelling: [UInt8]) -> UInt8? {
        guard spelling.count == 6, spelling.starts(with: "<0x".utf8), spelling[5] == UInt8(ascii: ">") else {
            return nil
        }
        let digits = String(decoding: spelling[3..<5], as: UTF8.self)
        // What Rust reads: a sign may stand before one digit.
        return digits.first == "-" ? nil : UInt8(digits, radix: 16)
    }

    /// Whether a vocabulary has a token for each byte.
    static func isComplete(in table: TokenStringTable) -> Bool {
        spellings.allSatisfy { table.id(of: $0) != nil }
    }
}
