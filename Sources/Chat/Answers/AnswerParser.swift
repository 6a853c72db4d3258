/// Takes an answer apart as it comes: what is thought, what is said, and the calls of tools.
///
/// Markers are held back until they are whole, so nothing of one is ever taken for text; what turns out to be none is text
/// after all. What is held back is bounded, and reading takes time in proportion to the text, however it is cut.
package struct AnswerParser: Sendable {
    private enum State: Sendable {
        case text
        case thinking
        case call(ArgumentReader, CallTail)
        case afterCall(CallTail)
    }

    /// White space that is held back because a call may follow, at most.
    private static let mostSpace = 256

    private let syntax: AnswerSyntax
    private let calls: [CallSyntax]
    private let tools: [String: ToolDefinition]
    private let heads: CallHeads
    private let thinkingStart: Marker?
    private let thinkingEnd: Marker?
    private let textStarts: [Marker]
    private let callsComeFirst: Bool
    private let specialTexts: [[UInt8]]

    private var buffer = AnswerBuffer()
    private var state = State.text
    /// Whether no text and no call has come.
    private var isAtBeginning = true
    /// Whether no text has come since the beginning, a thought or a call.
    private var isAtBoundary = true
    /// Whether white space at the boundary is no part of a text: it follows a thought or a call.
    private var dropsSpace = false
    /// Whether the thinking under way has no text yet.
    private var isThinkingEmpty = true
    private var parts = PartList()

    /// - Parameters:
    ///   - tools: those that may be called. Without any, all but thinking is text.
    ///   - isInsideThinking: whether the prompt ends inside a block of thinking.
    ///   - specialTexts: those of the special tokens that are part of markers. What begins with one is no marker where its
    ///     text is only spelled.
    ///   - callsComeFirst: whether nothing is a call once there is a text, as in an answer that is either.
    package init(
        _ syntax: AnswerSyntax,
        tools: [ToolDefinition],
        isInsideThinking: Bool,
        specialTexts: [[UInt8]] = [],
        callsComeFirst: Bool = false
    ) {
        self.syntax = syntax
        self.callsComeFirst = callsComeFirst
        self.specialTexts = specialTexts
        calls = tools.isEmpty ? [] : [syntax.calls] + syntax.otherCalls
        self.tools = Dictionary(tools.map { ($0.name, $0) }) { first, _ in first }
        heads = CallHeads(calls, tools: tools, specialTexts: specialTexts)
        thinkingStart = syntax.thinking.map { Marker($0.start, specialTexts: specialTexts) }
        thinkingEnd = syntax.thinking.map { Marker($0.end, specialTexts: specialTexts) }
        textStarts = syntax.textStarts.map { Marker($0, specialTexts: specialTexts) }.filter { !$0.isEmpty }
        if isInsideThinking, thinkingEnd?.isEmpty == false { state = .thinking }
    }

    /// Whether the text so far ends inside a block of thinking.
    package var isThinking: Bool { if case .thinking = state { true } else { false } }

    /// The parts that more of the answer's text makes certain.
    /// - Parameter special: how many bytes at its end are the text of a special token.
    package mutating func push(_ text: String, special: Int = 0) -> [AnswerPart] {
        buffer.append(text, special: special)
        run()
        return parts.take()
    }

    /// What was held back, once nothing more comes.
    package mutating func finish() -> [AnswerPart] {
        buffer.isFinal = true
        run()
        return parts.take()
    }

    private mutating func run() {
        while true {
            let goesOn: Bool
            switch state {
            case .text: goesOn = readText()
            case .thinking: goesOn = readThinking()
            case .call: goesOn = readCall()
            case .afterCall: goesOn = readTail()
            }
            guard goesOn else { return }
        }
    }

    // MARK: Text

    private enum Mark {
        case none, partial
        case call(CallHeads.Found)
        case thinking(Int)
        /// To be left out.
        case skipped(Int)
    }

    /// - Returns: whether the state has changed. If not, all is read that can be.
    private mutating func readText() -> Bool {
        var index = buffer.start
        // White space before a call or a thought belongs to neither: `spaceStart` is where it begins.
        var spaceStart = index
        while index < buffer.end {
            if buffer[index].isSpace, index - spaceStart < Self.mostSpace, holdsSpace {
                index = buffer.endOfSpace(from: index, atMost: Self.mostSpace + spaceStart - index)
                continue
            }
            switch buffer[index].isSpace ? .none : mark(at: index) {
            case .none:
                index += 1
                if isAtBoundary { emitText(to: index) }
                // The rest goes out at once where nothing can be in it.
                if !holdsSpace { index = buffer.end }
                spaceStart = index
            case .partial:
                emitText(to: spaceStart)
                return false
            case .skipped(let end):
                emitText(to: spaceStart)
                buffer.consume(to: end)
                (index, spaceStart) = (end, end)
                (isAtBoundary, dropsSpace) = (true, true)
            case .thinking(let end):
                emitText(to: spaceStart)
                buffer.consume(to: end)
                (state, isThinkingEmpty) = (.thinking, true)
                return true
            case .call(let found):
                emitText(to: spaceStart)
                begin(found)
                return true
            }
        }
        emitText(to: buffer.isFinal ? buffer.end : spaceStart)
        return false
    }

    /// Whether a mark may follow, so that white space has to wait.
    private var holdsSpace: Bool {
        !heads.isEmpty && canCall || !textStarts.isEmpty || isAtBoundary && thinkingStart != nil
    }

    private var canCall: Bool { isAtBeginning || !callsComeFirst && calls.contains { !$0.isWholeAnswer } }

    /// What begins at an index.
    private func mark(at index: Int) -> Mark {
        var result = Mark.none
        if isAtBoundary, let thinkingStart, let thinkingEnd {
            switch thinkingStart.match(buffer, at: index) {
            case .whole(let end): return .thinking(end)
            case .partial: result = .partial
            case .no: break
            }
            // An end without a beginning: the thinking was ended in the prompt, and once more.
            switch thinkingEnd.match(buffer, at: index) {
            case .whole(let end): return .skipped(end)
            case .partial: result = .partial
            case .no: break
            }
        }
        for start in textStarts {
            switch start.match(buffer, at: index) {
            case .whole(let end): return .skipped(end)
            case .partial: result = .partial
            case .no: break
            }
        }
        guard !heads.isEmpty, canCall, heads.mayBegin(with: buffer[index]) else { return result }
        switch heads.match(buffer, at: index, isAtBeginning: isAtBeginning) {
        case .no: return result
        case .partial: return .partial
        case .whole(let found): return .call(found)
        }
    }

    private mutating func emitText(to end: Int) {
        var start = buffer.start
        if isAtBoundary, dropsSpace { start = min(end, buffer.endOfSpace(from: start)) }
        buffer.consume(to: end)
        guard start < end else { return }
        parts.append(text: buffer.bytes[start..<end])
        if buffer.endOfSpace(from: start) < end { (isAtBeginning, isAtBoundary) = (false, false) }
    }

    // MARK: Thinking

    private mutating func readThinking() -> Bool {
        guard let thinkingEnd, let thinkingStart else {
            state = .text
            return true
        }
        if isThinkingEmpty {
            buffer.skipSpace()
            // A model may open the block that its prompt has opened.
            switch thinkingStart.match(buffer, at: buffer.start) {
            case .whole(let end) where !thinkingStart.isEmpty:
                buffer.consume(to: end)
                buffer.skipSpace()
            case .partial where !buffer.isEmpty: return false
            default: break
            }
        }
        var index = buffer.start
        var spaceStart = index
        while index < buffer.end {
            if buffer[index].isSpace, index - spaceStart < Self.mostSpace {
                index = buffer.endOfSpace(from: index, atMost: Self.mostSpace + spaceStart - index)
                continue
            }
            switch buffer[index].isSpace ? .no : thinkingEnd.match(buffer, at: index) {
            case .partial: return false
            case .whole(let end):
                buffer.consume(to: end)
                state = .text
                (isAtBoundary, dropsSpace) = (true, true)
                return true
            case .no:
                index += 1
                parts.append(thinking: buffer.bytes[buffer.start..<index])
                buffer.consume(to: index)
                (spaceStart, isThinkingEmpty) = (index, false)
            }
        }
        return false
    }

    // MARK: Calls

    private mutating func begin(_ found: CallHeads.Found) {
        buffer.consume(to: found.end)
        (isAtBeginning, isAtBoundary, dropsSpace) = (false, true, true)
        parts.append(.toolCallStart(name: found.name))
        state = .call(
            ArgumentReader(calls[found.syntax], tools[found.name], specialTexts: specialTexts),
            CallTail(calls[found.syntax], number: found.syntax)
        )
    }

    private mutating func readCall() -> Bool {
        guard case .call(var reader, let tail) = state else { return true }
        // Nothing else may hold what the reader holds, or it would be copied for every piece.
        state = .text
        var json: [UInt8] = []
        let isWhole = reader.read(&buffer, into: &json)
        parts.append(arguments: json)
        guard isWhole else {
            state = .call(reader, tail)
            return false
        }
        parts.append(.toolCallEnd)
        state = .afterCall(tail)
        return true
    }

    /// Goes past what ends a call and its section, up to the next call or a text.
    private mutating func readTail() -> Bool {
        guard case .afterCall(var tail) = state else { return true }
        switch tail.read(&buffer, heads) {
        case .needsMore:
            state = .afterCall(tail)
            return false
        case .call(let found): begin(found)
        case .text: state = .text
        }
        return true
    }
}

