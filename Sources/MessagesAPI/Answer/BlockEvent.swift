/// What a client is told of an answer's content. Blocks come one after the other: each is started, filled and ended
/// before the next.
struct BlockEvent: Sendable, Equatable {
    enum Start: Sendable, Equatable {
        case text
        case thinking
        case toolUse(id: String, name: String)
    }

    enum Delta: Sendable, Equatable {
        case text(String)
        case thinking(String)
        /// Once, the last of a block of thinking.
        case signature(String)
        /// More of a call's arguments; all of them together are a JSON object, or nothing for an empty one.
        case input(String)
    }

    enum Change: Sendable, Equatable {
        case start(Start)
        case delta(Delta)
        case stop
    }

    /// The block's place in the answer's content.
    var index: Int
    var change: Change
}
