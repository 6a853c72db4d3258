/// Why a template cannot be read, or a conversation cannot be rendered with it.
package struct TemplateError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// The template is not valid Jinja, or uses a feature that is not supported.
        case syntax
        /// The template itself refuses the conversation, by `raise_exception`.
        case raised
        /// A value that is not there was used as if it were.
        case undefined
        /// An operation does not fit its values: Python's `TypeError`, `ValueError` and similar errors.
        case operation
        /// The template asks for more steps, depth or memory than it may have.
        case limit
    }

    package let kind: Kind
    package let message: String
    /// The line of the template, from 1; nil if the error belongs to no line.
    package var line: Int?

    package init(_ kind: Kind, _ message: String, line: Int? = nil) {
        self.kind = kind
        self.message = message
        self.line = line
    }

    package var description: String {
        guard let line, kind != .raised else { return message }
        return "line \(line): \(message)"
    }

    static func syntax(_ message: String, line: Int) -> TemplateError { TemplateError(.syntax, message, line: line) }
    static func operation(_ message: String) -> TemplateError { TemplateError(.operation, message) }
    static func limit(_ message: String) -> TemplateError { TemplateError(.limit, message) }

    /// This error, with a line if it has none yet.
    func at(line: Int) -> TemplateError {
        var error = self
        error.line = error.line ?? line
        return error
    }
}
