/// A token of the loaded model's vocabulary.
package typealias Token = Int32

/// The index of one KV block in the engine's memory: `EngineDescription.blockSize` tokens of one session,
/// or of several that share a prefix.
package typealias BlockIndex = Int32

/// Names a session for as long as the process lives; never used twice.
package struct SessionID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: UInt64

    package init(_ rawValue: UInt64) { self.rawValue = rawValue }

    package static func < (left: SessionID, right: SessionID) -> Bool { left.rawValue < right.rawValue }
    package var description: String { "session-\(rawValue)" }
}

/// One session's share of a step.
///
///     0 ..< startPosition                      computed before; its keys and values are in `blocks`
///     startPosition ..< startPosition + count  `tokens`: computed in this step; the last `draftCount` are drafts
///     blocks.count × blockSize                 at least startPosition + count + wantedDrafts
package struct StepEntry: Sendable {
    package var session: SessionID
    /// Never empty, and never drafts only.
    package var tokens: [Token]
    /// How many of `tokens` are drafts of what will be sampled; none unless the entry samples.
    package var draftCount: Int
    package var startPosition: Int
    /// The session's block table: position p lies in `blocks[p / blockSize]` at offset `p % blockSize`. Where the engine
    /// has a window, blocks of which no token of the entry sees a position may be `outOfWindow`.
    package var blocks: [BlockIndex]
    /// Whether a token is to be sampled after the last known one of `tokens`, and after each draft.
    package var samples: Bool
    package var sampling: SamplingParameters
    /// How many tokens the session has sampled before this one. The sample after the nth draft is that of
    /// `sampleIndex` + n: it is drawn as it would be if the drafts before it had been sampled.
    package var sampleIndex: Int
    /// The tokens of the session up to the last known one, each once, if `sampling` penalizes repetition; else empty.
    package var seen: [Token]
    /// What may be sampled after the last known token; drafts that it does not allow end the entry's samples.
    package var constraint: (any TokenConstraint)?
    /// The session's state, if and only if the model has recurrent layers. It goes through drafts too, and cannot be cut back
    /// where one is wrong: a snapshot after the last known token is for that.
    package var state: StateUse?
    /// How many tokens the engine may draft after what it samples, for the next step; none unless the entry samples, and none
    /// where the engine drafts nothing. The blocks have room for them behind `tokens`.
    package var wantedDrafts: Int
    /// Whether the engine's draft model takes in the entry's tokens: it drafts well only after texts that it knows. Always
    /// where drafts are wanted of it.
    package var isFollowed = false
    /// Those before `tokens`, from `unfollowedStart` on, that the draft model has missed and takes in now: all, if it takes in
    /// `tokens` after them. Their blocks are in the table.
    package var unfollowed: ArraySlice<Token> = []
    package var unfollowedStart = 0
    /// The most tokens of `unfollowed` in a step, all entries' together.
    package static let mostUnfollowed = 512

    /// Stands in a block table for a block that lies before every window: the session has given it back.
    package static let outOfWindow: BlockIndex = -1

    package init(
        session: SessionID,
        tokens: [Token],
        startPosition: Int,
        blocks: [BlockIndex],
        samples: Bool,
        sampling: SamplingParameters,
        sampleIndex: Int,
        draftCount: Int = 0,
        seen: [Token] = [],
        constraint: (any TokenConstraint)? = nil,
        state: StateUse? = nil,
        wantedDrafts: Int = 0
    ) {
        self.session = session
        self.tokens = tokens
        self.draftCount = draftCount
        self.startPosition = startPosition
        self.blocks = blocks
        self.samples = samples
        self.sampling = sampling
        self.sampleIndex = sampleIndex
        self.seen = seen
        self.constraint = constraint
        self.state = state
        self.wantedDrafts = wantedDrafts
    }

    package var drafts: ArraySlice<Token> { tokens.suffix(draftCount) }
}

/// What the engine computes at once: tokens of many sessions, each decoding (one token, and drafts of the next) or
/// prefilling (a chunk).
package struct Step: Sendable {
    package var entries: [StepEntry]

    /// Matrix products compute so many of a step's tokens together. A token then takes little more time than in a large step,
    /// and a last tile that is not full takes nearly as long as a full one.
    package static let tile = 8

    package init(entries: [StepEntry]) { self.entries = entries }

    package var tokenCount: Int { entries.reduce(0) { $0 + $1.tokens.count } }
}

/// The tokens sampled in a step.
package struct StepResult: Sendable {
    /// One element for each entry: the token after its last known one, and those after its drafts, as far as they can be
    /// sampled. Empty where the entry did not ask for one or failed.
    package var samples: [[Token]]
    /// What went wrong with single entries, by their index; it does not affect the others.
    package var failures: [Int: EngineError]
    /// What the engine drafted for each entry: the tokens after the last sampled one that counts, which is that after the
    /// last known token or after the last draft of those that were right. Empty if no entry wanted any.
    package var drafts: [[Token]] = []
    /// Where the engine's time went.
    package var times = StepTimes()
    /// Entries of which the draft model has taken in nothing, whatever they say.
    package var notFollowed: Set<Int> = []
    /// What of it went into drafting, and in how many rounds, each of a token for each entry that wanted one.
    package var draftSeconds = 0.0
    package var draftRounds = 0

    /// How many of an entry's drafts were right, and count as computed. After the last of them there is a sample: one that
    /// has none is computed again.
    /// - Parameter samples: of the entry; at least one.
    package static func rightDrafts(_ samples: [Token], of entry: StepEntry) -> Int {
        zip(samples.dropLast(), entry.drafts).prefix { $0 == $1 }.count
    }

    package init(samples: [[Token]], failures: [Int: EngineError] = [:]) {
        self.samples = samples
        self.failures = failures
    }
}
