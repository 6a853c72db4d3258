/// Sets of Unicode's general categories, one bit for each.
struct CategorySet: OptionSet, Hashable, Sendable {
    let rawValue: UInt32

    /// In the order of their bits. White space among the control characters stands apart, so that a set can be all of
    /// white space.
    private static let names = [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
        "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
    ]
    private static let longNames: [String: String] = [
        "letter": "L", "mark": "M", "number": "N", "punctuation": "P", "symbol": "S", "separator": "Z", "other": "C",
        "uppercaseletter": "Lu", "lowercaseletter": "Ll", "titlecaseletter": "Lt", "modifierletter": "Lm",
        "otherletter": "Lo", "nonspacingmark": "Mn", "spacingmark": "Mc", "enclosingmark": "Me", "decimalnumber": "Nd",
        "letternumber": "Nl", "othernumber": "No", "connectorpunctuation": "Pc", "dashpunctuation": "Pd",
        "openpunctuation": "Ps", "closepunctuation": "Pe", "initialpunctuation": "Pi", "finalpunctuation": "Pf",
        "otherpunctuation": "Po", "mathsymbol": "Sm", "currencysymbol": "Sc", "modifiersymbol": "Sk",
        "othersymbol": "So", "spaceseparator": "Zs", "lineseparator": "Zl", "paragraphseparator": "Zp", "control": "Cc",
        "format": "Cf", "surrogate": "Cs", "privateuse": "Co", "unassigned": "Cn",
    ]

    private static let spaceBit: UInt8 = 30
    private static let spaceControl = CategorySet(rawValue: 1 << UInt32(spaceBit))
    static let letters = CategorySet(short: "L")
    static let marks = CategorySet(short: "M")
    static let numbers = CategorySet(short: "N")
    static let decimalDigits = CategorySet(short: "Nd")
    static let connectors = CategorySet(short: "Pc")
    static let letterNumbers = CategorySet(short: "Nl")
    static let upperLetters: CategorySet = [CategorySet(short: "Lu"), CategorySet(short: "Lt")]
    static let lowerLetters = CategorySet(short: "Ll")
    static let spaces: CategorySet = [CategorySet(short: "Z"), spaceControl]

    init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The categories whose names begin with `L`, `Lu`, ….
    private init(short: String) {
        rawValue =
            Self.names.indices.reduce(0) { Self.names[$1].hasPrefix(short) ? $0 | 1 << UInt32($1) : $0 }
            | ("Cc".hasPrefix(short) ? Self.spaceControl.rawValue : 0)
    }

    /// The categories that `\p{…}` may name, for example `L`, `Lu`, `Letter` or `LC`; nil for any other name.
    init?(name: String) {
        let plain = name.lowercased().filter { $0 != "_" && $0 != " " && $0 != "-" }
        let short = Self.longNames[plain] ?? plain
        switch short.count {
        case 1 where Self.longNames.values.contains(short.uppercased()): self.init(short: short.uppercased())
        case 2 where short == "lc": self = [.upperLetters, .lowerLetters]
        case 2:
            guard let name = Self.names.first(where: { $0.lowercased() == short.lowercased() }) else { return nil }
            self.init(short: name)
        default: return nil
        }
    }

    /// The bit of each character's category, by its number.
    static let bits = table { $0 }

    /// A byte for each character, by its number, that depends on the bit of its category.
    static func table(_ value: (_ bit: UInt8) -> UInt8) -> [UInt8] {
        var table: [UInt8] = []
        table.reserveCapacity(0x110000)
        for (range, bit) in runs { table += [UInt8](repeating: value(bit), count: range.count) }
        for space in spaceControls.ranges { for scalar in space { table[Int(scalar)] = value(spaceBit) } }
        return table
    }

    /// White space among the control characters.
    private static let spaceControls = ScalarRanges([0x09..<0x0E, 0x85..<0x86])

    /// The runs of characters of one category, white space not apart.
    private static var runs: [(range: Range<UInt32>, bit: UInt8)] {
        var reader = TableReader(CategoryTable.runs)
        var result: [(range: Range<UInt32>, bit: UInt8)] = []
        var start: UInt32 = 0
        while reader.hasMore(), let count = reader.number() {
            let bit = UInt8(truncatingIfNeeded: names.firstIndex(of: reader.letters()) ?? 29)
            result.append((start..<start + count, bit))
            start += count
        }
        return result
    }

    /// The characters of these categories.
    var scalars: ScalarRanges {
        let plain = ScalarRanges(Self.runs.filter { contains(bit: $0.bit) }.map(\.range))
        return contains(bit: Self.spaceBit) ? plain.union(Self.spaceControls) : plain.subtracting(Self.spaceControls)
    }

    @inline(__always)
    func contains(bit: UInt8) -> Bool { rawValue >> UInt32(bit) & 1 == 1 }
}
