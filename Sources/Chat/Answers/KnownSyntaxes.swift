import Templates

/// What cannot be derived from a template: syntaxes in which a model does not write what its template does, and those
/// of models whose template has no calls although they were trained to write them.
enum KnownSyntaxes {
    /// The whole syntax of a family that needs an exception.
    static func syntax(of template: ChatTemplate) -> AnswerSyntax? {
        template.contains("<|channel|>commentary") ? harmony : nil
    }

    /// The calls of models whose template does not write any.
    static func calls(of template: ChatTemplate) -> CallSyntax? { nil }

    /// Thoughts that the template takes out of earlier answers, or that no tag begins: it names how they end.
    static func thinking(of template: ChatTemplate) -> ThinkingSyntax? {
        thoughts.first { template.contains($0.end) }
    }

    private static let thoughts = [
        ThinkingSyntax(start: "<think>", end: "</think>", closing: "\n</think>\n\n"),
        ThinkingSyntax(start: "[THINK]", end: "[/THINK]", closing: "[/THINK]"),
        ThinkingSyntax(start: "<seed:think>", end: "</seed:think>", closing: "\n</seed:think>\n\n"),
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
