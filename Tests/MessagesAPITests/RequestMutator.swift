import JSON

@testable import MessagesAPI

/// Makes requests with tools that are a little wrong, or very.
struct RequestMutator<Generator: RandomNumberGenerator> {
    var generator: Generator
    private static var most: Int { 100_000 }

    /// A body: one of the well-formed ones, changed in one to four places of its tree, or of its bytes.
    mutating func body() -> [UInt8] {
        let seed = MutationSeeds.bodies.randomElement(using: &generator) ?? "{}"
        guard var value = try? JSONValue(parsing: Array(seed.utf8)) else { return Array(seed.utf8) }
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            var remaining = Int.random(in: 0..<max(1, Self.count(value)), using: &generator)
            value = mutated(value, at: &remaining)
        }
        // Answers of thousands of tokens would only take time.
        if case .object(var members) = value, Int.random(in: 0..<10, using: &generator) > 0 {
            members.removeAll { $0.name == "max_tokens" }
            let limit = Int.random(in: 0...40, using: &generator)
            value = .object(members + [JSONValue.Member(name: "max_tokens", value: .integer(limit))])
        }
        let bytes = value.bytes
        return Int.random(in: 0..<8, using: &generator) == 0 ? damaged(bytes) : bytes
    }

    private static func count(_ value: JSONValue) -> Int {
        switch value {
        case .array(let elements): elements.reduce(1) { $0 + count($1) }
        case .object(let members): members.reduce(1) { $0 + count($1.value) }
        default: 1
        }
    }

    /// The value with the node of that number, in the order of the text, changed.
    private mutating func mutated(_ value: JSONValue, at remaining: inout Int) -> JSONValue {
        if remaining == 0 {
            remaining = -1
            return changed(value)
        }
        guard remaining > 0 else { return value }
        remaining -= 1
        switch value {
        case .array(let elements): return .array(elements.map { mutated($0, at: &remaining) })
        case .object(let members):
            return .object(
                members.map { JSONValue.Member(name: $0.name, value: mutated($0.value, at: &remaining)) }
            )
        default: return value
        }
    }

    private mutating func changed(_ value: JSONValue) -> JSONValue {
        switch (Int.random(in: 0..<6, using: &generator), value) {
        case (0, .array(var elements)) where !elements.isEmpty:
            elements.remove(at: Int.random(in: elements.indices, using: &generator))
            return .array(elements)
        case (1, .array(let elements)) where !elements.isEmpty:
            return .array(elements + elements.shuffled(using: &generator))
        case (0, .object(var members)) where !members.isEmpty:
            members.remove(at: Int.random(in: members.indices, using: &generator))
            return .object(members)
        case (1, .object(let members)) where !members.isEmpty:
            return .object(members.shuffled(using: &generator) + members.prefix(1))
        case (2, .object(let members)), (3, .object(let members)):
            let name = MutationSeeds.names.randomElement(using: &generator) ?? ""
            return .object(members + [JSONValue.Member(name: name, value: anything())])
        case (2, .array(let elements)): return .array(elements + [anything()])
        case (4, _): return nested(value)
        default: return anything()
        }
    }

    private mutating func nested(_ value: JSONValue) -> JSONValue {
        var value = value
        for _ in 0..<(Bool.random(using: &generator) ? 1 : Int.random(in: 1...220, using: &generator)) {
            value = Bool.random(using: &generator) ? [value] : ["anyOf": [value]]
        }
        return value
    }

    private mutating func anything() -> JSONValue {
        let text = MutationSeeds.values.randomElement(using: &generator) ?? "null"
        return (try? JSONValue(parsing: Array(text.utf8))) ?? nil
    }

    private mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: bytes.indices, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(Array("{}[]\",:\\0e".utf8).randomElement(using: &generator) ?? 0, at: place)
            default: bytes.removeSubrange(place..<min(bytes.count, place + 20))
            }
        }
        return bytes
    }
}

