import Chat

/// Answers as models of each family write them, and what they mean.
struct AnswerExample: Sendable, CustomStringConvertible {
    var name: String
    var syntax: AnswerSyntax
    var text: String
    var isInsideThinking = false
    var parts: [AnswerPart]

    var description: String { name }

    static func call(_ name: String, _ arguments: String) -> [AnswerPart] {
        [.toolCallStart(name: name), .toolCallArguments(arguments), .toolCallEnd]
    }

    static let think = ThinkingSyntax(start: "<think>", end: "</think>", closing: "\n</think>\n\n")

    static func json(
        _ start: String,
        _ nameEnd: String,
        _ end: String,
        section: (String, String, String) = ("", "\n", "")
    ) -> CallSyntax {
        var syntax = CallSyntax(callStart: start, nameEnd: nameEnd, arguments: .json(.spaced), callEnd: end)
        (syntax.sectionStart, syntax.separator, syntax.sectionEnd) = section
        return syntax
    }

    static let hermes = json("<tool_call>\n{\"name\": \"", "\", \"arguments\": ", "}\n</tool_call>")

    static let coder: CallSyntax = {
        var syntax = CallSyntax(
            callStart: "<tool_call>\n<function=",
            nameEnd: ">\n",
            arguments: .parameters(
                ParameterSyntax(start: "<parameter=", nameEnd: ">\n", valueEnd: "\n</parameter>\n")
            ),
            callEnd: "</function>\n</tool_call>"
        )
        syntax.separator = "\n"
        return syntax
    }()

    static let dsml: CallSyntax = {
        var parameters = ParameterSyntax(
            start: "<｜DSML｜parameter name=\"",
            nameEnd: "\" string=\"true\">",
            valueEnd: "</｜DSML｜parameter>\n"
        )
        parameters.otherNameEnd = "\" string=\"false\">"
        var syntax = CallSyntax(
            callStart: "<｜DSML｜invoke name=\"",
            nameEnd: "\">\n",
            arguments: .parameters(parameters),
            callEnd: "</｜DSML｜invoke>\n"
        )
        (syntax.sectionStart, syntax.sectionEnd) = ("\n\n<｜DSML｜function_calls>\n", "</｜DSML｜function_calls>")
        return syntax
    }()

    static let all: [AnswerExample] =
        hermesExamples + listExamples + parameterExamples + literalExamples + thinkingExamples

    private static let hermesExamples = [
        AnswerExample(
            name: "two calls of Hermes after a text",
            syntax: AnswerSyntax(calls: hermes),
            text:
                "I look.\n\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Zürich </tool_call> }\"}}\n"
                + "</tool_call>\n<tool_call>\n{\"name\": \"find-it\", \"arguments\": {}}\n</tool_call>\n",
            parts: [.text("I look.")] + call("get_weather", "{\"city\": \"Zürich </tool_call> }\"}")
                + call("find-it", "{}")
        ),
        AnswerExample(
            name: "white space that the template does not have, and text after a call",
            syntax: AnswerSyntax(calls: hermes),
            text:
                " <tool_call>{\"name\":\"find-it\",\n \"arguments\": {\"a\":[1,{\"b\":\"\\\"\"}]}, \"id\": \"}x\"}  </tool_call>\n\nDone.",
            parts: call("find-it", "{\"a\":[1,{\"b\":\"\\\"\"}]}") + [.text("Done.")]
        ),
        AnswerExample(
            name: "members behind the arguments, whatever is in them",
            syntax: AnswerSyntax(calls: hermes),
            text:
                "<tool_call>{\"name\": \"find-it\", \"arguments\": {}, \"meta\": {\"a\": [{}, \"\\\"}\"], \"b\": {}}}</tool_call>Done",
            parts: call("find-it", "{}") + [.text("Done")]
        ),
        AnswerExample(
            name: "what cannot be a call is text",
            syntax: AnswerSyntax(calls: hermes),
            text: "<tool_call>\n{\"name\": \"unknown\", \"arguments\": {}}\n</tool_call> <tool_ <tool_call>\n{\"nam",
            parts: [
                .text(
                    "<tool_call>\n{\"name\": \"unknown\", \"arguments\": {}}\n</tool_call> <tool_ <tool_call>\n{\"nam"
                )
            ]
        ),
        AnswerExample(
            name: "a call that is cut",
            syntax: AnswerSyntax(calls: hermes),
            text: "<tool_call>\n{\"name\": \"find-it\", \"arguments\": {\"a\": \"b",
            parts: [.toolCallStart(name: "find-it"), .toolCallArguments("{\"a\": \"b")]
        ),
        AnswerExample(
            name: "what is cut before its arguments is no call",
            syntax: AnswerSyntax(calls: hermes),
            text: "<tool_call>\n{\"name\": \"find-it\", \"arguments\": ",
            parts: [.text("<tool_call>\n{\"name\": \"find-it\", \"arguments\": ")]
        ),
        AnswerExample(
            name: "text alone, with white space at its ends",
            syntax: AnswerSyntax(calls: hermes),
            text: "  A <b> text \n\n",
            parts: [.text("  A <b> text \n\n")]
        ),
    ]

