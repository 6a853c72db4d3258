import EngineContract

/// Makes a session's guesses, as long as they come true: more at a time while all do, fewer when some fail, and none for
/// a while, longer each time, when none does.
struct Drafter {
    static let maxLength = 7
    private static let maxRest = 31

    private var lookup = PromptLookup()
    private var length = 4
    private var failures = 0
    /// Steps to go without a guess.
    private var rest = 0

    /// A guess of the tokens after a session's, at most `limit`.
    mutating func draft(after tokens: [Token], limit: Int) -> [Token] {
        guard rest == 0 else {
            rest -= 1
            return []
        }
        return lookup.continuation(of: tokens, count: min(limit, length))
    }

    /// Learns what became of a guess.
    mutating func learn(accepted: Int, of count: Int) {
        guard count > 0 else { return }
        guard accepted > 0 else {
            length = max(1, length / 2)
            rest = min(Self.maxRest, (2 << failures) - 1)
            failures = min(failures + 1, 8)
            return
        }
        failures = 0
        // A guess may have been shorter than this session's length, for want of room.
        length = accepted == count ? min(Self.maxLength, max(length, 2 * count)) : accepted + 1
    }
}
