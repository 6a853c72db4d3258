/// The text of a line editor with its cursor.
struct LineBuffer: Equatable {
    static let maxBytes = 16 << 20

    private(set) var characters: [Character] = []
    /// Index of the character after the cursor.
    private(set) var cursor = 0
    /// The text that was cut last.
    private var clipboard = ""

    var text: String { String(characters) }
    var isEmpty: Bool { characters.isEmpty }

    /// Replaces the text and puts the cursor at its end.
    mutating func set(_ text: String) {
        characters = Array(text)
        cursor = characters.count
    }

    mutating func clear() { set("") }

    /// Applies an editing key; other keys change nothing.
    mutating func apply(_ key: Key) {
        switch key {
        case .text(let text): insert(text)
        case .lineBreak: insert("\n")
        case .left: cursor = max(0, cursor - 1)
        case .right: cursor = min(characters.count, cursor + 1)
        case .wordLeft: cursor = wordStart
        case .wordRight: cursor = wordEnd
        case .home: cursor = lineStart
        case .end: cursor = lineEnd
        case .backspace: cut(max(0, cursor - 1)..<cursor, keeps: false)
        case .delete, .endOrDelete: cut(cursor..<min(characters.count, cursor + 1), keeps: false)
        case .cutToEnd: cut(cursor..<lineEnd, keeps: true)
        case .cutToStart: cut(lineStart..<cursor, keeps: true)
        case .cutWord: cut(wordStart..<cursor, keeps: true)
        case .paste: insert(clipboard)
        case .enter, .previous, .next, .clearScreen, .interrupt, .suspend: break
        }
    }

    /// Inserted text may combine with the preceding character: an accent, the second half of a flag.
    private mutating func insert(_ text: String) {
        let shown = text.unicodeScalars.filter { $0 == "\n" || $0 == "\t" || $0.properties.generalCategory != .control }
        let before = String(characters[..<cursor]) + String(String.UnicodeScalarView(shown))
        let after = String(characters[cursor...])
        guard before.utf8.count + after.utf8.count <= Self.maxBytes else { return }
        characters = Array(before + after)
        cursor = min(before.count, characters.count)
    }

    private mutating func cut(_ range: Range<Int>, keeps: Bool) {
        guard !range.isEmpty else { return }
        if keeps { clipboard = String(characters[range]) }
        characters.removeSubrange(range)
        cursor = range.lowerBound
        // The characters around the cut may combine into one.
        let text = String(characters)
        if text.count != characters.count {
            cursor = min(String(characters[..<cursor]).count, text.count)
            characters = Array(text)
        }
    }

    private var lineStart: Int { (characters[..<cursor].lastIndex(of: "\n") ?? -1) + 1 }
    private var lineEnd: Int { characters[cursor...].firstIndex(of: "\n") ?? characters.count }

    private var wordStart: Int {
        var index = cursor
        while index > 0, characters[index - 1].isWhitespace { index -= 1 }
        while index > 0, !characters[index - 1].isWhitespace { index -= 1 }
        return index
    }

    private var wordEnd: Int {
        var index = cursor
        while index < characters.count, characters[index].isWhitespace { index += 1 }
        while index < characters.count, !characters[index].isWhitespace { index += 1 }
        return index
    }
}

/// The layout of a prompt and an edited text on a terminal's rows.
struct LineLayout: Equatable {
    private static let tabColumns = 4

    private(set) var rows: [String]
    private(set) var cursorRow = 0
    private(set) var cursorColumn = 0

    init(prompt: String, line: LineBuffer, width: Int) {
        let width = max(4, width)
        let indent = min(prompt.columns, width / 2)
        rows = [prompt]
        var column = prompt.columns
        for (index, character) in line.characters.enumerated() {
            let columns = character == "\t" ? Self.tabColumns : character.columns
            if character != "\n", column + columns > width {
                rows.append("")
                column = 0
            }
            if index == line.cursor { (cursorRow, cursorColumn) = (rows.count - 1, min(column, width - 1)) }
            if character == "\n" {
                // Later lines are aligned with the first one after the prompt.
                rows.append(String(repeating: " ", count: indent))
                column = indent
            } else {
                rows[rows.count - 1] +=
                    character == "\t" ? String(repeating: " ", count: Self.tabColumns) : String(character)
                column += columns
            }
        }
        guard line.cursor == line.characters.count else { return }
        if column >= width {
            rows.append("")
            column = 0
        }
        (cursorRow, cursorColumn) = (rows.count - 1, column)
    }

    /// At most `height` rows, those around the cursor.
    func window(height: Int) -> LineLayout {
        guard rows.count > height, height > 0 else { return self }
        var part = self
        let first = min(max(0, cursorRow - height + 1), rows.count - height)
        part.rows = Array(rows[first..<(first + height)])
        part.cursorRow = cursorRow - first
        return part
    }
}
