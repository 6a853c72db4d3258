package import EngineContract

/// Limits how many tokens an answer may think: at the limit, the tokens that end a thought are forced one after another, and
/// the answer goes on as another constraint has it, if there is one. That one sees every token.
///
/// A thought is what stands between two markers, where the answer begins or right behind another thought. Markers are
/// looked for in the bytes of the tokens, so they may span several.
package struct ThinkingBudget: TokenConstraint {
    /// What does not change while an answer is made.
    private final class Rules: Sendable {
        let budget: Int
        let start: [UInt8]
        let end: [UInt8]
        let closing: [Token]
        let vocabulary: Vocabulary
        let specialTexts: [Token: [UInt8]]
        /// Whether the end marker is a special token: where that is only spelled, it ends nothing.
        let isEndSpecial: Bool

        init(
            budget: Int,
            start: [UInt8],
            end: [UInt8],
            closing: [Token],
            vocabulary: Vocabulary,
            specialTexts: [Token: [UInt8]]
        ) {
            self.budget = budget
            self.start = start
            self.end = end
            self.closing = closing
            self.vocabulary = vocabulary
            self.specialTexts = specialTexts
            isEndSpecial = specialTexts.values.contains(end)
        }
    }

    private enum State {
        /// A thought may begin; `bytes` may be the beginning of its marker.
        case before(bytes: [UInt8])
        /// `bytes` are the last ones, fewer than the end marker has.
        case inside(bytes: [UInt8])
        /// The closing token at `index` is forced; `bytes` are the last ones, as inside. `isEnded`: those before it have
        /// spelled the end marker.
        case closing(index: Int, bytes: [UInt8], isEnded: Bool)
        /// The answer's text has begun: it does not think any more.
        case over
    }

    private let rules: Rules
    private var inner: (any TokenConstraint)?
    private var state: State
    /// Tokens of thoughts so far.
    private var thought = 0

    /// - Parameters:
    ///   - inner: what the answer must be besides; nil: anything.
    ///   - budget: tokens that the answer may think; below 1, a thought is ended where it begins.
    ///   - start: the marker that begins a thought.
    ///   - end: the marker that ends it.
    ///   - closing: the tokens that are forced to end it, which spell the end marker. Without any, nothing is forced.
    ///   - isInsideThinking: whether the prompt ends inside a thought.
    ///   - specialTexts: the texts of tokens that have none in the vocabulary, as far as markers are made of them.
    package init(
        _ inner: (any TokenConstraint)?,
        budget: Int,
        start: String,
        end: String,
        closing: [Token],
        isInsideThinking: Bool,
        vocabulary: Vocabulary,
        specialTexts: [Token: [UInt8]] = [:]
    ) {
        rules = Rules(
            budget: budget,
            start: Array(start.utf8.drop(while: Self.isSpace)),
            end: Array(end.utf8),
            closing: closing,
            vocabulary: vocabulary,
            specialTexts: specialTexts
        )
        self.inner = inner
        state = isInsideThinking ? .inside(bytes: []) : .before(bytes: [])
        if closing.isEmpty || rules.start.isEmpty || rules.end.isEmpty { state = .over }
        closeIfDue()
    }

    // MARK: What may come

    private var closingTokens: ArraySlice<Token> {
        guard case .closing(let index, _, _) = state else { return [] }
        return rules.closing[index...]
    }

    package func allow(into mask: inout TokenMask) {
        if let token = closingTokens.first {
            mask.removeAll()
            mask.insert(token)
        } else if let inner {
            inner.allow(into: &mask)
        } else {
            mask.insertAll()
        }
    }

    package var forced: [Token] {
        guard case .closing = state else { return inner?.forced ?? [] }
        guard var inner else { return Array(closingTokens) }
        return Array(closingTokens.prefix { inner.accept($0) })
    }

    package var isComplete: Bool {
        if case .closing = state { return false }
        return inner?.isComplete ?? true
    }

    package var isFinished: Bool { inner?.isFinished ?? false }

    // MARK: Moving on

    package mutating func accept(_ token: Token) -> Bool {
        if let next = closingTokens.first, next != token { return false }
        guard inner?.accept(token) ?? true else { return false }
        let special = rules.specialTexts[token].map { $0[...] }
        let text = special ?? rules.vocabulary.text(token)
        // What may be of the end marker.
        let end = rules.isEndSpecial && special == nil ? [] : text
        switch state {
        case .over: return true
        case .before(let bytes): begin(with: bytes + text)
        case .inside(let bytes):
            thought += 1
            state = after(bytes + end) ?? .before(bytes: [])
        case .closing(let index, let bytes, let wasEnded):
            let isEnded = wasEnded || after(bytes + end) == nil
            proceed(to: index + 1, bytes + end, isEnded: isEnded)
        }
        closeIfDue()
        return true
    }

    /// Looks for the marker of a thought where one may begin.
    private mutating func begin(with bytes: [UInt8]) {
        var bytes = Array(bytes.drop(while: Self.isSpace))
        // An end without a beginning: the prompt has ended the thought, and the model does so once more.
        if bytes.starts(with: rules.end) { bytes = Array(bytes.dropFirst(rules.end.count).drop(while: Self.isSpace)) }
        if bytes.starts(with: rules.start) {
            state = after(Array(bytes.dropFirst(rules.start.count))) ?? .before(bytes: [])
        } else {
            let mayBegin = rules.start.starts(with: bytes) || rules.end.starts(with: bytes)
            state = mayBegin ? .before(bytes: bytes) : .over
        }
    }

    /// The state inside a thought that ends with `bytes`; nil if they have the end marker.
    private func after(_ bytes: [UInt8]) -> State? {
        let end = rules.end
        if bytes.count >= end.count {
            for first in 0...(bytes.count - end.count) where bytes[first...].starts(with: end) { return nil }
        }
        return .inside(bytes: Array(bytes.suffix(end.count - 1)))
    }

    private mutating func closeIfDue() {
        guard case .inside(let bytes) = state, thought >= rules.budget else { return }
        proceed(to: 0, bytes, isEnded: false)
    }

    /// Goes on with the closing token at an index, if there is one that the inner constraint allows: behind the end marker
    /// it may want less space than the closing tokens have.
    private mutating func proceed(to index: Int, _ bytes: [UInt8], isEnded: Bool) {
        guard index < rules.closing.count else {
            state = .before(bytes: [])
            return
        }
        if var inner, !inner.accept(rules.closing[index]) {
            state = isEnded ? .before(bytes: []) : .over
            return
        }
        state = .closing(index: index, bytes: Array(bytes.suffix(rules.end.count - 1)), isEnded: isEnded)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0D ~= byte }
}
