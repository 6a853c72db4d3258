/// How long a text may become on its way: a file may make it longer, but not without end.
struct GrowthLimit: Sendable {
    /// Several times what any character becomes in a normal form and the byte alphabet.
    private static let factor = 32
    /// What a short text may become whatever its length.
    private static let base = 1 << 16
    /// What is tried out when a file is loaded.
    static let longestSample = 1 << 16

    static let none = GrowthLimit(bytes: .max)

    private let bytes: Int

    private init(bytes: Int) { self.bytes = bytes }

    init(ofTextWith count: Int) {
        let (bytes, isTooMany) = count.multipliedReportingOverflow(by: Self.factor)
        self.bytes = isTooMany || bytes > .max - Self.base ? .max : bytes + Self.base
    }

    func allows(_ count: Int) -> Bool { count <= bytes }

    func check(_ count: Int) throws(TokenizerError) {
        guard allows(count) else { throw fault }
    }

    var fault: TokenizerError {
        TokenizerError("tokenizer.json: normalizer makes a text far too long: more than \(bytes) bytes")
    }
}