    private static let listExamples = [
        AnswerExample(
            name: "Llama",
            syntax: {
                var calls = json("{\"name\": \"", "\", \"parameters\": ", "}")
                calls.isWholeAnswer = true
                return AnswerSyntax(calls: calls)
            }(),
            text: "{\"name\": \"find-it\", \"parameters\": {\"city\": \"Bern\"}}",
            parts: call("find-it", "{\"city\": \"Bern\"}")
        ),
        AnswerExample(
            name: "Llama's JSON after a text",
            syntax: {
                var calls = json("{\"name\": \"", "\", \"parameters\": ", "}")
                calls.isWholeAnswer = true
                return AnswerSyntax(calls: calls)
            }(),
            text: "As in {\"name\": \"find-it\", \"parameters\": {}}",
            parts: [.text("As in {\"name\": \"find-it\", \"parameters\": {}}")]
        ),
        AnswerExample(
            name: "Mistral Nemo, with names of calls",
            syntax: AnswerSyntax(
                calls: json("{\"name\": \"", "\", \"arguments\": ", "}", section: ("[TOOL_CALLS][", ", ", "]"))
            ),
            text: "[TOOL_CALLS][{\"name\": \"find-it\", \"arguments\": {\"a\": 1}, \"id\": \"abcDEF123\"}, "
                + "{\"name\": \"get_weather\", \"arguments\": {\"b\": [\"]\"]}}]",
            parts: call("find-it", "{\"a\": 1}") + call("get_weather", "{\"b\": [\"]\"]}")
        ),
        AnswerExample(
            name: "Devstral",
            syntax: AnswerSyntax(
                calls: json("[TOOL_CALLS]", "[ARGS]", "", section: ("", "", ""))
            ),
            text: "Hm [TOOL_CALLS]find-it[ARGS]{\"a\": 1}[TOOL_CALLS]get_weather[ARGS]{}",
            parts: [.text("Hm")] + call("find-it", "{\"a\": 1}") + call("get_weather", "{}")
        ),
        AnswerExample(
            name: "Mistral Small 3.2, with names of calls",
            syntax: {
                var calls = json("[TOOL_CALLS]", "[ARGS]", "", section: ("", "", ""))
                calls.identifier = CallIdentifier(start: "[CALL_ID]", form: .nineCharacters)
                return AnswerSyntax(calls: calls)
            }(),
            text: "[TOOL_CALLS]find-it[CALL_ID]abcDEF123[ARGS]{\"a\": 1}[TOOL_CALLS]get_weather[ARGS]{}",
            parts: call("find-it", "{\"a\": 1}") + call("get_weather", "{}")
        ),
        AnswerExample(
            name: "a name of a call that is too long for one",
            syntax: {
                var calls = json("[TOOL_CALLS]", "[ARGS]", "", section: ("", "", ""))
                calls.identifier = CallIdentifier(start: "[CALL_ID]", form: .nineCharacters)
                return AnswerSyntax(calls: calls)
            }(),
            text: "[TOOL_CALLS]find-it[CALL_ID]\(String(repeating: "a", count: 65))[ARGS]{}",
            parts: [.text("[TOOL_CALLS]find-it[CALL_ID]\(String(repeating: "a", count: 65))[ARGS]{}")]
        ),
        AnswerExample(
            name: "an end with which another way to call begins",
            syntax: {
                var syntax = AnswerSyntax(calls: json("<call>", ":", "<end>", section: ("", "", "")))
                syntax.otherCalls = [json("<end>next ", ":", "<end>", section: ("", "", ""))]
                return syntax
            }(),
            text: "<call>find-it:{}<end>next get_weather:{}<end>Done",
            parts: call("find-it", "{}") + call("get_weather", "{}") + [.text("Done")]
        ),
        AnswerExample(
            name: "Phi-4-mini",
            syntax: AnswerSyntax(
                calls: json("{\"name\": \"", "\", \"arguments\": ", "}", section: ("functools[", ", ", "]"))
            ),
            text:
                "functools[{\"name\": \"find-it\", \"arguments\": {\"a\": 1}}, {\"name\": \"get_weather\", \"arguments\": {}}]",
            parts: call("find-it", "{\"a\": 1}") + call("get_weather", "{}")
        ),
        AnswerExample(
            name: "DeepSeek V3",
            syntax: AnswerSyntax(
                calls: json(
                    "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
                    "\n```json\n",
                    "\n```<｜tool▁call▁end｜>",
                    section: ("<｜tool▁calls▁begin｜>", "\n", "<｜tool▁calls▁end｜>")
                )
            ),
            text: "Well:<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>find-it\n```json\n{\"a\": 1}\n"
                + "```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{}\n"
                + "```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            parts: [.text("Well:")] + call("find-it", "{\"a\": 1}") + call("get_weather", "{}")
        ),
        AnswerExample(
            name: "Kimi",
            syntax: {
                var calls = json(
                    "<|tool_call_begin|>functions.",
                    "<|tool_call_argument_begin|>",
                    "<|tool_call_end|>",
                    section: ("<|tool_calls_section_begin|>", "", "<|tool_calls_section_end|>")
                )
                calls.identifier = CallIdentifier(start: ":", form: .number)
                return AnswerSyntax(calls: calls)
            }(),
            text:
                "<|tool_calls_section_begin|><|tool_call_begin|>functions.find-it:0<|tool_call_argument_begin|>{\"a\": 1}"
                + "<|tool_call_end|><|tool_call_begin|>functions.get_weather:12<|tool_call_argument_begin|>{}"
                + "<|tool_call_end|><|tool_calls_section_end|>",
            parts: call("find-it", "{\"a\": 1}") + call("get_weather", "{}")
        ),
    ]

