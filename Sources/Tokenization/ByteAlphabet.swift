/// GPT-2's spelling of bytes as printable characters: byte-level vocabularies are written in it.
enum ByteAlphabet {
    /// The character that stands for each byte.
    static let characters: [Unicode.Scalar] = {
        var next: UInt32 = 256
        return (UInt32(0)..<256).map { byte in
            let printable = (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
            defer { if !printable { next += 1 } }
            return Unicode.Scalar(printable ? byte : next) ?? " "
        }
    }()

    static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
        uniqueKeysWithValues: characters.enumerated().map { ($1, UInt8($0)) }
    )

    /// The bytes a vocabulary entry stands for, or nil if it has a character outside the alphabet.
    static func decode(_ text: String) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            guard let byte = bytes[scalar] else { return nil }
            result.append(byte)
        }
        return result
    }
}
