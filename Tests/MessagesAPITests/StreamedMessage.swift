import JSON
import Support
import Testing

@testable import MessagesAPI

/// A message as the official clients put it together from a stream's events, with every rule checked on the way.
struct StreamedMessage {
    private(set) var content: [JSONValue] = []
    private(set) var stopReason: JSONValue?
    private(set) var stopSequence: JSONValue?
    private(set) var usage: JSONValue?
    private var isOpen = false
    private var isOver = false

    init(_ events: [JSONValue]) throws {
        let kinds = try events.map { try $0["type"]?.string() ?? "" }
        guard kinds.first == "message_start", kinds.last == "message_stop" else {
            throw SupportError("the events do not begin and end as they must: \(kinds)")
        }
        for event in events.dropFirst().dropLast() { try apply(event) }
        guard isOver, !isOpen else { throw SupportError("the message is not ended") }
    }

    private mutating func apply(_ event: JSONValue) throws {
        let type = try event["type"]?.string()
        if type == "ping" { return }
        guard !isOver else { throw SupportError("an event after message_delta: \(event)") }
        if type == "message_delta" {
            (stopReason, stopSequence) = (event["delta"]?["stop_reason"], event["delta"]?["stop_sequence"])
            usage = event["usage"]
            isOver = true
            return
        }
        let index = try event["index"]?.integer()
        switch type {
        case "content_block_start":
            guard !isOpen, index == content.count, let block = event["content_block"] else {
                throw SupportError("a block out of its turn: \(event)")
            }
            content.append(block)
            isOpen = true
        case "content_block_delta":
            guard isOpen, index == content.count - 1, let delta = event["delta"] else {
                throw SupportError("a delta out of its turn: \(event)")
            }
            try fill(delta)
        case "content_block_stop":
            guard isOpen, index == content.count - 1 else { throw SupportError("a stop out of its turn: \(event)") }
            isOpen = false
            try endBlock()
        default: throw SupportError("an unknown event: \(event)")
        }
    }

    private mutating func fill(_ delta: JSONValue) throws {
        let block = content.removeLast()
        let kind = try block["type"]?.string() ?? ""
        switch (try delta["type"]?.string(), kind) {
        case ("text_delta", "text"): content.append(try block.extended("text", by: delta["text"]))
        case ("thinking_delta", "thinking"): content.append(try block.extended("thinking", by: delta["thinking"]))
        case ("signature_delta", "thinking"): content.append(try block.extended("signature", by: delta["signature"]))
        case ("input_json_delta", "tool_use"):
            content.append(try block.extended("partial", by: delta["partial_json"]))
        default: throw SupportError("a delta of another kind: \(delta) in \(kind)")
        }
    }

    /// A call's input is read; one that is no JSON stays as it came, in `partial`.
    private mutating func endBlock() throws {
        guard let block = content.last, block["type"] == "tool_use" else { return }
        guard let text = try block["partial"]?.string() else { return }
        guard let input = try? JSONValue(parsing: Array(text.utf8)) else { return }
        content[content.count - 1] = [
            "type": "tool_use", "id": block["id"] ?? nil, "name": block["name"] ?? nil, "input": input,
        ]
    }

    /// The content without a call that was cut, which whole answers do not have.
    var wholeContent: [JSONValue] { content.filter { $0["partial"] == nil } }
}

extension JSONValue {
    fileprivate func extended(_ name: String, by more: JSONValue?) throws -> JSONValue {
        guard case .object(var members) = self else { throw SupportError("no object: \(self)") }
        guard let more = try more?.string(), !more.isEmpty else { throw SupportError("an empty delta in \(self)") }
        if let place = members.firstIndex(where: { $0.name == name }) {
            members[place].value = .string(try members[place].value.string() + more)
        } else {
            members.append(Member(name: name, value: .string(more)))
        }
        return .object(members)
    }

    /// The same without the ids of calls, which never repeat.
    var withoutIDs: JSONValue {
        switch self {
        case .array(let elements): .array(elements.map(\.withoutIDs))
        case .object(let members) where self["type"] == "tool_use": .object(members.filter { $0.name != "id" })
        default: self
        }
    }
}

extension TestAPI {
    /// The same request plain and streamed, which must come to the same.
    func both(_ fields: String) async throws -> (plain: Reply, stream: Reply) {
        let (plain, stream) = (try await ask(fields), try await ask(fields + #","stream":true"#))
        #expect(plain.status == 200 && stream.status == 200)
        #expect(try plain.text == stream.text)
        let message = try StreamedMessage(try stream.events)
        #expect(try plain.json["content"]?.withoutIDs == JSONValue.array(message.wholeContent).withoutIDs)
        let last = try #require(try stream.events.dropLast().last)
        for field in ["stop_reason", "stop_sequence"] {
            #expect(try #require(last["delta"]?[field]) == #require(try plain.json[field]))
        }
        let outputTokens = try #require(try plain.json["usage"]?["output_tokens"])
        #expect(last["usage"]?["output_tokens"] == outputTokens)
        return (plain, stream)
    }
}
