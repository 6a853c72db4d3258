import EngineContract

/// Drafts a session's next tokens, as long as drafts are accepted: longer ones while whole drafts are, shorter ones when
/// a part is rejected, and none for a number of steps, which doubles each time, when all of a draft is rejected.
struct Drafter {
    static let maxLength = 7
    private static let maxPause = 31

    private var lookup = PromptLookup()
    private var length = 4
    private var failures = 0
    /// Steps left without a draft.
    private var pausedSteps = 0

    /// A draft of the tokens after `tokens`, at most `limit`.
    mutating func draft(after tokens: [Token], limit: Int) -> [Token] {
        guard pausedSteps == 0 else {
            pausedSteps -= 1
            return []
        }
        return lookup.continuation(of: tokens, count: min(limit, length))
    }

    /// Adapts to how much of a draft was accepted.
    /// - Parameter count: the draft's length; 0 changes nothing.
    mutating func learn(accepted: Int, of count: Int) {
        guard count > 0 else { return }
        guard accepted > 0 else {
            length = max(1, length / 2)
            pausedSteps = min(Self.maxPause, (2 << failures) - 1)
            failures = min(failures + 1, 8)
            return
        }
        failures = 0
        // There may have been room for less than `length`.
        length = accepted == count ? min(Self.maxLength, max(length, 2 * count)) : accepted + 1
    }
}
