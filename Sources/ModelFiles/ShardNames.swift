/// Shards as they are named: `model-00001-of-00003.safetensors` is the first of three.
struct ShardNames {
    private static let prefix = "model-"
    private static let suffix = ".safetensors"

    /// How many there are to be.
    let count: Int

    /// The shards that a model without an index has; nil if it has none.
    /// - Throws: `ModelError` if there are shards of several models.
    init?(source: ModelSource) throws(ModelError) {
        let counts = Set(try source.names().compactMap(Self.count))
        guard let count = counts.first else { return nil }
        guard counts.count == 1 else {
            let all = counts.sorted().map { "\($0)" }.joined(separator: " and ")
            throw ModelError(
                "\(source.label("model.safetensors.index.json")): no such file, and there are shards of \(all)"
            )
        }
        self.count = count
    }

    /// The name of a shard; the first is 1.
    func name(_ number: Int) -> String { "\(Self.prefix)\(Self.digits(number))-of-\(Self.digits(count))\(Self.suffix)" }

    /// Of how many shards a file is one; nil if its name does not say so.
    private static func count(_ name: String) -> Int? {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
        let numbers = name.dropFirst(prefix.count).dropLast(suffix.count).split(separator: "-")
        guard numbers.count == 3, numbers[1] == "of", let number = Int(numbers[0]), let count = Int(numbers[2]),
            count >= 1, 1...count ~= number, numbers[0] == digits(number), numbers[2] == digits(count)
        else { return nil }
        return count
    }

    /// Five digits, as everybody writes them.
    private static func digits(_ number: Int) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }
}
