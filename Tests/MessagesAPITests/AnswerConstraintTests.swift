import EngineContract
import JSON
import Testing

@testable import MessagesAPI

@Suite("What an answer may be", .timeLimit(.minutes(3))) struct AnswerConstraintTests {
    private static func tool(_ name: String, _ schema: String, _ fields: String = "") -> String {
        #"{"name":"\#(name)","input_schema":\#(schema)\#(fields)}"#
    }

    private static func format(_ schema: String) -> String {
        #","output_config":{"format":{"type":"json_schema","schema":\#(schema)}}"#
    }

    @Test("A model that would rather talk calls a tool where it must, and the named one where it is named")
    func forced() async throws {
        let api = try TestAPI(answering: Script.bytes("I would rather talk about something else altogether."))
        let one = #","max_tokens":300,"tool_choice":{"type":"tool","name":"now","disable_parallel_tool_use":true}"#
        let json = try await api.both(ToolAnswerTests.tools + one).plain.json
        #expect(json["content"]?.withoutIDs == [["type": "tool_use", "name": "now", "input": [:]]])
        #expect(json["stop_reason"] == "tool_use")
        for choice in [#"{"type":"any"}"#, #"{"type":"any","disable_parallel_tool_use":true}"#] {
            let fields = ToolAnswerTests.tools + #","max_tokens":300,"tool_choice":\#(choice)"#
            let answer = try await api.both(fields).plain.json
            let blocks = try answer["content"]?.array() ?? []
            #expect(blocks.allSatisfy { $0["type"] == "tool_use" }, "\(answer)")
            if choice.contains("parallel") { #expect(blocks.count <= 1) }
        }
    }

    @Test("With a format, the text is JSON that its schema admits")
    func formats() async throws {
        let schema = #"{"type":"object","properties":{"a":{"enum":["x"]},"b":{"const":7}},"required":["a","b"]}"#
        let closed = schema.dropLast() + #","additionalProperties":false}"#
        let api = try TestAPI(answering: Script.bytes("Here is the JSON you asked for"))
        for name in [Self.format(String(closed)), #","output_format":{"type":"json_schema","schema":\#(closed)}"#] {
            let json = try await api.both(name).plain.json
            let text = try json["content"]?.array().first?["text"]?.string() ?? ""
            #expect(try JSONValue(parsing: Array(text.utf8)) == ["a": "x", "b": 7], "\(text)")
            #expect(json["stop_reason"] == "end_turn")
        }
    }

    @Test("A schema that cannot be enforced is refused by its place, in answers and counts alike")
    func refusals() async throws {
        let api = try TestAPI(answering: Script.bytes("ok"))
        let unique = #"{"type":"object","properties":{"a":{"type":"array","uniqueItems":true}}}"#
        let good = Self.tool("g", #"{"type":"object"}"#)
        let alternatives = (0..<10_000).map { #"{"type":"object","properties":{"p\#($0)":{"type":"string"}}}"# }
        for (fields, place) in [
            (Self.format(unique), "output_config.format.schema.properties.a.uniqueItems: "),
            (#","output_format":{"type":"json_schema","schema":\#(unique)}"#, "output_format.schema.properties.a.uniq"),
            (
                #","tools":[\#(good),\#(Self.tool("f", unique, #","strict":true"#))]"#,
                "tools.1.input_schema.properties.a.uniqueItems: "
            ),
            (
                #","tools":[\#(Self.tool("f", #"{"properties":{"a":{"type":5}}}"#))]"#,
                "tools.0.input_schema.properties.a"
            ),
            (
                Self.format(#"{"type":"string","pattern":"(a{1,1000}){1,1000}"}"#),
                "output_config.format.schema.pattern: "
            ),
            (Self.format(#"{"oneOf":[\#(alternatives.joined(separator: ","))]}"#), "output_config.format.schema"),
            (
                Self.format(#"{"description":"\#(String(repeating: "x", count: 2 << 20))"}"#),
                "output_config.format.schema: "
            ),
            (Self.format(#"{"$ref":"https://elsewhere.example/s.json"}"#), "output_config.format.schema.$ref: "),
        ] {
            let (answer, count) = (try await api.ask(fields), try await api.count(TestAPI.body(fields)))
            #expect(try answer.status == 400 && answer.errorType() == "invalid_request_error", "\(place)")
            #expect(answer.errorMessage.hasPrefix(place), "\(answer.errorMessage)")
            #expect(count.errorMessage == answer.errorMessage)
        }
    }

    @Test("What plain tools' schemas ask for beyond what can be enforced is named once in the log")
    func ignoredKeywords() async throws {
        let lines = Shared<[String]>([])
        var configuration = APIConfiguration()
        configuration.log = ServerLog { line in lines.change { $0.append(line) } }
        let api = try TestAPI(answering: Script.bytes("ok"), configuration: configuration)
        let schema = #"{"type":"object","properties":{"a":{"type":"array","uniqueItems":true}}}"#
        for _ in 0..<2 {
            #expect(try await api.ask(#","tools":[\#(Self.tool("f", schema))]"#).text == "ok")
        }
        #expect(lines.current.count == 1)
        #expect(lines.current.first?.contains("tools.0.input_schema.properties.a.uniqueItems") == true)
    }

    @Test("As many tools as clients have are taken, and no more than can be held")
    func manyTools() async throws {
        let api = try TestAPI(answering: Script.bytes("ok"), contextLength: 1_000_000)
        func tools(_ count: Int, _ description: String = "") -> String {
            let tools = (0..<count).map {
                Self.tool("t\($0)", #"{"type":"object"}"#, #","description":"\#(description)""#)
            }
            return #","tools":[\#(tools.joined(separator: ","))]"#
        }
        #expect(try await api.count(TestAPI.body(tools(300))).status == 200)
        let members = #""id":{"type":"integer","minimum":0},"text":{"type":"string","maxLength":80}"#
        let most = (0..<2000).map {
            let kind = #""kind_\#($0)":{"type":"string","enum":["new","old","other\#($0)"]}"#
            return Self.tool(
                "do_thing_\($0)",
                #"{"type":"object","properties":{\#(members),\#(kind)},"required":["id"]}"#
            )
        }
        for choice in ["auto", "any", "none"] {
            let fields = #","tools":[\#(most.joined(separator: ","))],"tool_choice":{"type":"\#(choice)"}"#
            let reply = try await api.count(TestAPI.body(fields))
            #expect(reply.status == 200, "\(choice): \(reply.errorMessage)")
        }
        let tooMany = try await api.ask(tools(2001))
        #expect(tooMany.status == 400 && tooMany.errorMessage.hasPrefix("tools: "))
        let tooLong = try await api.ask(tools(3, String(repeating: "d", count: 1 << 20)))
        #expect(tooLong.status == 400 && tooLong.errorMessage.hasPrefix("tools: "))
    }
}
