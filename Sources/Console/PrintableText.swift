/// Makes text from outside safe for a terminal: control characters could rewrite the screen.
extension String {
    /// The text on one line of at most 200 characters.
    package var printable: String { printable(upTo: 200) }

    /// The text on one line: line breaks and tabs become spaces, other control characters are left out; a longer text
    /// is cut and ends in "…".
    /// - Parameter count: the most characters (Unicode scalars) to keep.
    package func printable(upTo count: Int) -> String {
        let shown = unicodeScalars.lazy.map { $0 == "\n" || $0 == "\t" ? " " : $0 }
            .filter { $0.properties.generalCategory != .control }
            .prefix(count + 1)
        let kept = String(String.UnicodeScalarView(shown.prefix(count)))
        return shown.dropFirst(count).isEmpty ? kept : kept + "…"
    }

    /// The text with line breaks and tabs; other control characters are replaced by U+FFFD, and the carriage returns of
    /// line breaks dropped.
    package var visible: String {
        guard unicodeScalars.contains(where: \.isHidden) else { return self }
        let shown = unicodeScalars.lazy.filter { $0 != "\r" }.map { $0.isHidden ? "\u{FFFD}" : $0 }
        return String(String.UnicodeScalarView(shown))
    }
}

extension Unicode.Scalar {
    fileprivate var isHidden: Bool { self != "\t" && self != "\n" && properties.generalCategory == .control }
}
