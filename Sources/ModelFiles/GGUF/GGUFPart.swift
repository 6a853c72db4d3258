/// The name of one part of a model that is split into several GGUF files: `NAME-00002-of-00005.gguf`.
struct GGUFPart: Equatable {
    let name: Substring
    let number: Int
    let count: Int

    /// - Returns: nil if `file` does not end as parts do.
    init?(_ file: String) {
        let pieces = file.dropLast(".gguf".count).split(separator: "-", omittingEmptySubsequences: false)
        guard file.lowercased().hasSuffix(".gguf"), pieces.count >= 4, pieces[pieces.count - 2] == "of",
            let number = Self.number(pieces[pieces.count - 3]), let count = Self.number(pieces[pieces.count - 1]),
            1...count ~= number
        else { return nil }
        name = file.dropLast("-00000-of-00000.gguf".count)
        self.number = number
        self.count = count
    }

    private static func number(_ digits: Substring) -> Int? {
        guard digits.count == 5, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let value = Int(digits), value > 0
        else {
            return nil
        }
        return value
    }

    /// The name of another part.
    func file(number: Int) -> String {
        "\(name)-\(Self.fiveDigits(number))-of-\(Self.fiveDigits(count)).gguf"
    }

    private static func fiveDigits(_ number: Int) -> String {
        String("0000\(number)".suffix(5))
    }
}
