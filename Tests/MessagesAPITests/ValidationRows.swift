/// What the API's contract says of each field, one row for each case.
enum ValidationRows {
    static let fields: [Row] = basics + sampling + settings + ignored + tools

    private static let basics: [Row] = [
        .refused(#""model":"""#, "model: "), .refused(#""model":null"#, "model: "),
        .refused(#""model":5"#, "model: Input should be a valid string"),
        .accepted(#""model":"claude-anything-20990101""#),
        .refused(#""messages":[]"#, "messages: "),
        .refused(#""messages":{}"#, "messages: Input should be a valid array"),
        .refused(#""messages":"hi""#, "messages: "), .refused(#""messages":null"#, "messages: "),
        .refused(#""messages":["hi"]"#, "messages.0: "),
        .accepted(#""max_tokens":0"#), .accepted(#""max_tokens":128000"#),
        .accepted(#""max_tokens":123456789012345678901234567890"#),
        .refused(#""max_tokens":-1"#, "max_tokens: "), .refused(#""max_tokens":"5""#, "max_tokens: "),
        .refused(#""max_tokens":1.5"#, "max_tokens: "), .refused(#""max_tokens":null"#, "max_tokens: "),
        .refused(#""max_tokens":true"#, "max_tokens: "),
        .accepted(#""stream":false"#), .refused(#""stream":"true""#, "stream: "), .refused(#""stream":1"#, "stream: "),
        .accepted(#""system":"be brief""#), .accepted(#""system":[]"#), .accepted(#""system":"""#),
        .accepted(#""system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}}]"#),
        .refused(#""system":5"#, "system: "), .refused(#""system":["a"]"#, "system.0: "),
        .refused(#""system":[{"type":"text","text":""}]"#, "system.0.text: "),
        .refused(#""system":[{"type":"image"}]"#, "system.0.type: "),
    ]

    private static let sampling: [Row] = [
        .accepted(#""stop_sequences":[]"#), .accepted(#""stop_sequences":["x"," y"]"#),
        .refused(#""stop_sequences":"x""#, "stop_sequences: "),
        .refused(#""stop_sequences":["x",1]"#, "stop_sequences.1: "),
        .refused(#""stop_sequences":[" \n"]"#, "stop_sequences.0: "),
        .accepted(#""temperature":0"#), .accepted(#""temperature":1.0"#), .accepted(#""temperature":1e-300"#),
        .refused(#""temperature":2.5"#, "temperature: "), .refused(#""temperature":-0.1"#, "temperature: "),
        .refused(#""temperature":"1""#, "temperature: "), .refused(#""temperature":1e400"#, "temperature: "),
        .accepted(#""top_p":0"#), .accepted(#""top_p":1"#), .refused(#""top_p":1.1"#, "top_p: "),
        .refused(#""top_p":[]"#, "top_p: "),
        .accepted(#""top_k":0"#), .accepted(#""top_k":99999999999999999999"#), .refused(#""top_k":-1"#, "top_k: "),
        .refused(#""top_k":0.5"#, "top_k: "),
    ]

    private static let settings: [Row] = [
        .accepted(#""thinking":{"type":"disabled"}"#),
        .accepted(#""thinking":{"type":"adaptive","display":"omitted"}"#),
        .refused(#""thinking":{"type":"on"}"#, "thinking.type: "), .refused(#""thinking":"on""#, "thinking: "),
        .accepted(#""thinking":{"type":"adaptive","display":"updates"}"#),
        .accepted(#""thinking":{"type":"adaptive","display":"a word of next year"}"#),
        .accepted(#""thinking":{"type":"disabled","display":null}"#),
        .refused(#""thinking":{"type":"adaptive","display":5}"#, "thinking.display: "),
        .refused(#""max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1999}"#, "thinking: "),
        .refused(
            #""max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":2000}"#,
            "thinking.budget_tokens: "
        ),
        .refused(
            #""max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1023}"#,
            "thinking.budget_tokens: "
        ),
        .refused(#""thinking":{"type":"enabled"}"#, "thinking.budget_tokens: Field required"),
        .accepted(#""output_config":{"effort":"xhigh","task_budget":{"total":5}}"#),
        .accepted(#""output_config":null"#), .refused(#""output_config":{"effort":"huge"}"#, "output_config.effort: "),
        .refused(#""output_config":{"format":{"type":"json_schema","schema":{}}}"#, "output_config.format: "),
        .refused(#""output_config":{"format":{"type":"xml"}}"#, "output_config.format.type: "),
    ]

    private static let ignored: [Row] = [
        .accepted(#""metadata":{"user_id":null}"#), .refused(#""metadata":"me""#, "metadata: "),
        .refused(#""metadata":{"user_id":5}"#, "metadata.user_id: "),
        .accepted(#""service_tier":"standard_only""#), .accepted(#""service_tier":"gold""#),
        .refused(#""service_tier":1"#, "service_tier: "),
        .accepted(#""cache_control":{"type":"ephemeral"}"#), .accepted(#""cache_control":null"#),
        .refused(#""cache_control":{"type":"eternal"}"#, "cache_control.type: "),
        .accepted(#""cache_control":{"type":"ephemeral","ttl":"1d"}"#),
        .accepted(#""context_management":{"edits":[{"type":"compact_20260112","trigger":{}}]}"#),
        .refused(#""context_management":{"edits":[5]}"#, "context_management.edits.0: "),
        .accepted(#""container":null,"inference_geo":null,"speed":null,"diagnostics":null,"mcp_servers":null"#),
        .accepted(#""fallbacks":null,"billing_policy":null,"compaction":null,"diagnostics":{},"speed":"fast""#),
        .refused(#""container":"c""#, "container: "), .refused(#""compaction":{}"#, "compaction: "),
        .refused(#""mcp_servers":[{"type":"url"}]"#, "mcp_servers: "),
        .accepted(#""a_field_of_next_year":{"deep":[1,{"x":null}]}"#),
    ]

    private static let tools: [Row] = [
        .accepted(#""tools":[]"#), .accepted(#""tool_choice":{"type":"auto"}"#),
        .accepted(#""tool_choice":{"type":"none"}"#), .refused(#""tools":{}"#, "tools: "),
        .refused(#""tools":[{"name":"f","input_schema":{"type":"object"}}]"#, "tools: tools are not supported"),
        .refused(#""tools":[{"name":"f g","input_schema":{}}]"#, "tools.0.name: "),
        .refused(#""tools":[{"name":"f"}]"#, "tools.0.input_schema: Field required"),
        .refused(#""tools":[{"name":"f","input_schema":"{}"}]"#, "tools.0.input_schema: "),
        .refused(#""tools":[{"name":"f","input_schema":{}},{"name":"f","input_schema":{}}]"#, "tools.1.name: "),
        .refused(#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#, "tools.0.type: "),
        .refused(#""tool_choice":"auto""#, "tool_choice: "),
        .refused(#""tool_choice":{"type":"some"}"#, "tool_choice.type: "),
        .refused(#""tool_choice":{"type":"any"}"#, "tool_choice.type: "),
        .refused(
            #""tools":[{"name":"f","input_schema":{}}],"tool_choice":{"type":"tool","name":"g"}"#,
            "tool_choice.name: "
        ),
    ]

    static let messages: [Row] = [
        .refused(#"{"role":"robot","content":"a"}"#, "messages.0.role: "),
        .refused(#"{"content":"a"}"#, "messages.0.role: Field required"),
        .refused(#"{"role":"user"}"#, "messages.0.content: Field required"),
        .refused(#"{"role":"user","content":null}"#, "messages.0.content: "),
        .refused(#"{"role":"user","content":{"type":"text","text":"a"}}"#, "messages.0.content: "),
        .refused(#"{"role":"user","content":""}"#, "messages.0.content: "),
        .refused(#"{"role":"user","content":"a"},{"role":"user","content":[]}"#, "messages.1.content: "),
        .accepted(#"{"role":"user","content":"a","output_config":{"effort":5}}"#),
        .accepted(#"{"role":"user","content":"a"},{"role":"user","content":"b"}"#),
        .accepted(#"{"role":"user","content":"a"},{"role":"assistant","content":"b"}"#),
        .accepted(#"{"role":"user","content":"a"},{"role":"assistant","content":""}"#),
        .accepted(#"{"role":"user","content":"a"},{"role":"assistant","content":[]}"#),
        .refused(
            #"{"role":"user","content":"a"},{"role":"assistant","content":""},{"role":"user","content":"b"}"#,
            "messages.1.content: "
        ),
        .accepted(#"{"role":"user","content":"a"},{"role":"system","content":[]},{"role":"user","content":"b"}"#),
        .accepted(#"{"role":"user","content":"a"},{"role":"system","content":"b"}"#),
        .refused(
            #"{"role":"user","content":"a"},{"role":"system","content":[{"type":"image","source":{}}]}"#,
            "messages.1.content.0.type: "
        ),
    ]

    static let userBlocks: [Row] = [
        .accepted(#"{"type":"text","text":"a","citations":null,"cache_control":{"type":"ephemeral","ttl":"5m"}}"#),
        .refused(#"{"type":"text","text":"a"},{"type":"text","text":""}"#, "messages.0.content.1.text: "),
        .refused(#"{"type":"text","text":5}"#, "messages.0.content.0.text: "),
        .refused(#"{"text":"a"}"#, "messages.0.content.0.type: Field required"),
        .refused(#"{"type":"hologram"}"#, "messages.0.content.0.type: "), .refused("5", "messages.0.content.0: "),
        .refused(
            #"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}}"#,
            "messages.0.content.0: image"
        ),
        .refused(
            #"{"type":"image","source":{"type":"base64","media_type":"image/bmp","data":"aGk="}}"#,
            "messages.0.content.0.source.media_type: "
        ),
        .refused(
            #"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"a-k="}}"#,
            "messages.0.content.0.source.data: "
        ),
        .refused(
            #"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"a"}}"#,
            "messages.0.content.0: document"
        ),
        .refused(#"{"type":"document","source":"a"}"#, "messages.0.content.0.source: "),
        .refused(
            #"{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"a"}]}"#,
            "messages.0.content.0: search_result"
        ),
        .refused(#"{"type":"thinking","thinking":"","signature":""}"#, "messages.0.content.0.type: "),
        .refused(#"{"type":"tool_result","tool_use_id":"1"}"#, "messages.0.content.0.tool_use_id: "),
        .refused(#"{"type":"tool_reference","tool_name":"f"}"#, "messages.0.content.0.type: "),
    ]

    static let assistantBlocks: [Row] = [
        .accepted(#"{"type":"thinking","thinking":"","signature":""},{"type":"text","text":"b"}"#),
        .accepted(#"{"type":"redacted_thinking","data":"x"},{"type":"text","text":"b"}"#),
        .refused(#"{"type":"thinking","thinking":"x"}"#, "messages.1.content.0.signature: Field required"),
        .refused(#"{"type":"redacted_thinking"}"#, "messages.1.content.0.data: Field required"),
        .refused(#"{"type":"image","source":{"type":"url","url":"u"}}"#, "messages.1.content.0.type: "),
        .refused(
            #"{"type":"server_tool_use","id":"1","name":"f","input":{}}"#,
            "messages.1.content.0: server_tool_use"
        ),
        .refused(#"{"type":"tool_use","id":"1","name":"f","input":"{}"}"#, "messages.1.content.0.input: "),
        .refused(#"{"type":"tool_use","id":"1","name":"f","input":{}}"#, "messages.2: tool_use without"),
    ]

    private static let call = #"{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f","input":{}}]}"#

    private static func result(_ id: String, _ fields: String = "") -> String {
        #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"\#(id)"\#(fields)},{"type":"text","text":"b"}]}"#
    }

    /// Well-formed pairs are refused too, as tools, by the place of the first of them.
    static let toolPairs: [Row] = [
        .refused("\(call),\(result("1"))", "messages.1.content.0: tool_use"),
        .refused(#"\#(call),\#(result("1", #","content":"","is_error":true"#))"#, "messages.1.content.0: tool_use"),
        .refused(#"\#(call),\#(result("1")),{"role":"system","content":"s"}"#, "messages.1.content.0: tool_use"),
        .refused(call, "messages.1: tool_use without"),
        .refused("\(call),\(result("2"))", "messages.2.content.0.tool_use_id: "),
        .refused("\(call),\(result("1")),\(result("1"))", "messages.3.content.0.tool_use_id: "),
        .refused(#"\#(call),{"role":"system","content":"s"},\#(result("1"))"#, "messages.2: tool_use without"),
        .refused(#"\#(call),{"role":"user","content":"b"},\#(result("1"))"#, "messages.2: tool_use without"),
        .refused("\(call),\(result("1")),\(call),\(result("1"))", "messages.3.content.0.id: "),
        .refused(#"\#(call),\#(result("1", #","content":5"#))"#, "messages.2.content.0.content: "),
        .refused(#"\#(call),\#(result("1", #","is_error":"no""#))"#, "messages.2.content.0.is_error: "),
    ]
}
