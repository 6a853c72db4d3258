import JSON

/// The content of a whole answer: what a client makes of a stream's events.
struct AnswerContent: Sendable {
    private var blocks: [JSONValue] = []
    private var open: BlockEvent.Start?
    /// What the open block is filled with: text, thinking, or a call's arguments.
    private var filling = ""
    private var signature = ""

    /// The content. A call that was cut is not in it: its input would be no object.
    var json: JSONValue { .array(blocks) }

    mutating func apply(_ event: BlockEvent) {
        switch event.change {
        case .start(let start): (open, filling, signature) = (start, "", "")
        case .delta(.text(let text)), .delta(.thinking(let text)), .delta(.input(let text)): filling += text
        case .delta(.signature(let text)): signature = text
        case .stop:
            if let block { blocks.append(block) }
            (open, filling) = (nil, "")
        }
    }

    private var block: JSONValue? {
        switch open {
        case nil: nil
        case .text: ["type": "text", "text": .string(filling)]
        case .thinking: ["type": "thinking", "thinking": .string(filling), "signature": .string(signature)]
        case .toolUse(let id, let name):
            CallInput.object(filling).map { input in
                ["type": "tool_use", "id": .string(id), "name": .string(name), "input": .written(input)]
            }
        }
    }
}