/// The parts of an answer that are certain and not yet handed out: neighbours of one kind are one part.
private struct PartList: Sendable {
    private enum Kind { case text, thinking, arguments }

    private var parts: [AnswerPart] = []
    private var kind: Kind?
    private var bytes: [UInt8] = []

    mutating func append(text: ArraySlice<UInt8>) { append(text, .text) }
    mutating func append(thinking: ArraySlice<UInt8>) { append(thinking, .thinking) }
    mutating func append(arguments: [UInt8]) { append(arguments[...], .arguments) }

    private mutating func append(_ more: ArraySlice<UInt8>, _ kind: Kind) {
        guard !more.isEmpty else { return }
        if self.kind != kind { close() }
        self.kind = kind
        bytes += more
    }

    mutating func append(_ part: AnswerPart) {
        close()
        parts.append(part)
    }

    private mutating func close() {
        guard let kind, !bytes.isEmpty else { return }
        let text = String(decoding: bytes, as: UTF8.self)
        switch kind {
        case .text: parts.append(.text(text))
        case .thinking: parts.append(.thinking(text))
        case .arguments: parts.append(.toolCallArguments(text))
        }
        bytes = []
        self.kind = nil
    }

    mutating func take() -> [AnswerPart] {
        close()
        defer { parts = [] }
        return parts
    }
}
