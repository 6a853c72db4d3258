/// A key press, or a paste.
enum Key: Equatable, Sendable {
    /// A character, or pasted text.
    case text(String)
    case enter
    /// A line break within the text.
    case lineBreak
    case left, right, wordLeft, wordRight, home, end
    case previous, next
    case backspace, delete
    case cutToEnd, cutToStart, cutWord, paste
    case clearScreen
    case interrupt
    /// Ctrl-D: deletes a character, or ends the input if the line is empty.
    case endOrDelete
    case suspend
}

/// Decodes the bytes that a terminal sends into keys.
struct KeyDecoder {
    private static let escape: UInt8 = 0x1B
    private static let maxPasteBytes = 16 << 20
    private static let pasteEnd = Array("\u{1B}[201~".utf8)

    private enum State {
        case plain
        case escaped
        /// After `ESC [` or `ESC O`.
        case sequence([UInt8])
        case pasting
        /// The first bytes of a UTF-8 sequence, and its length.
        case character([UInt8], Int)
    }

    private var state = State.plain
    private var pasteBytes: [UInt8] = []

    /// Whether the last byte may be the Escape key alone or the beginning of a sequence, which only time can tell.
    var isAmbiguous: Bool {
        if case .escaped = state { true } else { false }
    }

    /// Drops a lone Escape key.
    mutating func settle() { if isAmbiguous { state = .plain } }

    mutating func push(_ byte: UInt8) -> Key? {
        switch state {
        case .plain: return plain(byte)
        case .escaped: return afterEscape(byte)
        case .sequence(let bytes): return sequence(bytes, byte)
        case .pasting: return pasted(byte)
        case .character(let bytes, let count): return character(bytes, count, byte)
        }
    }

    private mutating func plain(_ byte: UInt8) -> Key? {
        switch byte {
        case 0x01: return .home
        case 0x02: return .left
        case 0x03: return .interrupt
        case 0x04: return .endOrDelete
        case 0x05: return .end
        case 0x06: return .right
        case 0x08, 0x7F: return .backspace
        case 0x09: return .text("\t")
        case 0x0A, 0x0D: return .enter
        case 0x0B: return .cutToEnd
        case 0x0C: return .clearScreen
        case 0x0E: return .next
        case 0x10: return .previous
        case 0x15: return .cutToStart
        case 0x17: return .cutWord
        case 0x19: return .paste
        case 0x1A: return .suspend
        case Self.escape:
            state = .escaped
            return nil
        case 0x20..<0x7F: return .text(String(Character(Unicode.Scalar(byte))))
        case 0xC2..<0xE0: state = .character([byte], 2)
        case 0xE0..<0xF0: state = .character([byte], 3)
        case 0xF0..<0xF5: state = .character([byte], 4)
        default: break
        }
        return nil
    }

    private mutating func character(_ bytes: [UInt8], _ count: Int, _ byte: UInt8) -> Key? {
        guard byte & 0xC0 == 0x80 else {
            // The sequence was truncated: this byte starts another one.
            state = .plain
            return plain(byte)
        }
        let bytes = bytes + [byte]
        guard bytes.count == count else {
            state = .character(bytes, count)
            return nil
        }
        state = .plain
        return .text(String(decoding: bytes, as: UTF8.self))
    }

    private mutating func afterEscape(_ byte: UInt8) -> Key? {
        state = .plain
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "O"): state = .sequence([])
        case Self.escape: state = .escaped
        case 0x0A, 0x0D: return .lineBreak
        case UInt8(ascii: "b"): return .wordLeft
        case UInt8(ascii: "f"): return .wordRight
        case 0x7F: return .cutWord
        default: break
        }
        return nil
    }

    private mutating func sequence(_ bytes: [UInt8], _ byte: UInt8) -> Key? {
        guard !(0x40...0x7E).contains(byte) else {
            state = .plain
            let name = String(decoding: bytes + [byte], as: UTF8.self)
            if name == "200~" { state = .pasting }
            return Self.sequences[name]
        }
        // Terminals send short sequences only.
        state = bytes.count < 32 ? .sequence(bytes + [byte]) : .plain
        return nil
    }

    private static let sequences: [String: Key] = [
        "A": .previous, "B": .next, "C": .right, "D": .left, "H": .home, "F": .end, "1~": .home, "7~": .home,
        "4~": .end, "8~": .end, "3~": .delete, "1;5C": .wordRight, "1;5D": .wordLeft, "1;3C": .wordRight,
        "1;3D": .wordLeft, "5C": .wordRight, "5D": .wordLeft,
    ]

    private mutating func pasted(_ byte: UInt8) -> Key? {
        if pasteBytes.count < Self.maxPasteBytes {
            pasteBytes.append(byte)
        } else {
            // Of a paste that is too long, only the end mark is still looked for.
            pasteBytes.removeFirst(pasteBytes.count - Self.pasteEnd.count + 1)
            pasteBytes.append(byte)
        }
        guard pasteBytes.suffix(Self.pasteEnd.count) == Self.pasteEnd[...] else { return nil }
        state = .plain
        defer { pasteBytes = [] }
        let text = String(decoding: pasteBytes.dropLast(Self.pasteEnd.count), as: UTF8.self)
        return .text(text.replacing("\r\n", with: "\n").replacing("\r", with: "\n"))
    }
}
