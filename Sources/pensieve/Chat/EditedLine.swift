/// A text under a cursor.
struct EditedLine: Equatable {
    static let maxBytes = 16 << 20

    private(set) var characters: [Character] = []
    /// From 0, before the first character, to their count.
    private(set) var cursor = 0
    /// What was cut last.
    private var clipboard = ""

    var text: String { String(characters) }
    var isEmpty: Bool { characters.isEmpty }

    /// Replaces all, with the cursor at the end.
    mutating func set(_ text: String) {
        characters = Array(text)
        cursor = characters.count
    }

    mutating func clear() { set("") }

    /// Does what a key asks for within the text; other keys change nothing.
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

    /// What is inserted may join the character before it: an accent, the second half of a flag.
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
        // What was parted may be one character now.
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
