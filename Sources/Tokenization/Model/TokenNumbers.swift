import JSON

/// The numbers that tokens may have.
enum TokenNumbers {
    /// Many times what any vocabulary in use has.
    static let range = 0...1_999_999

    /// A bound for a file's numbers by how many tokens it has, so that a small file cannot ask for much memory.
    static func limit(tokenCount: Int) -> Int { min(range.upperBound, 65_536 + 4 * tokenCount) }
}

extension JSONNode {
    /// A token's number.
    func token() throws(JSONError) -> Int32 { Int32(truncatingIfNeeded: try int(in: TokenNumbers.range)) }
}
