/// The name of one file of a model in several: `NAME-00002-of-00005.gguf`, `model-00001-of-00003.safetensors`.
package struct ShardName: Sendable, Hashable {
    /// What is before the number, with the folder if there is one.
    package let stem: String
    /// From 1.
    package let number: Int
    package let count: Int
    /// With its dot, as it is written.
    package let suffix: String

    /// - Parameters:
    ///   - name: a path or a file's name.
    ///   - suffix: how the name must end, in lower case: ".gguf".
    /// - Returns: nil if the name is not of this form.
    package init?(_ name: some StringProtocol, suffix: String) {
        guard name.lowercased().hasSuffix(suffix) else { return nil }
        let pieces = name.dropLast(suffix.count).split(separator: "-", omittingEmptySubsequences: false)
        guard pieces.count >= 4, pieces[pieces.count - 2] == "of",
            let number = Self.number(pieces[pieces.count - 3]), let count = Self.number(pieces[pieces.count - 1]),
            number <= count
        else { return nil }
        stem = pieces.dropLast(3).joined(separator: "-")
        self.number = number
        self.count = count
        self.suffix = String(name.suffix(suffix.count))
    }

    /// The file's name, or that of another of the same model.
    package func file(number: Int) -> String {
        "\(stem)-\(Self.digits(number))-of-\(Self.digits(count))\(suffix)"
    }

    /// Whether all files of a model are among these.
    package static func areComplete(_ shards: some Sequence<ShardName>) -> Bool {
        let models = Dictionary(grouping: Set(shards)) { ShardName(firstOf: $0) }
        return models.allSatisfy { $0.key.count == $0.value.count }
    }

    private init(firstOf shard: ShardName) {
        (stem, number, count, suffix) = (shard.stem, 1, shard.count, shard.suffix)
    }

    private static func number(_ digits: some StringProtocol) -> Int? {
        guard digits.utf8.count == 5, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let value = Int(digits), value > 0
        else { return nil }
        return value
    }

    private static func digits(_ number: Int) -> String { String("0000\(number)".suffix(5)) }
}
