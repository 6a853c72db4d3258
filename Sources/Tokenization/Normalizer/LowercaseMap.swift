/// Each letter's lower case, by itself: no rule looks at what stands around it.
struct LowercaseMap: Sendable {
    static let shared = LowercaseMap()

    private var table = PairTable(capacity: 1500)

    private init() {
        var reader = TableReader(ScalarSetTables.lowercase)
        var key: UInt32 = 0
        while reader.hasMore(), let gap = reader.number(), reader.take(","), let length = reader.number(),
            reader.take(","),
            let step = reader.number(), reader.take(",")
        {
            let isDown = reader.take("-")
            guard let distance = reader.number() else { return }
            key += gap
            for index in 0..<length {
                let letter = key + index * step
                table.insert(UInt64(isDown ? letter - distance : letter + distance), for: UInt64(letter))
            }
            key += (length - 1) * step
        }
    }

    func apply(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let (scalar, end) = text.scalar(at: index)
            if scalar < 0x80 {
                result.append(text[index] >= 0x41 && text[index] <= 0x5A ? text[index] | 0x20 : text[index])
            } else if scalar == 0x130 {
                // The one letter whose lower case is two: i and a dot above.
                result += [0x69, 0xCC, 0x87]
            } else if let lower = table[UInt64(scalar)] {
                result.append(scalar: UInt32(truncatingIfNeeded: lower))
            } else {
                result += text[index..<end]
            }
            index = end
        }
        return result
    }
}
