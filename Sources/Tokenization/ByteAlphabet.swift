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
            guard scalar.value < bytes.count, bytes[Int(scalar.value)] >= 0 else { return nil }
            result.append(UInt8(truncatingIfNeeded: bytes[Int(scalar.value)]))
            index = end
        }
        return result
    }
}
