/// A chat template in the Jinja that Hugging Face models use, read once and rendered for every conversation.
///
/// What a template can do is what transformers lets it do: Jinja 3.1 in its immutable sandbox, with `trim_blocks`,
/// `lstrip_blocks`, `break` and `continue`, a plain `tojson`, `raise_exception` and `strftime_now`. Unlike there, a
/// rendering knows for every character who wrote it, and a template that never ends is stopped.
package struct ChatTemplate: Sendable {
    private let syntax: TemplateSyntax

    /// - Throws: `TemplateError` naming the line if the template is malformed or uses what is not supported.
    package init(source: String) throws(TemplateError) { syntax = try TemplateSyntax(source) }

    /// Whether the template names a variable, of the context or of its own.
    package func names(_ variable: String) -> Bool { syntax.names.contains(variable) }

    /// Whether a text stands in the template, outside of its comments: as text, or within a literal.
    package func contains(_ text: String) -> Bool {
        let text = Array(text.utf8)
        return syntax.literals.contains { if case .text(let bytes) = $0 { bytes.contains(text) } else { false } }
    }

    /// Renders the template.
    /// - Parameters:
    ///   - context: the variables. Of several with one name the last counts.
    ///   - now: the time for `strftime_now`.
    /// - Throws: `TemplateError` if the template raises one, an operation fails, or a limit is exceeded.
    package func render(
        _ context: [TemplateValue.Member],
        now: TemplateClock = .system,
        limits: TemplateLimits = TemplateLimits()
    ) throws(TemplateError) -> RenderedText {
        let interpreter = try Interpreter(syntax, context: context, now: now, limits: limits)
        return RenderedText(text: try interpreter.render(syntax.body))
    }
}
