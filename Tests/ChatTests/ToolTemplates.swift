import Chat

/// Templates in the style of families that call tools, and the syntax that is to be found of each.
struct ToolTemplate: Sendable, CustomStringConvertible {
    var name: String
    var source: String
    var syntax: CallSyntax

    var description: String { name }

    /// - Parameters:
    ///   - calls: what is written for `m.tool_calls`; `$` stands for a line break.
    ///   - loop: whether that is for each `c` of them, with a line break between two.
    private init(_ name: String, _ calls: String, each loop: Bool = true, _ syntax: CallSyntax) {
        self.name = name
        self.syntax = syntax
        let each = loop ? "{%- for c in m.tool_calls -%}\(calls){%- endfor -%}" : calls
        source = Self.source(each)
    }

    static func source(_ calls: String) -> String {
        """
        {%- if tools -%}<|im_start|>system${{ tools | tojson }}<|im_end|>${%- endif -%}
        {%- for m in messages -%}
        <|im_start|>{{ m.role }}${%- if m.reasoning_content -%}<think>${{ m.reasoning_content }}$</think>$${%- endif -%}
        {{- m.content or '' }}
        {%- if m.tool_calls -%}\(calls){%- endif -%}
        <|im_end|>$
        {%- endfor -%}
        {%- if add_generation_prompt -%}<|im_start|>assistant${%- endif -%}
        """.replacing("$", with: "{{ '\\n' }}")
    }

    private static func parameters(
        _ start: String,
        _ nameEnd: String,
        _ end: String,
        _ parameters: (String, String, String),
        other: String? = nil,
        section: (String, String, String) = ("", "", "")
    ) -> CallSyntax {
        var syntax = ParameterSyntax(start: parameters.0, nameEnd: parameters.1, valueEnd: parameters.2)
        syntax.otherNameEnd = other
        var calls = CallSyntax(callStart: start, nameEnd: nameEnd, arguments: .parameters(syntax), callEnd: end)
        (calls.sectionStart, calls.separator, calls.sectionEnd) = section
        return calls
    }

    private static let json = "{{ c.function.arguments | tojson }}"
    private static let object =
        "{{ c.function.arguments if c.function.arguments is string else c.function.arguments | tojson }}"

