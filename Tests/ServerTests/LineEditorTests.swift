import Testing

@testable import pensieve

/// The parts of the line editor that do not need a terminal.
@Suite struct LineEditorTests {
    private func keys(_ bytes: [UInt8]) -> [Key] {
        var decoder = KeyDecoder()
        return bytes.compactMap { decoder.push($0) }
    }

    private func line(_ keys: Key...) -> LineBuffer {
        var line = LineBuffer()
        keys.forEach { line.apply($0) }
        return line
    }

    @Test(
        "Bytes become keys: characters of several bytes, arrows of both kinds, words",
        arguments: [
            ("aü漢🎉", [Key.text("a"), .text("ü"), .text("漢"), .text("🎉")]),
            ("\u{1B}[A\u{1B}OB\u{1B}[C\u{1B}[D", [.previous, .next, .right, .left]),
            ("\u{1B}[H\u{1B}[4~\u{1B}[3~\u{1B}[1;5C\u{1B}b", [.home, .end, .delete, .wordRight, .wordLeft]),
            (
                "\u{1}\u{5}\u{7F}\u{B}\u{3}\u{4}\r\n",
                [
                    .home, .end, .backspace, .cutToEnd, .interrupt, .endOrDelete, .enter, .enter,
                ]
            ),
            ("\u{1B}\r\u{1B}[99;99;99Zx", [.lineBreak, .text("x")]),
            ("\u{1B}[200~one\r\ntwo\u{3}\u{1B}[201~\r", [.text("one\ntwo\u{3}"), .enter]),
        ]
    )
    func decoding(_ text: String, _ expected: [Key]) {
        #expect(keys(Array(text.utf8)) == expected)
    }

    @Test("Bytes that are not UTF-8 are dropped, and the following ones read")
    func malformed() {
        #expect(keys([0xFF, 0xE2, 0x82, UInt8(ascii: "a"), 0x80, 0xC3, 0xBC]) == [.text("a"), .text("ü")])
    }

    @Test("The cursor moves by characters, not by bytes or scalars, and cut text can be pasted")
    func editing() {
        #expect(line(.text("漢字e"), .text("\u{301}"), .backspace).text == "漢字")
        #expect(line(.text("👩‍👩‍👧x"), .left, .left, .delete).text == "x")
        #expect(line(.text("one two"), .cutWord, .home, .paste).text == "twoone ")
        #expect(line(.text("ab"), .left, .text("ü"), .right, .right, .text("!")).text == "aüb!")
        #expect(line(.text("one\ntwo"), .home, .text(">")).text == "one\n>two")
        #expect(line(.text("one two"), .wordLeft, .cutToEnd, .left, .cutToStart).text == " ")
        // Control characters are dropped from pasted text.
        #expect(line(.text("a\u{1B}[2Jb\u{7}")).text == "a[2Jb")
    }

    @Test("Wide characters take two columns, and none is split at the terminal's edge")
    func layout() {
        #expect("a漢ü🎉e\u{301}".columns == 1 + 2 + 1 + 2 + 1)
        let wide = LineLayout(prompt: "> ", line: line(.text("abc漢字def")), width: 6)
        #expect(wide.rows == ["> abc", "漢字de", "f"])
        #expect(wide.cursorRow == 2 && wide.cursorColumn == 1)
        // At the edge the cursor is on the next row.
        let full = LineLayout(prompt: "> ", line: line(.text("abcd")), width: 6)
        #expect(full.rows == ["> abcd", ""] && full.cursorRow == 1 && full.cursorColumn == 0)
        let middle = LineLayout(prompt: "> ", line: line(.text("one\ntwo"), .home), width: 20)
        #expect(middle.rows == ["> one", "  two"] && middle.cursorRow == 1 && middle.cursorColumn == 2)
    }

    @Test("Of a text with more rows than the terminal those around the cursor are shown")
    func window() {
        let text = (1...9).map { "\($0)" }.joined(separator: "\n")
        let layout = LineLayout(prompt: "> ", line: line(.text(text)), width: 20)
        let end = layout.window(height: 3)
        #expect(end.rows == ["  7", "  8", "  9"] && end.cursorRow == 2)
        #expect(layout.window(height: 9) == layout)
    }

    @Test(
        "Lines become turns: by themselves, with a backslash at the end, between fences",
        arguments: [
            (["one", "two"], ["one", "two"]), (["one\\", "two\\", "three"], ["one\ntwo\nthree"]),
            (["\"\"\"", "one", "", "two\\", "\"\"\"", "x"], ["one\n\ntwo\\", "x"]),
            (["\"\"\"one", "two\"\"\" "], ["one\ntwo"]), (["\"\"\"one\"\"\""], ["one"]),
            (["say \"\"\"", ""], ["say \"\"\"", ""]),
        ]
    )
    func turns(_ lines: [String], _ expected: [String]) throws {
        var assembler = TurnAssembler()
        #expect(try lines.compactMap { try assembler.add($0) } == expected)
        #expect(!assembler.isInside)
    }

    @Test(
        "A slash and a word begin a command; a path or fraction does not",
        arguments: [
            ("/system Be brief. ", SlashCommand.system("Be brief.")), ("/system", .system(nil)),
            ("/system \"\"", .system("")), ("/model a/b:Q4", .model("a/b:Q4")), ("/reset", .reset), ("/bye", .exit),
            ("/?", .help), ("/foo bar", .unknown("/foo")), ("/etc/passwd", nil), ("/", nil), ("1/2", nil),
            (" /reset", nil),
        ]
    )
    func commands(_ text: String, _ expected: SlashCommand?) {
        #expect(SlashCommand(text) == expected)
    }
}
