/// Identifiers that never repeat.
enum RandomID {
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    /// `prefix` and 24 random letters and digits: 142 bits.
    static func make(_ prefix: String) -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<24).reduce(into: prefix) { id, _ in
            id.append(alphabet[Int.random(in: alphabet.indices, using: &generator)])
        }
    }
}
