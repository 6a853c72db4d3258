import Foundation

/// Commands that are ready to be pasted into a shell, on lines of a terminal's usual width.
enum ShellText {
    /// Words on as many lines as it takes, each but the last with a backslash at its end.
    /// - Parameter words: as `word` makes them.
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

    /// A text as one word of a shell; what is too long for a line is cut where the shell joins it again.
    static func word(_ text: String) -> String {
        let room = TextWrap.width - 12
        guard quoted(text).columns > room else { return quoted(text) }
        var pieces = [""]
        for character in text {
            // Quotes take more room than they show.
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
