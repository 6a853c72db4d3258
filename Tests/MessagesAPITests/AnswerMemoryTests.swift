import Chat
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
}
