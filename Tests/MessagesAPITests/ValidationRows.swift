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
        .accepted(#""max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1999}"#),
        .accepted(#""thinking":{"type":"between_tools"}"#), .accepted(#""thinking":null"#),
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
        .accepted(#""output_config":{"format":null},"output_format":null"#),
        .refused(#""output_config":{"format":{"type":"xml"}}"#, "output_config.format.type: "),
        .refused(#""output_config":{"format":{"type":"json_schema"}}"#, "output_config.format.schema: Field required"),
        .refused(#""output_config":{"format":{"type":"json_schema","schema":[]}}"#, "output_config.format.schema: "),
        .refused(#""output_config":{"effort":5}"#, "output_config.effort: "),
        .refused(#""output_config":"low""#, "output_config: "),
        .refused(#""output_format":{"type":"json_schema","schema":5}"#, "output_format.schema: "),
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

    private static let oneTool = #""tools":[{"name":"f","input_schema":{}}]"#

    private static let tools: [Row] = [
        .accepted(#""tools":[]"#), .accepted(#""tool_choice":{"type":"auto"}"#),
        .accepted(#""tool_choice":{"type":"none"}"#), .refused(#""tools":{}"#, "tools: "),
        .accepted(#""tools":[{"name":"f","input_schema":{"type":"object"}}]"#),
        .accepted(#""tools":[{"type":"custom","name":"f-1_G","description":"d","input_schema":{}}]"#),
        .accepted(
            #""tools":[{"name":"f","input_schema":{},"cache_control":{"type":"ephemeral"},"strict":false,"#
                + #""defer_loading":true,"eager_input_streaming":true,"input_examples":[{"a":1}],"#
                + #""allowed_callers":["direct"],"a_field_of_next_year":5}]"#
        ),
        .accepted(#""tools":[{"type":null,"name":"f","input_schema":{},"strict":null,"cache_control":null}]"#),
        .refused(#""tools":[5]"#, "tools.0: "), .refused(#""tools":"f""#, "tools: "),
        .refused(#""tools":[{"input_schema":{}}]"#, "tools.0.name: Field required"),
        .refused(#""tools":[{"name":"","input_schema":{}}]"#, "tools.0.name: "),
        .refused(#""tools":[{"name":"\#(String(repeating: "n", count: 129))","input_schema":{}}]"#, "tools.0.name: "),
        .refused(#""tools":[{"name":"f","input_schema":{},"description":5}]"#, "tools.0.description: "),
        .refused(#""tools":[{"name":"f","input_schema":{},"strict":"yes"}]"#, "tools.0.strict: "),
        .refused(#""tools":[{"name":"f","input_schema":{},"defer_loading":1}]"#, "tools.0.defer_loading: "),
        .refused(#""tools":[{"name":"f","input_schema":{},"input_examples":[1]}]"#, "tools.0.input_examples.0: "),
        .refused(#""tools":[{"name":"f","input_schema":{},"allowed_callers":[1]}]"#, "tools.0.allowed_callers.0: "),
        .refused(
            #""tools":[{"name":"f","input_schema":{},"cache_control":{"type":"x"}}]"#,
            "tools.0.cache_control.type: "
        ),
        .refused(#""tools":[{"name":"f g","input_schema":{}}]"#, "tools.0.name: "),
        .refused(#""tools":[{"name":"f"}]"#, "tools.0.input_schema: Field required"),
        .refused(#""tools":[{"name":"f","input_schema":"{}"}]"#, "tools.0.input_schema: "),
        .refused(#""tools":[{"name":"f","input_schema":{}},{"name":"f","input_schema":{}}]"#, "tools.1.name: "),
        .refused(#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#, "tools.0.type: "),
        .refused(#""tool_choice":"auto""#, "tool_choice: "),
        .refused(#""tool_choice":{"type":"some"}"#, "tool_choice.type: "),
        .refused(#""tool_choice":{"type":"any"}"#, "tool_choice.type: "),
        .refused(#""tools":[],"tool_choice":{"type":"any"}"#, "tool_choice.type: "),
        .refused(#""tools":[],"tool_choice":{"type":"tool","name":"f"}"#, "tool_choice.type: "),
        .refused(#"\#(oneTool),"tool_choice":{"type":"tool","name":"g"}"#, "tool_choice.name: "),
        .refused(#"\#(oneTool),"tool_choice":{"type":"tool"}"#, "tool_choice.name: Field required"),
        .refused(#"\#(oneTool),"tool_choice":{"type":"any","disable_parallel_tool_use":1}"#, "tool_choice.disable_"),
        .accepted(#"\#(oneTool),"tool_choice":{"type":"any","disable_parallel_tool_use":true}"#),
        .accepted(#"\#(oneTool),"tool_choice":{"type":"tool","name":"f"}"#),
        .accepted(#"\#(oneTool),"tool_choice":{"type":"none"}"#),
        .accepted(#"\#(oneTool),"tool_choice":{"type":"any"},"thinking":{"type":"adaptive"}"#),
        .refused(
            #"\#(oneTool),"tool_choice":{"type":"any"},"#
                + #""messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]"#,
            "messages.1: "
        ),
        .refused(
            #""output_config":{"format":{"type":"json_schema","schema":{}}},"#
                + #""messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]"#,
            "messages.1: "
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
        .refused(#"{"type":"image"}"#, "messages.0.content.0.source: Field required"),
        .refused(#"{"type":"image","source":{"type":"file","file_id":"f"}}"#, "messages.0.content.0: image"),
        .accepted(#"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"a"}}"#),
        .accepted(
            #"{"type":"document","title":"t","context":"c","citations":{"enabled":true},"source":{"type":"content","content":"a"}}"#
        ),
        .accepted(
            #"{"type":"document","title":null,"source":{"type":"content","content":[{"type":"text","text":"a"}]}}"#
        ),
        .refused(
            #"{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"url","url":"u"}}]}}"#,
            "messages.0.content.0.source.content.0: image"
        ),
        .refused(
            #"{"type":"document","source":{"type":"content","content":[{"type":"document"}]}}"#,
            "messages.0.content.0.source.content.0.type: "
        ),
        .refused(
            #"{"type":"document","source":{"type":"text","media_type":"text/html","data":"a"}}"#,
            "messages.0.content.0.source.media_type: "
        ),
        .refused(
            #"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"aGk="}}"#,
            "messages.0.content.0: document blocks with a PDF"
        ),
        .refused(#"{"type":"document","source":{"type":"url","url":"u"}}"#, "messages.0.content.0: document"),
        .refused(#"{"type":"document","source":{"type":"file","file_id":"u"}}"#, "messages.0.content.0: document"),
        .refused(
            #"{"type":"document","title":5,"source":{"type":"file","file_id":"u"}}"#,
            "messages.0.content.0.title: "
        ),
        .refused(#"{"type":"document","source":"a"}"#, "messages.0.content.0.source: "),
        .accepted(#"{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"a"}]}"#),
        .refused(#"{"type":"search_result","source":"s","content":[]}"#, "messages.0.content.0.title: Field required"),
        .refused(
            #"{"type":"search_result","source":"s","title":"t","content":[{"type":"image"}]}"#,
            "messages.0.content.0.content.0.type: "
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

    private static let secondCall = call.replacing(#""id":"1""#, with: #""id":"2""#)

    static let toolPairs: [Row] = [
        .accepted("\(call),\(result("1"))"), .accepted(#"\#(call),\#(result("1", #","content":"x""#))"#),
        .accepted(#"\#(call),\#(result("1", #","content":"","is_error":true"#))"#),
        .accepted(#"\#(call),\#(result("1", #","content":[],"is_error":null"#))"#),
        .accepted(#"\#(call),\#(result("1", #","content":[{"type":"text","text":"r"}]"#))"#),
        .accepted(#"\#(call),\#(result("1", #","content":[{"type":"tool_reference","tool_name":"g"}]"#))"#),
        .accepted(#"\#(call),\#(result("1")),{"role":"system","content":"s"}"#),
        .accepted(#"\#(call),\#(result("1")),{"role":"assistant","content":"so"}"#),
        .refused(
            #"\#(call),\#(result("1", #","content":[{"type":"text","text":""}]"#))"#,
            "messages.2.content.0.content.0.text: "
        ),
        .refused(
            #"\#(call),\#(result("1", #","content":[{"type":"image","source":{"type":"url","url":"u"}}]"#))"#,
            "messages.2.content.0.content.0: image"
        ),
        .refused(
            #"\#(call),\#(result("1", #","content":[{"type":"tool_result","tool_use_id":"1"}]"#))"#,
            "messages.2.content.0.content.0.type: "
        ),
        .refused(call, "messages.1: tool_use without"),
        .refused("\(call),\(result("2"))", "messages.2.content.0.tool_use_id: "),
        .refused("\(call),\(result("1")),\(result("1"))", "messages.3.content.0.tool_use_id: "),
        .refused(#"\#(call),{"role":"system","content":"s"},\#(result("1"))"#, "messages.2: tool_use without"),
        // Neighbours of one role are one turn.
        .accepted(#"\#(call),{"role":"user","content":"b"},\#(result("1"))"#),
        .accepted(#"\#(call),{"role":"assistant","content":"more"},\#(result("1"))"#),
        .accepted("\(call),\(secondCall),\(result("2")),\(result("1"))"),
        .refused("\(call),\(secondCall),\(result("2"))", "messages.3: tool_use without"),
        .refused("\(call),\(secondCall),\(result("2")),\(call),\(result("1"))", "messages.3: tool_use without"),
        .refused("\(call),\(result("1")),\(call),\(result("1"))", "messages.3.content.0.id: "),
        .refused(#"\#(call),\#(result("1", #","content":5"#))"#, "messages.2.content.0.content: "),
        .refused(#"\#(call),\#(result("1", #","is_error":"no""#))"#, "messages.2.content.0.is_error: "),
    ]
}
