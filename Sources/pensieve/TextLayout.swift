import Foundation

/// Wraps text at the usual width of a terminal.
enum TextWrap {
    static let width = 80
    private static let fieldIndent = 14

    /// Lines of at most `width` columns, all but the first indented. A word that is too long for a line is shortened in
    /// the middle, as both ends of a path are informative.
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

    /// Replaces the middle of a text by an ellipsis if it is wider than `limit`.
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

/// Wraps shell commands at the usual width of a terminal, ready for pasting.
enum ShellText {
    /// Wraps words, with a backslash at the end of each line but the last.
    /// - Parameter words: results of `word`.
    static func lines(_ words: [String], indent: Int = 2) -> [String] {
        var lines = [String(repeating: " ", count: indent)]
        var isLineBegun = false
        for word in words {
            let columns = lines[lines.count - 1].columns + (isLineBegun ? 1 : 0) + firstLine(word).columns
            if isLineBegun, columns + 2 > TextWrap.width || word.contains("\n") {
                lines[lines.count - 1] += " \\"
                lines.append(String(repeating: " ", count: indent + 2))
                isLineBegun = false
            }
            lines[lines.count - 1] += (isLineBegun ? " " : "") + word
            isLineBegun = true
        }
        return lines.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
    }

    /// Quotes a text as one word of a shell; a long one is split so that the shell joins the pieces.
    static func word(_ text: String) -> String {
        let room = TextWrap.width - 12
        guard quoted(text).columns > room else { return quoted(text) }
        var pieces = [""]
        for character in text {
            // Quoting can add columns.
            if quoted(pieces[pieces.count - 1] + String(character)).columns > room { pieces.append("") }
            pieces[pieces.count - 1].append(character)
        }
        return pieces.map(quoted).joined(separator: "\\\n")
    }

    private static func firstLine(_ word: String) -> String { String(word.prefix { $0 != "\n" }) }

    private static func quoted(_ text: String) -> String {
        let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+:".contains($0)) }
        return isPlain && !text.isEmpty ? text : "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}

/// Rows of cells in aligned columns.
enum TextTable {
    static func lines(_ rows: [[String]]) -> [String] {
        let columns = rows.map(\.count).min() ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            return cells.joined(separator: "  ").replacing(#/\ +$/#, with: "")
        }
    }
}

extension Character {
    /// Width in terminal columns: 0, 1 or 2.
    var columns: Int {
        guard let first = unicodeScalars.first else { return 0 }
        if first.isWide || unicodeScalars.contains("\u{FE0F}") { return 2 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: return 1
        }
    }
}

extension Unicode.Scalar {
    /// East Asian wide and full-width characters, by blocks, and emoji with emoji presentation.
    fileprivate var isWide: Bool {
        guard value >= 0x1100 else { return false }
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97C,
            0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18DFF,
            0x1AFF0...0x1B2FF, 0x1F200...0x1F2FF, 0x20000...0x3FFFD:
            return true
        default: return properties.isEmojiPresentation
        }
    }
}

extension String {
    /// Width in terminal columns on one line.
    var columns: Int { reduce(0) { $0 + $1.columns } }
}
