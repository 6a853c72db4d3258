import Foundation

/// Texts on lines of a terminal's usual width.
enum TextWrap {
    static let width = 80
    private static let fieldIndent = 14

    /// Lines of at most `width` columns, all but the first behind an indent. A word that is too long for a line loses its
    /// middle: both ends of a path tell something.
    static func lines(_ text: String, first: String, indent: Int) -> [String] {
        var lines = [first]
        var isLineBegun = false
        for word in text.split(separator: " ").map({ shortened(String($0), to: width - indent) }) {
            if isLineBegun, lines[lines.count - 1].columns + 1 + word.columns > width {
                lines.append(String(repeating: " ", count: indent))
                isLineBegun = false
            }
            lines[lines.count - 1] += (isLineBegun ? " " : "") + word
            isLineBegun = true
        }
        return lines
    }

    /// A name and its value, in two columns.
    static func field(_ name: String, _ value: String) -> [String] {
        let head = "  " + name.padding(toLength: fieldIndent - 2, withPad: " ", startingAt: 0)
        return lines(value, first: head, indent: fieldIndent)
    }

    /// A text with an ellipsis for its middle, if it is wider than this.
    static func shortened(_ word: String, to limit: Int) -> String {
        guard word.columns > limit else { return word }
        var (head, tail) = (String(word.prefix(limit / 3)), String(word.suffix(limit - limit / 3 - 1)))
        // Wide characters take two columns.
        while head.columns + tail.columns + 1 > limit, !tail.isEmpty {
            tail.removeFirst()
            if head.columns > limit / 3 { head.removeLast() }
        }
        return head + "…" + tail
    }
}
