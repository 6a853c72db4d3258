/// How a prompt and an edited text lie on a terminal's rows.
struct LineLayout: Equatable {
    private static let tabColumns = 4

    private(set) var rows: [String]
    private(set) var cursorRow = 0
    private(set) var cursorColumn = 0

    init(prompt: String, line: EditedLine, width: Int) {
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
                // Later lines stand below the first, behind the prompt.
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

    /// The same with at most so many rows, those around the cursor.
    func window(height: Int) -> LineLayout {
        guard rows.count > height, height > 0 else { return self }
        var part = self
        let first = min(max(0, cursorRow - height + 1), rows.count - height)
        part.rows = Array(rows[first..<(first + height)])
        part.cursorRow = cursorRow - first
        return part
    }
}
