import Chat
import JSON
import Support
import Testing

/// Conversations with tools as transformers writes them: what Scripts/make_tool_fixtures.py wrote.
@Suite struct ToolFixtureTests {
    @Test("Tools, calls, results and thoughts are written as transformers writes them")
    func sameTexts() throws {
        let fixture = try JSONDocument(Array(try FixtureFile.data("ChatTests/Fixtures/tools.json"))).root
        let tools = try fixture["tools"].elements().map { tool in
            ToolDefinition(
                name: try tool["name"].string(),
                description: try tool["description"].string(),
                inputSchema: tool["parameters"]
            )
        }
        var compared: [String] = []
        for member in try fixture["cases"].members() {
            let format = try ChatFormat(
                TokenizerConfiguration(
                    templates: ["default": ChatFixture.template(member.name)],
                    specialTokens: ["bos_token": "<s>", "eos_token": "</s>"]
                ),
                architecture: "",
                endTokens: [],
                tokenizer: ChatFixture.tokenizer("bytes")
            )
            let support = format.toolSupport
            // What a template has no place for is ours to write.
            guard support.tools, support.calls, support.results else { continue }
            compared.append(member.name)
            for (number, sample) in try member.value.elements().enumerated() {
                // A template that takes the system text along to the last user's turn is not followed in that: a prompt
                // would not go on from the one before.
                if member.name == "mistral-v3-tools", number == 2 { continue }
                var conversation = ChatConversation(turns: try sample["turns"].elements().map(Self.turn), tools: tools)
                conversation.thinking = .on(nil)
                // This one writes the first call of an answer alone: here each has a turn of its own.
                if member.name == "harmony", conversation.turns.contains(where: { $0.calls.count > 1 }) { continue }
                // Some tell the date.
                let date = /Current date: [-0-9]+/
                #expect(
                    try format.preview(conversation).replacing(date, with: "")
                        == sample["text"].string().replacing(date, with: ""),
                    "\(member.name), conversation \(number)"
                )
            }
        }
        #expect(compared.count >= 8, "\(compared)")
    }

    private static func turn(_ node: JSONNode) throws -> ChatTurn {
        let role = try #require(ChatRole(rawValue: node["role"].string()))
        var turn = ChatTurn(role: role, text: try node["text"].string())
        turn.thinking = try node["thinking"].optional?.string()
        if let calls = try node["calls"].optional {
            turn.calls = try calls.elements().map { call in
                let arguments = String(decoding: try JSONValue(call[2], atMost: 100).bytes, as: UTF8.self)
                return ToolCall(id: try call[0].string(), name: try call[1].string(), arguments: arguments)
            }
        }
        if let call = try node["call"].optional {
            turn.answeredCall = .init(id: try call[0].string(), name: try call[1].string())
        }
        return turn
    }
}
