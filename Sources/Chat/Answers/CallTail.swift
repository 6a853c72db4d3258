/// What may come after a call's arguments: the end of the call and of its section, which are passed over, and the next
/// call.
struct CallTail: Sendable {
    enum Next {
        case needsMore
        case call(CallHeads.Found)
        case text
    }

    /// The words of `callEnd`, `separator` and `sectionEnd`, in their order. A model may leave some out.
    private let words: [Marker]
    private let syntax: Int
    /// Whether a call is an object of JSON, which may have further members.
    private let isObject: Bool
    private var nextWord = 0
    /// Further members that are passed over.
    private var members: SkippedMembers?

    init(_ syntax: CallSyntax, number: Int) {
        words = [syntax.callEnd, syntax.separator, syntax.sectionEnd]
            .flatMap { $0.split(whereSeparator: \.isWhitespace) }.map { Marker(String($0)) }
        self.syntax = number
        if case .json = syntax.arguments {
            isObject = Marker(syntax.callEnd).core.first == UInt8(ascii: "}")
        } else {
            isObject = false
        }
    }

    mutating func read(_ buffer: inout AnswerBuffer, _ heads: CallHeads) -> Next {
        while true {
            if members != nil, members?.read(&buffer) == false { return .needsMore }
            members = nil
            buffer.skipSpace()
            guard !buffer.isEmpty else { return buffer.isFinal ? .text : .needsMore }
            var isUncertain = false
            switch nextCall(buffer, heads) {
            case .whole(let found): return .call(found)
            case .partial: isUncertain = true
            case .no: break
            }
            if isObject, nextWord == 0, buffer[buffer.start] == UInt8(ascii: ",") {
                members = SkippedMembers()
                continue
            }
            if skipWord(&buffer, &isUncertain) { continue }
            return isUncertain ? .needsMore : .text
        }
    }

    private func nextCall(_ buffer: AnswerBuffer, _ heads: CallHeads) -> CallHeads.Match {
        let next = heads.matchNext(buffer, at: buffer.start, of: syntax)
        if case .whole = next { return next }
        let first = heads.match(buffer, at: buffer.start, isAtBeginning: false)
        if case .no = first { return next }
        return first
    }

    /// Goes past the next of the words that are still to come.
    private mutating func skipWord(_ buffer: inout AnswerBuffer, _ isUncertain: inout Bool) -> Bool {
        for (index, word) in words.enumerated().dropFirst(nextWord) {
            switch word.match(buffer, at: buffer.start) {
            case .whole(let end) where !isUncertain:
                buffer.consume(to: end)
                nextWord = index + 1
                return true
            case .whole, .partial: isUncertain = true
            case .no: break
            }
        }
        return false
    }
}

/// Members of a call's object after its arguments, such as its `id`: up to the brace that ends the object.
private struct SkippedMembers: Sendable {
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    /// - Returns: whether the brace comes next.
    mutating func read(_ buffer: inout AnswerBuffer) -> Bool {
        while !buffer.isEmpty {
            let byte = buffer[buffer.start]
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else {
                    isInString = byte != UInt8(ascii: "\"")
                }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInString = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth == 0 { return true }
                    depth -= 1
                default: break
                }
            }
            buffer.consume(to: buffer.start + 1)
        }
        return buffer.isFinal
    }
}
