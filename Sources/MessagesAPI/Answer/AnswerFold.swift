import Chat
import JSON

/// How an answer's thinking is shown.
enum ThinkingDisplay: Sendable, Equatable {
    case shown
    /// Blocks of it have no text.
    case omitted
    /// There are no blocks of it: nobody asked for thinking.
    case dropped
}

/// Makes of an answer's parts the events that clients get. Streams are written from these and whole answers are made of
/// them, so that the two cannot differ.
struct AnswerFold: Sendable {
    private let display: ThinkingDisplay
    private var open: BlockEvent.Start?
    private var index = 0
    /// Thinking of the open block that is not shown, or arguments of the open call.
    private var kept = ""
    /// The calls that are whole, with the arguments as they were written.
    private(set) var calls: [ToolCall] = []
    /// Whether the answer ends within a call.
    private(set) var hasCutCall = false

    init(_ display: ThinkingDisplay) { self.display = display }

    mutating func add(_ part: AnswerPart) -> [BlockEvent] {
        switch part {
        case .text(let text): return begin(.text) + [delta(.text(text))]
        case .thinking(let text):
            switch display {
            case .dropped: return []
            case .shown: return begin(.thinking) + [delta(.thinking(text))]
            case .omitted:
                let events = begin(.thinking)
                kept += text
                return events
            }
        case .toolCallStart(let name): return begin(.toolUse(id: RandomID.make("toolu_"), name: name))
        case .toolCallArguments(let text):
            guard case .toolUse = open else { return [] }
            kept += text
            return [delta(.input(text))]
        case .toolCallEnd:
            guard case .toolUse = open, kept.allSatisfy(\.isWhitespace) else { return end() }
            // A whole call without arguments; one that was cut before them has no end.
            return add(.toolCallArguments("{}")) + end()
        }
    }

    /// Ends what is still open.
    mutating func finish() -> [BlockEvent] { end() }

    /// Goes on with the open block, or begins one.
    private mutating func begin(_ block: BlockEvent.Start) -> [BlockEvent] {
        guard open != block else { return [] }
        let events = end()
        open = block
        return events + [BlockEvent(index: index, change: .start(block))]
    }

    private func delta(_ delta: BlockEvent.Delta) -> BlockEvent { BlockEvent(index: index, change: .delta(delta)) }

    private mutating func end() -> [BlockEvent] {
        guard let block = open else { return [] }
        var events: [BlockEvent] = []
        switch block {
        case .text: break
        case .thinking: events.append(delta(.signature(ThinkingSignature.make(hiding: kept))))
        case .toolUse(let id, let name):
            if CallInput.object(kept) != nil {
                calls.append(ToolCall(id: id, name: name, arguments: kept))
            } else {
                hasCutCall = true
            }
        }
        events.append(BlockEvent(index: index, change: .stop))
        (open, kept) = (nil, "")
        index += 1
        return events
    }
}

/// A call's arguments as clients get them.
enum CallInput {
    /// The JSON object that arguments are, without white space; nil if they are none, as those of a call that was cut.
    static func object(_ arguments: String) -> [UInt8]? {
        guard let document = try? JSONDocument(Array(arguments.utf8), limits: ToolCall.limits),
            document.root.kind == .object
        else { return nil }
        return document.root.compact
    }
}
