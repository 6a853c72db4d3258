/// A stretch of a rendered conversation that comes from one side.
package struct RenderedPiece: Sendable, Equatable {
    package var text: String
    package var origin: TextOrigin

    package init(_ text: String, _ origin: TextOrigin) {
        self.text = text
        self.origin = origin
    }

    /// Whether special tokens may be read from it.
    package var isTrusted: Bool { origin == .format }
}

/// Whose characters they are.
package enum TextOrigin: UInt8, Sendable {
    /// Messages, tools, whatever came with a request.
    case outside
    /// The template itself and the model's special tokens.
    case format
    /// The mark of `TemplateValue.marked`.
    case mark
}