    private static let parameterExamples = [
        AnswerExample(
            name: "Qwen3-Coder",
            syntax: AnswerSyntax(calls: coder),
            text:
                "So:\n<tool_call>\n<function=get_weather>\n<parameter=city>\nZürich\n\"X\" </parameter\n</parameter>\n"
                + "<parameter=days>\n12\n</parameter>\n<parameter=exact>\nTrue\n</parameter>\n<parameter=more>\n{\"k\": [1]}\n"
                + "</parameter>\n</function>\n</tool_call>",
            parts: [.text("So:")]
                + call(
                    "get_weather",
                    "{\"city\": \"Zürich\\n\\\"X\\\" </parameter\", \"days\": 12, \"exact\": true, \"more\": {\"k\": [1]}}"
                )
        ),
        AnswerExample(
            name: "a function without the tag around it, and a value that is no JSON",
            syntax: {
                var bare = coder
                (bare.callStart, bare.callEnd) = ("<function=", "</function>")
                var syntax = AnswerSyntax(calls: coder)
                syntax.otherCalls = [bare]
                return syntax
            }(),
            text:
                "<function=get_weather>\n<parameter=city>5</parameter><parameter=days>two</parameter></function>\nDone",
            parts: call("get_weather", "{\"city\": \"5\", \"days\": \"two\"}") + [.text("Done")]
        ),
        AnswerExample(
            name: "values of other kinds than the schema's are strings",
            syntax: AnswerSyntax(calls: coder),
            text:
                "<tool_call>\n<function=get_weather>\n<parameter=days>\ntrue\n</parameter>\n<parameter=exact>\nNone\n</parameter>\n"
                + "<parameter=places>\n[1] x\n</parameter>\n<parameter=more>\n{'k': 'v'}\n</parameter>\n</function>\n</tool_call>",
            parts: call(
                "get_weather",
                "{\"days\": \"true\", \"exact\": \"None\", \"places\": \"[1] x\", \"more\": {\"k\": \"v\"}}"
            )
        ),
        AnswerExample(
            name: "a function without parameters",
            syntax: AnswerSyntax(calls: coder),
            text:
                "<tool_call>\n<function=find-it>\n</function>\n</tool_call>\n<tool_call>\n<function=find-it>\n</function>\n</tool_call>",
            parts: call("find-it", "{}") + call("find-it", "{}")
        ),
        AnswerExample(
            name: "a call that is cut before its first parameter",
            syntax: AnswerSyntax(calls: coder),
            text: "<tool_call>\n<function=find-it>\n<parameter=ci",
            parts: [.toolCallStart(name: "find-it")]
        ),
        AnswerExample(
            name: "DeepSeek V3.2",
            syntax: AnswerSyntax(calls: dsml),
            text:
                "Hm\n\n<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"find-it\">\n<｜DSML｜parameter name=\"x\" string=\"true\">12"
                + "</｜DSML｜parameter>\n<｜DSML｜parameter name=\"y\" string=\"false\">[1, 2]</｜DSML｜parameter>\n</｜DSML｜invoke>\n"
                + "</｜DSML｜function_calls>",
            parts: [.text("Hm")] + call("find-it", "{\"x\": \"12\", \"y\": [1, 2]}")
        ),
        AnswerExample(
            name: "GLM",
            syntax: AnswerSyntax(
                thinking: think,
                calls: CallSyntax(
                    callStart: "<tool_call>",
                    nameEnd: "",
                    arguments: .parameters(
                        ParameterSyntax(
                            start: "<arg_key>",
                            nameEnd: "</arg_key><arg_value>",
                            valueEnd: "</arg_value>"
                        )
                    ),
                    callEnd: "</tool_call>"
                )
            ),
            text: "<think>Well</think>\n<tool_call>get_weather<arg_key>city</arg_key>\n<arg_value>Bern</arg_value>"
                + "<arg_key>days</arg_key><arg_value>3</arg_value></tool_call><tool_call>find-it</tool_call>",
            parts: [.thinking("Well")] + call("get_weather", "{\"city\": \"Bern\", \"days\": 3}")
                + call("find-it", "{}")
        ),
        AnswerExample(
            name: "a tag with another word in it is no call",
            syntax: AnswerSyntax(calls: coder),
            text: "<tool_call> get_weather </tool_call>",
            parts: [.text("<tool_call> get_weather </tool_call>")]
        ),
    ]
}
