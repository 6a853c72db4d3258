/// The measurements of `pensieve bench`.
struct BenchPlan: Equatable {
    /// Flags with values that only `bench` has.
    static let flags = ["prefill", "decode", "context", "tokens", "repeat"]

    /// Lengths of prompts to prefill; may be empty.
    var prefill = [128, 512, 2048]
    /// Numbers of sessions that decode together.
    var sessions = [1, 2, 4, 8, 16, 32]
    /// Lengths of decoding sessions at the end of a run.
    var contexts = [128, 1024]
    /// Tokens that each session decodes in one run.
    var tokens = 16
    var runs = 3

    /// The default plan.
    init() {}

    /// Removes the plan's flags from the arguments.
    /// - Throws: `ConfigurationError` that names the invalid flag.
    init(_ arguments: inout Arguments) throws(ConfigurationError) {
        if let text = arguments.take("prefill") { prefill = try Self.list(text, "prefill", 1...(1 << 20)) }
        if let text = arguments.take("decode") { sessions = try Self.list(text, "decode", 1...1024) }
        if let text = arguments.take("context") { contexts = try Self.list(text, "context", 2...(1 << 20)) }
        if let text = arguments.take("tokens") { tokens = try Self.number(text, "tokens", 1...100_000) }
        if let text = arguments.take("repeat") { runs = try Self.number(text, "repeat", 1...1000) }
        if let shortest = contexts.min(), tokens >= shortest {
            throw ConfigurationError("--tokens: \(tokens) do not fit a --context of \(shortest)")
        }
    }

    /// Tokens of KV memory that the largest row needs, with some slack because blocks are used as a whole.
    var kvTokens: Int {
        let decode = (sessions.max() ?? 0) * ((contexts.max() ?? 0) + Self.blockSlack)
        return max(decode, (prefill.max() ?? 0) + Self.blockSlack)
    }

    private static let blockSlack = 64

    /// Numbers separated by commas; "none" means an empty list.
    private static func list(
        _ text: String,
        _ name: String,
        _ range: ClosedRange<Int>
    ) throws(ConfigurationError) -> [Int] {
        guard text != "none" else { return [] }
        var numbers: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let number = try number(String(part), name, range)
            if !numbers.contains(number) { numbers.append(number) }
        }
        guard numbers.count <= 64 else { throw ConfigurationError("--\(name): at most 64 numbers") }
        return numbers
    }

    private static func number(
        _ text: String,
        _ name: String,
        _ range: ClosedRange<Int>
    ) throws(ConfigurationError) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw ConfigurationError(
                "--\(name): '\(text)' is no whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }
}
