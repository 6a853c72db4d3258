import Chat

/// Answers whose calls are literals that are not quite JSON, and others of their own kind.
extension AnswerExample {
    static let literalExamples = [
        AnswerExample(
            name: "LFM",
            syntax: {
                var calls = CallSyntax(callStart: "", nameEnd: "(", arguments: .python, callEnd: ")")
                (calls.sectionStart, calls.separator, calls.sectionEnd) = (
                    "<|tool_call_start|>[", ", ", "]<|tool_call_end|>"
                )
                return AnswerSyntax(calls: calls)
            }(),
            text:
                "<|tool_call_start|>[get_weather(city=\"Zü\\\"rich)\", days=-3.5, exact=True, places=['a\\n', \"it's\"], "
                + "more={'k': (1, None,)}), find-it()]<|tool_call_end|>Done",
            parts: call(
                "get_weather",
                "{\"city\": \"Zü\\\"rich)\", \"days\": -3.5, \"exact\": true, \"places\": [\"a\\n\", \"it's\"], "
                    + "\"more\": {\"k\": [1, null]}}"
            ) + call("find-it", "{}") + [.text("Done")]
        ),
        AnswerExample(
            name: "escapes and empty lists of Python",
            syntax: {
                var calls = CallSyntax(callStart: "", nameEnd: "(", arguments: .python, callEnd: ")")
                (calls.sectionStart, calls.sectionEnd) = ("<|tool_call_start|>[", "]<|tool_call_end|>")
                return AnswerSyntax(calls: calls)
            }(),
            text:
                "<|tool_call_start|>[get_weather(city=\"Z\\u00fcrich \\x41 \\d \\u12\", days=[1,], more={'k': {}, 'l': ()})]"
                + "<|tool_call_end|>",
            parts: call(
                "get_weather",
                "{\"city\": \"Z\\u00fcrich \\u0041 \\\\d \\\\u12\", \"days\": [1], \"more\": {\"k\": {}, \"l\": []}}"
            )
        ),
        AnswerExample(
            name: "Gemma 4",
            syntax: AnswerSyntax(
                calls: CallSyntax(
                    callStart: "<|tool_call>call:",
                    nameEnd: "",
                    arguments: .bare(quote: "<|\"|>"),
                    callEnd: "<tool_call|>"
                )
            ),
            text:
                "<|tool_call>call:get_weather{city:<|\"|>a \"b\" {c}, <|x<|\"|>,days:1,places:[<|\"|>d<|\"|>,true],more:{k:null}}"
                + "<tool_call|><|tool_call>call:find-it{}<tool_call|>",
            parts: call(
                "get_weather",
                "{\"city\": \"a \\\"b\\\" {c}, <|x\", \"days\": 1, \"places\": [\"d\", true], \"more\": {\"k\": null}}"
            ) + call("find-it", "{}")
        ),
        AnswerExample(
            name: "Gemma 4, with JSON's quotes, and a backslash between its own",
            syntax: AnswerSyntax(
                calls: CallSyntax(
                    callStart: "<|tool_call>call:",
                    nameEnd: "",
                    arguments: .bare(quote: "<|\"|>"),
                    callEnd: "<tool_call|>"
                )
            ),
            text:
                "<|tool_call>call:get_weather{city:\"Bern \\\"B\\\"\",places:[<|\"|>C:\\new\\<|\"|>]}<tool_call|>",
            parts: call("get_weather", "{\"city\": \"Bern \\\"B\\\"\", \"places\": [\"C:\\\\new\\\\\"]}")
        ),
        AnswerExample(
            name: "FunctionGemma",
            syntax: AnswerSyntax(
                calls: CallSyntax(
                    callStart: "<start_function_call>call:",
                    nameEnd: "",
                    arguments: .bare(quote: "<escape>"),
                    callEnd: "<end_function_call>"
                )
            ),
            text: "<start_function_call>call:get_weather{city:<escape>Zürich, {x}<escape>,days:2}<end_function_call>",
            parts: call("get_weather", "{\"city\": \"Zürich, {x}\", \"days\": 2}")
        ),
    ]
}