/// What mutated requests are made of.
enum MutationSeeds {
    private static let schema = #"""
        {"type":"object","properties":{"city":{"type":"string","maxLength":20},"days":{"type":"integer","minimum":1,"maximum":7},
         "kind":{"enum":["a","b",3,null]},"tags":{"type":"array","items":{"$ref":"#/$defs/tag"},"maxItems":3}},
         "required":["city"],"additionalProperties":false,"$defs":{"tag":{"type":"string","pattern":"^[a-z]{1,5}$"}}}
        """#

    private static let tools = #"""
        "tools":[{"name":"get_weather","description":"Weather.","input_schema":\#(schema)},
         {"name":"now","input_schema":{"type":"object","properties":{}},"strict":true,"cache_control":{"type":"ephemeral"}},
         {"name":"tree","input_schema":{"type":"object","properties":{"left":{"$ref":"#"},"right":{"$ref":"#"}}}}]
        """#

    private static let history = #"""
        {"role":"user","content":[{"type":"text","text":"hi"},{"type":"document","title":"t","source":{"type":"text","media_type":"text/plain","data":"d"}}]},
        {"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"pensieve1.SG0u"},{"type":"text","text":"I look."},
          {"type":"tool_use","id":"toolu_1","name":"get_weather","input":{"city":"Lyon","days":2}},{"type":"tool_use","id":"toolu_2","name":"now","input":{}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"sunny"},
          {"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"x"}]},{"type":"tool_reference","tool_name":"now"}]},
          {"type":"tool_result","tool_use_id":"toolu_2","is_error":true},{"type":"text","text":"so?"}]},{"role":"system","content":[]}
        """#

    static let bodies = [
        #"{"model":"m","max_tokens":30,\#(tools),"messages":[{"role":"user","content":"hi"}]}"#,
        #"{"model":"m","max_tokens":30,\#(tools),"messages":[\#(history)],"stream":true}"#,
        #"{"model":"m","max_tokens":30,\#(tools),"tool_choice":{"type":"any","disable_parallel_tool_use":true},"messages":[\#(history)]}"#,
        #"{"model":"m","max_tokens":30,\#(tools),"tool_choice":{"type":"tool","name":"tree"},"messages":[\#(history)],"system":[{"type":"text","text":"s"}]}"#,
        #"{"model":"m","max_tokens":30,\#(tools),"tool_choice":{"type":"none"},"stop_sequences":["b"],"messages":[\#(history)]}"#,
        #"{"model":"m","max_tokens":30,"output_config":{"effort":"low","format":{"type":"json_schema","schema":\#(schema)}},"messages":[\#(history)]}"#,
        #"{"model":"m","max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1024,"display":"omitted"},\#(tools),"messages":[\#(history)]}"#,
    ]

    static let names = [
        "type", "content", "name", "input_schema", "properties", "required", "pattern", "anyOf", "oneOf", "allOf",
        "not",
        "$ref", "enum", "const", "items", "prefixItems", "minItems", "maxItems", "minLength", "maxLength", "minimum",
        "maximum", "multipleOf", "format", "additionalProperties", "patternProperties", "$defs", "if", "then", "strict",
        "tool_use_id", "is_error", "tool_choice", "thinking", "output_config", "cache_control", "thread", "", "ключ",
    ]

    static let values = [
        "null", "true", "false", "0", "-1", "1.5", "1e400", "123456789012345678901234567890", "\"\"", "\"text\"",
        "\"object\"", "\"string\"", "\"integer\"", "\"array\"", "\"any\"", "\"tool_use\"", "\"tool_result\"",
        "\"toolu_1\"", "\"#\"", "\"#/$defs/tag\"", "\"#/nowhere\"", "\"((a*)*)*b\"", "\"(a{1,1000}){1,1000}\"",
        "\"^(?!x)\"", "\"[\"", "\"date-time\"", "\"\\ud800\"", "\"<tool_call>\\n{\"", "\"</think>\"", "[]", "{}",
        "[[]]",
        "[\"a\",\"a\"]", "{\"type\":\"object\"}", "{\"$ref\":\"#\"}", "{\"enum\":[]}",
        "{\"type\":[\"null\",\"string\"]}",
        "{\"minLength\":100000,\"maxLength\":1}", "{\"minItems\":1000000000}",
        "{\"maxLength\":50000,\"type\":\"string\"}",
        "{\"type\":\"auto\"}", "{\"type\":\"any\"}", "{\"type\":\"tool\",\"name\":\"now\"}", "{\"type\":\"image\"}",
        "{\"type\":\"text\",\"text\":\"x\"}", "{\"name\":\"now\",\"input_schema\":{}}",
    ]
}