    static let all: [ToolTemplate] = [
        ToolTemplate(
            "Hermes",
            "{{ '\\n' if not loop.first or m.content }}<tool_call>${\"name\": \"{{ c.function.name }}\", \"arguments\": \(json)}$</tool_call>",
            AnswerExample.hermes
        ),
        ToolTemplate(
            "Hermes without line breaks",
            "{{ '\\n' if not loop.first }}<tool_call>{\"name\": \"{{ c.function.name }}\", \"arguments\": \(json)}</tool_call>",
            AnswerExample.json("<tool_call>{\"name\": \"", "\", \"arguments\": ", "}</tool_call>")
        ),
        ToolTemplate(
            "Qwen3-Coder",
            "{{ '\\n' if not loop.first or m.content }}<tool_call>$<function={{ c.function.name }}>$"
                + "{%- for k, v in c.function.arguments | items -%}<parameter={{ k }}>${{ v if v is string else v | tojson }}"
                + "$</parameter>${%- endfor -%}</function>$</tool_call>",
            AnswerExample.coder
        ),
        ToolTemplate(
            "Mistral Nemo",
            "[TOOL_CALLS][{%- for c in m.tool_calls -%}{%- if c.id | length != 9 -%}{{ raise_exception('nine!') }}{%- endif -%}"
                + "{\"name\": \"{{ c.function.name }}\", \"arguments\": \(json), \"id\": \"{{ c.id }}\"}{{ ', ' if not loop.last }}"
                + "{%- endfor -%}]",
            each: false,
            AnswerExample.json("{\"name\": \"", "\", \"arguments\": ", "}", section: ("[TOOL_CALLS][", ", ", "]"))
        ),
        ToolTemplate(
            "Devstral",
            "[TOOL_CALLS]{{ c.function.name }}[ARGS]\(object)",
            AnswerExample.json("[TOOL_CALLS]", "[ARGS]", "", section: ("", "", ""))
        ),
        ToolTemplate(
            "Mistral Small 3.2",
            "{%- if c.id | length != 9 -%}{{ raise_exception('nine!') }}{%- endif -%}"
                + "[TOOL_CALLS]{{ c.function.name }}[CALL_ID]{{ c.id }}[ARGS]\(object)",
            {
                var calls = AnswerExample.json("[TOOL_CALLS]", "[ARGS]", "", section: ("", "", ""))
                calls.identifier = CallIdentifier(start: "[CALL_ID]", form: .nineCharacters)
                return calls
            }()
        ),
        ToolTemplate(
            "Phi-4-mini",
            "functools[{%- for c in m.tool_calls -%}{\"name\": \"{{ c.function.name }}\", \"arguments\": \(json)}"
                + "{{ ', ' if not loop.last }}{%- endfor -%}]",
            each: false,
            AnswerExample.json("{\"name\": \"", "\", \"arguments\": ", "}", section: ("functools[", ", ", "]"))
        ),
        ToolTemplate(
            "DeepSeek V3",
            "<｜tool▁calls▁begin｜>{%- for c in m.tool_calls -%}{{ '\\n' if not loop.first }}<｜tool▁call▁begin｜>function<｜tool▁sep｜>"
                + "{{ c.function.name }}$```json${{ c.function.arguments + '' }}$```<｜tool▁call▁end｜>{%- endfor -%}<｜tool▁calls▁end｜>",
            each: false,
            AnswerExample.json(
                "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
                "\n```json\n",
                "\n```<｜tool▁call▁end｜>",
                section: ("<｜tool▁calls▁begin｜>", "\n", "<｜tool▁calls▁end｜>")
            )
        ),
        ToolTemplate(
            "DeepSeek V3.1",
            "<｜tool▁calls▁begin｜>{%- for c in m.tool_calls -%}<｜tool▁call▁begin｜>{{ c.function.name }}<｜tool▁sep｜>\(object)"
                + "<｜tool▁call▁end｜>{%- endfor -%}<｜tool▁calls▁end｜>",
            each: false,
            AnswerExample.json(
                "<｜tool▁call▁begin｜>",
                "<｜tool▁sep｜>",
                "<｜tool▁call▁end｜>",
                section: ("<｜tool▁calls▁begin｜>", "", "<｜tool▁calls▁end｜>")
            )
        ),
        ToolTemplate(
            "DeepSeek V3.2",
            "$$<｜DSML｜function_calls>${%- for c in m.tool_calls -%}<｜DSML｜invoke name=\"{{ c.function.name }}\">$"
                + "{%- for k, v in c.function.arguments | items -%}<｜DSML｜parameter name=\"{{ k }}\" string=\"{{ 'true' if v is string else 'false' }}\">"
                + "{{ v if v is string else v | tojson }}</｜DSML｜parameter>${%- endfor -%}</｜DSML｜invoke>${%- endfor -%}</｜DSML｜function_calls>",
            each: false,
            AnswerExample.dsml
        ),
        ToolTemplate(
            "GLM 4.6",
            "$<tool_call>{{ c.function.name }}${%- for k, v in c.function.arguments | items -%}<arg_key>{{ k }}</arg_key>$"
                + "<arg_value>{{ v if v is string else v | tojson }}</arg_value>${%- endfor -%}</tool_call>",
            parameters(
                "\n<tool_call>",
                "\n",
                "</tool_call>",
                ("<arg_key>", "</arg_key>\n<arg_value>", "</arg_value>\n")
            )
        ),
        ToolTemplate(
            "GLM 4.7",
            "<tool_call>{{ c.function.name }}{%- for k, v in c.function.arguments | items -%}<arg_key>{{ k }}</arg_key>"
                + "<arg_value>{{ v if v is string else v | tojson }}</arg_value>{%- endfor -%}</tool_call>",
            parameters("<tool_call>", "", "</tool_call>", ("<arg_key>", "</arg_key><arg_value>", "</arg_value>"))
        ),
        ToolTemplate(
            "MiniMax M2",
            "$<minimax:tool_call>${%- for c in m.tool_calls -%}<invoke name=\"{{ c.function.name }}\">$"
                + "{%- for k, v in c.function.arguments | items -%}<parameter name=\"{{ k }}\">{{ v if v is string else v | tojson }}"
                + "</parameter>${%- endfor -%}</invoke>${%- endfor -%}</minimax:tool_call>",
            each: false,
            parameters(
                "<invoke name=\"",
                "\">\n",
                "</invoke>\n",
                ("<parameter name=\"", "\">", "</parameter>\n"),
                section: ("\n<minimax:tool_call>\n", "", "</minimax:tool_call>")
            )
        ),
        ToolTemplate(
            "Gemma 4",
            "{%- macro value(v) -%}{%- if v is string -%}<|\"|>{{ v }}<|\"|>{%- elif v is mapping -%}{{ '{' }}"
                + "{%- for k, w in v | items -%}{{ k }}:{{ value(w) }}{{ ',' if not loop.last }}{%- endfor -%}{{ '}' }}"
                + "{%- elif v is iterable -%}[{%- for w in v -%}{{ value(w) }}{{ ',' if not loop.last }}{%- endfor -%}]"
                + "{%- else -%}{{ v | tojson }}{%- endif -%}{%- endmacro -%}"
                + "{%- for c in m.tool_calls -%}<|tool_call>call:{{ c.function.name }}{{ value(c.function.arguments) }}<tool_call|>{%- endfor -%}",
            each: false,
            CallSyntax(
                callStart: "<|tool_call>call:",
                nameEnd: "",
                arguments: .bare(quote: "<|\"|>"),
                callEnd: "<tool_call|>"
            )
        ),
        ToolTemplate(
            "LFM 2.5",
            "<|tool_call_start|>[{%- for c in m.tool_calls -%}{{ c.function.name }}({%- for k, v in c.function.arguments | items -%}"
                + "{{ k }}={{ v | tojson }}{{ ', ' if not loop.last }}{%- endfor -%}){{ ', ' if not loop.last }}{%- endfor -%}]<|tool_call_end|>",
            each: false,
            {
                var calls = CallSyntax(callStart: "", nameEnd: "(", arguments: .python, callEnd: ")")
                (calls.sectionStart, calls.separator, calls.sectionEnd) = (
                    "<|tool_call_start|>[", ", ", "]<|tool_call_end|>"
                )
                return calls
            }()
        ),
        ToolTemplate(
            "Kimi K2",
            "<|tool_calls_section_begin|>{%- for c in m.tool_calls -%}<|tool_call_begin|>{{ c.id }}<|tool_call_argument_begin|>\(object)"
                + "<|tool_call_end|>{%- endfor -%}<|tool_calls_section_end|>",
            each: false,
            {
                var calls = AnswerExample.json(
                    "<|tool_call_begin|>functions.",
                    "<|tool_call_argument_begin|>",
                    "<|tool_call_end|>",
                    section: ("<|tool_calls_section_begin|>", "", "<|tool_calls_section_end|>")
                )
                calls.identifier = CallIdentifier(start: ":", form: .number)
                return calls
            }()
        ),
        ToolTemplate(
            "Granite 3.3",
            "<|tool_call|>{%- for c in m.tool_calls -%}{{ '[' if loop.first }}{\"name\": \"{{ c.function.name }}\", \"arguments\": \(json)}"
                + "{{ ']' if loop.last else ', ' }}{%- endfor -%}",
            each: false,
            AnswerExample.json("{\"name\": \"", "\", \"arguments\": ", "}", section: ("<|tool_call|>[", ", ", "]"))
        ),
        ToolTemplate(
            "Llama 3",
            "{%- if m.tool_calls | length > 1 -%}{{ raise_exception('one at a time') }}{%- endif -%}"
                + "{\"name\": \"{{ c.function.name }}\", \"parameters\": \(json)}",
            {
                var calls = AnswerExample.json("{\"name\": \"", "\", \"parameters\": ", "}", section: ("", "", ""))
                calls.isWholeAnswer = true
                return calls
            }()
        ),
    ]
}
