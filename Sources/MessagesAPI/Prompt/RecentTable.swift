/// A table that forgets what was not used for longest, to stay within a bound of bytes.
///
/// In two generations: what is added or used is in the younger one. When that has half of the bytes it becomes the older
/// one, and what the older one had is forgotten.
struct RecentTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Generation {
        var values: [Key: (value: Value, bytes: Int)] = [:]
        var bytes = 0
    }

    private let maxBytes: Int
    private var young = Generation()
    private var old = Generation()
    /// Counts how often values were forgotten.
    private(set) var losses = 0

    /// What a value costs beside its own bytes, about.
    private static var baseBytes: Int { 128 }

    init(maxBytes: Int) { self.maxBytes = maxBytes }

    var bytes: Int { young.bytes + old.bytes }
    var keys: [Key] { Array(young.values.keys) + old.values.keys }

    /// The value of a key, which counts as used now.
    mutating func value(of key: Key) -> Value? {
        if let found = young.values[key] { return found.value }
        guard let found = old.values.removeValue(forKey: key) else { return nil }
        old.bytes -= found.bytes
        add(key, found.value, found.bytes)
        return found.value
    }

    /// - Parameter bytes: of the value. One that alone has more than half of all is not kept.
    mutating func set(_ key: Key, to value: Value, bytes: Int) {
        if let previous = young.values.removeValue(forKey: key) { young.bytes -= previous.bytes }
        if let previous = old.values.removeValue(forKey: key) { old.bytes -= previous.bytes }
        let (cost, overflow) = bytes.addingReportingOverflow(Self.baseBytes)
        guard !overflow, cost <= maxBytes / 2 else { return }
        add(key, value, cost)
    }

    private mutating func add(_ key: Key, _ value: Value, _ bytes: Int) {
        if young.bytes + bytes > maxBytes / 2 {
            losses += old.values.count
            old = young
            young = Generation()
        }
        young.values[key] = (value, bytes)
        young.bytes += bytes
    }
}
