/// A text, seen as the scanners do: by the classes of its characters.
struct ClassifiedText {
    let bytes: [UInt8]
    let end: Int
    private let classes = CharacterClass.table

    /// - Parameter end: where the text is taken to end.
    init(_ bytes: [UInt8], end: Int) {
        self.bytes = bytes
        self.end = end
    }

    /// The class of the character at `index`, and the index after it.
    @inline(__always)
    func classified(_ index: Int) -> (kind: UInt8, end: Int) {
        let lead = bytes[index]
        if lead < 0x80 { return (classes[Int(lead)], index + 1) }
        let (scalar, end) = bytes.scalar(at: index)
        return (classes[Int(scalar)], min(end, self.end))
    }

    /// The end of the characters of one class at `index`.
    @inline(__always)
    func run(of kind: UInt8, from index: Int) -> Int {
        var index = index
        while index < end {
            let next = classified(index)
            guard next.kind == kind else { break }
            index = next.end
        }
        return index
    }

    /// Matches `\s+(?!\S)|\s+` at white space: all of it, but for its last character if something follows and there is
    /// more than one.
    /// - Returns: that end, and the end of the last line break before the end of the white space, if there is one.
    func spaces(from start: Int) -> (end: Int, lineBreaks: Int?) {
        var index = start
        var last = start
        var lineBreaks: Int?
        while index < end {
            let next = classified(index)
            if next.kind == CharacterClass.lineBreak {
                lineBreaks = next.end
            } else if next.kind != CharacterClass.space {
                return (last > start ? last : index, lineBreaks)
            }
            last = index
            index = next.end
        }
        return (index, lineBreaks)
    }

    /// Matches `'s|'t|'re|'ve|'m|'ll|'d` at an apostrophe.
    func contraction(at start: Int, ignoringCase: Bool) -> Int? {
        let first = start + 1
        guard first < end else { return nil }
        let fold: UInt8 = ignoringCase ? 0x20 : 0
        let second = first + 1 < end ? bytes[first + 1] | fold : 0
        switch bytes[first] | fold {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return first + 1
        case UInt8(ascii: "r"), UInt8(ascii: "v"): return second == UInt8(ascii: "e") ? first + 2 : nil
        case UInt8(ascii: "l"): return second == UInt8(ascii: "l") ? first + 2 : nil
        default: break
        }
        // The long s, U+017F, is an s when case does not matter.
        return ignoringCase && first + 1 < end && bytes[first] == 0xC5 && bytes[first + 1] == 0xBF ? first + 2 : nil
    }
}
