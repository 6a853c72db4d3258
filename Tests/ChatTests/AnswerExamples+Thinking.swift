import Chat

/// Answers with thoughts.
extension AnswerExample {
    static let thinkingExamples = [
        AnswerExample(
            name: "a thought, a text and a call",
            syntax: AnswerSyntax(thinking: think, calls: hermes),
            text:
                "<think>\nOne </th two\n\n</think>\n\nSo it is. <think>\n<tool_call>\n{\"name\": \"find-it\", \"arguments\": {}}\n</tool_call>",
            parts: [.thinking("One </th two"), .text("So it is. <think>")] + call("find-it", "{}")
        ),
        AnswerExample(
            name: "a thought that the prompt has begun",
            syntax: AnswerSyntax(thinking: think, calls: hermes),
            text: "\nOne\n</think>\n\n<tool_call>\n{\"name\": \"find-it\", \"arguments\": {}}\n</tool_call>\n\n",
            isInsideThinking: true,
            parts: [.thinking("One")] + call("find-it", "{}")
        ),
        AnswerExample(
            name: "an empty thought, and an end that stands there again",
            syntax: AnswerSyntax(thinking: think, calls: hermes),
            text: "<think>\n\n</think>\n\n</think>\nYes",
            parts: [.text("Yes")]
        ),
        AnswerExample(
            name: "a thought that is cut",
            syntax: AnswerSyntax(thinking: think, calls: hermes),
            text: "<think>One </thi",
            parts: [.thinking("One </thi")]
        ),
        AnswerExample(
            name: "harmony",
            syntax: harmony,
            text:
                "<|channel|>analysis<|message|>Let me see.<|end|><|start|>assistant<|channel|>commentary to=functions.find-it "
                + "<|constrain|>json<|message|>{\"a\":1}<|call|>",
            parts: [.thinking("Let me see.")] + call("find-it", "{\"a\":1}")
        ),
        AnswerExample(
            name: "harmony's final channel",
            syntax: harmony,
            text:
                "<|channel|>analysis<|message|>Let me see.<|end|><|start|>assistant<|channel|>final<|message|>It is 4.",
            parts: [.thinking("Let me see."), .text("It is 4.")]
        ),
    ]

    static let harmony: AnswerSyntax = {
        var syntax = AnswerSyntax(
            thinking: ThinkingSyntax(
                start: "<|channel|>analysis<|message|>",
                end: "<|end|>",
                closing: "<|end|><|start|>assistant"
            ),
            calls: json("<|channel|>commentary to=functions.", " <|constrain|>json<|message|>", "<|call|>")
        )
        syntax.textStarts = ["<|channel|>final<|message|>", "<|start|>assistant"]
        return syntax
    }()
}
