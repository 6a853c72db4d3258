import Templates

/// What cannot be derived from a template: syntaxes in which a model does not write what its template does, and those
/// of models whose template has no calls although they were trained to write them.
enum KnownSyntaxes {
    /// The whole syntax of a family that needs an exception.
    static func syntax(of template: ChatTemplate) -> AnswerSyntax? {
        template.contains("<|channel|>commentary") ? harmony : nil
    }

    /// The calls of models whose template does not write any, or only with what its engine forbids.
    static func calls(of template: ChatTemplate) -> CallSyntax? {
        untold.first { known in known.marks.contains { template.contains($0) } }?.calls
    }

    /// Special tokens that end an answer in which the model calls, where that is not the end of a turn.
    static func stops(of format: TemplateFormat) -> [String] {
        ["<|call|>", "<|return|>", "<|eom_id|>", "<|tool_response>"].filter { format.template.contains($0) }
            + format.constants.compactMap { member in
                if member.name == "eos_token", case .templateText(let text) = member.value { text } else { nil }
            }
    }

    /// Syntaxes, and the texts in a template by which they are recognised.
    private static let untold: [(marks: [String], calls: CallSyntax)] = [
        (["<|tool_call_argument_begin|>"], kimi),
        (["<|tool_call_start|>", "<|tool_list_start|>", "List of tools: ["], lfm),
        // Granite 3.
        (["<|tool_call|>"], list("<|tool_call|>[", "]")), (["<|tool|>"], list("<|tool_call|>[", "]<|/tool_call|>")),
    ]

    /// Objects of JSON in a list.
    private static func list(_ start: String, _ end: String) -> CallSyntax {
        var calls = HermesTools.calls
        (calls.callStart, calls.callEnd) = ("{\"name\": \"", "}")
        (calls.sectionStart, calls.separator, calls.sectionEnd) = (start, ", ", end)
        return calls
    }

    private static let kimi: CallSyntax = {
        var calls = CallSyntax(
            callStart: "<|tool_call_begin|>functions.",
            nameEnd: "<|tool_call_argument_begin|>",
            arguments: .json(.spaced),
            callEnd: "<|tool_call_end|>"
        )
        calls.identifier = CallIdentifier(start: ":", form: .number)
        (calls.sectionStart, calls.sectionEnd) = ("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>")
        return calls
    }()

    private static let lfm: CallSyntax = {
        var calls = CallSyntax(callStart: "", nameEnd: "(", arguments: .python, callEnd: ")")
        (calls.sectionStart, calls.separator, calls.sectionEnd) = ("<|tool_call_start|>[", ", ", "]<|tool_call_end|>")
        return calls
    }()

    /// Thoughts that the template takes out of earlier answers, or that no tag begins: it names how they end.
    static func thinking(of template: ChatTemplate) -> ThinkingSyntax? {
        thoughts.first { template.contains($0.end) }
    }

    private static let thoughts = [
        ThinkingSyntax(start: "<think>", end: "</think>", closing: "\n</think>\n\n"),
        ThinkingSyntax(start: "[THINK]", end: "[/THINK]", closing: "[/THINK]"),
        ThinkingSyntax(start: "<seed:think>", end: "</seed:think>", closing: "\n</seed:think>\n\n"),
        // Apriel.
        ThinkingSyntax(
            start: "Here are my reasoning steps:",
            end: "[BEGIN FINAL RESPONSE]",
            closing: "\n[BEGIN FINAL RESPONSE]\n"
        ),
        // Gemma 4.
        ThinkingSyntax(start: "<|channel>thought", end: "<channel|>", closing: "\n<channel|>"),
    ]

    /// gpt-oss writes a call's recipient after the channel; its template, before it.
    private static let harmony: AnswerSyntax = {
        let next = "<|end|><|start|>assistant"
        func call(_ start: String, _ nameEnd: String) -> CallSyntax {
            CallSyntax(callStart: start, nameEnd: nameEnd, arguments: .json(.compact), callEnd: "<|call|>")
        }
        let calls = call("<|channel|>commentary to=functions.", " <|constrain|>json<|message|>")
        var syntax = AnswerSyntax(
            thinking: ThinkingSyntax(start: "<|channel|>analysis<|message|>", end: "<|end|>", closing: next),
            calls: calls
        )
        syntax.otherCalls = [
            call("<|start|>assistant" + calls.callStart, calls.nameEnd),
            call(next + calls.callStart, calls.nameEnd),
            call(calls.callStart, "<|message|>"), call(calls.callStart, " json<|message|>"),
            call("<|start|>assistant to=functions.", "<|channel|>commentary json<|message|>"),
            call(" to=functions.", "<|channel|>commentary json<|message|>"),
            call(" to=functions.", "<|channel|>commentary <|constrain|>json<|message|>"),
        ]
        syntax.textStarts = [
            "<|channel|>final<|message|>", "<|channel|>commentary<|message|>", "<|start|>assistant", "<|end|>",
        ]
        return syntax
    }()

    /// Ways in which calls of a syntax are written too.
    static func variants(of calls: CallSyntax) -> [CallSyntax] {
        var variants: [CallSyntax] = []
        // Phi-4-mini's other way.
        if calls.sectionEnd == "]<|/tool_call|>" { variants.append(list("functools[", "]")) }
        // The other name that arguments have.
        for (name, other) in [("\"arguments\"", "\"parameters\""), ("\"parameters\"", "\"arguments\"")]
        where calls.nameEnd.contains(name) {
            var variant = calls
            variant.nameEnd = calls.nameEnd.replacing(name, with: other)
            variants.append(variant)
        }
        // Without the tag around it: `<function=` alone.
        if case .parameters = calls.arguments, let inner = calls.callStart.lastIndex(of: "<"),
            inner > calls.callStart.startIndex
        {
            var variant = calls
            (variant.sectionStart, variant.sectionEnd, variant.separator) = ("", "", "\n")
            variant.callStart = String(calls.callStart[inner...])
            variant.callEnd = String(calls.callEnd.split(whereSeparator: \.isWhitespace).first ?? "")
            variants.append(variant)
        }
        // Llama's calls of its own tools.
        if calls.isWholeAnswer {
            var tagged = calls
            tagged.callStart = "<|python_tag|>" + calls.callStart
            var python = CallSyntax(callStart: "<|python_tag|>", nameEnd: ".call(", arguments: .python, callEnd: ")")
            (tagged.isWholeAnswer, python.isWholeAnswer) = (false, false)
            variants += [tagged, python]
        }
        return variants
    }
}
