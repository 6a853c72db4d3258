import Chat
import EngineContract
import Testing

@testable import MessagesAPI

@Suite struct AnswerMemoryTests {
    @Test("A call's arguments come back as they were written, if they still say the same")
    func calls() {
        let memory = AnswerMemory()
        memory.keep(arguments: #"{"b": [1.0], "a": "\u00e9"}"#, ofCall: "toolu_1")
        memory.keep(arguments: "", ofCall: "toolu_2")
        let arguments = { (id: String, input: String) in
            memory.arguments(of: ToolCall(id: id, name: "f", arguments: input))
        }
        #expect(arguments("toolu_1", #"{"a":"é","b":[1]}"#) == #"{"b": [1.0], "a": "\u00e9"}"#)
        #expect(arguments("toolu_1", #"{"a":"é","b":[2]}"#) == nil)
        #expect(arguments("toolu_1", #"{"a":"é","b":[1]"#) == nil)
        #expect(arguments("toolu_2", "{}") == "{}")
        #expect(arguments("toolu_3", #"{"a":"é","b":[1]}"#) == nil)
    }

    @Test("What was not used for longest is forgotten, and memory is bounded")
    func bounds() {
        var table = RecentTable<Int, Int>(maxBytes: 100_000)
        table.set(0, to: 0, bytes: 100)
        for number in 1...10_000 {
            table.set(number, to: number, bytes: 100)
            #expect(table.value(of: 0) == 0 && table.bytes <= 100_000)
        }
        #expect(table.value(of: 10_000) == 10_000 && table.value(of: 1) == nil)
        #expect(table.keys.count < 500)
        // A value that would leave no room for others is not kept, and its former one is gone.
        table.set(0, to: 1, bytes: .max)
        #expect(table.value(of: 0) == nil && table.value(of: 10_000) == 10_000)
        for key in table.keys { table.set(key, to: 0, bytes: 0) }
        #expect(table.bytes < 100_000 && Set(table.keys).count == table.keys.count)
    }

    @Test("The size of a table is that of what it holds, and what is too large for it is not kept")
    func sizes() {
        // Two values a generation, with what each costs besides.
        var table = RecentTable<Int, Int>(maxBytes: 4000)
        for number in 1...3 { table.set(number, to: number, bytes: 872) }
        #expect(table.bytes == 3000)
        #expect(table.value(of: 1) == 1 && table.bytes == 3000)
        table.set(2, to: 5, bytes: 2000)
        #expect(table.value(of: 2) == nil && table.bytes == 2000)
    }

    private static func key(_ text: String) throws -> PromptKey {
        let tokenizer = try Script.tokenizer()
        let format = try ChatFormat(TokenizerConfiguration(), architecture: "phi3", endTokens: [], tokenizer: tokenizer)
        let conversation = ChatConversation(turns: [ChatTurn(role: .user, text: text)])
        return try #require(try format.prompt(conversation, with: tokenizer).key)
    }

    @Test("Of the answers to one prompt the latest four are kept, each once")
    func latestAnswers() throws {
        let memory = AnswerMemory()
        let key = try Self.key("a")
        for token: Token in [1, 2, 3, 1] { memory.keep([token], after: key) }
        #expect(memory.answers(to: key) == [[2], [3], [1]])
        for token: Token in [4, 5] { memory.keep([token], after: key) }
        #expect(memory.answers(to: key) == [[3], [1], [4], [5]])
        memory.keep([], after: try Self.key("bc"))
        #expect(memory.promptLengths == [key.length])
    }

    @Test("The lengths of prompts whose answers were forgotten are so too")
    func lengths() throws {
        let memory = AnswerMemory()
        // Of a generation's 8 MiB, two fit.
        let answer = [Token](repeating: 0, count: 900_000)
        let keys = try (1...9).map { try Self.key(String(repeating: "a", count: $0)) }
        for key in keys { memory.keep(answer, after: key) }
        let lengths = memory.promptLengths
        #expect((1...4).contains(lengths.count) && lengths == keys.suffix(lengths.count).map(\.length))
    }
}
