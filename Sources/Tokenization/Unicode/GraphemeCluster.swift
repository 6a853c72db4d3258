/// Where extended grapheme clusters end (UAX #29), as far as short clusters need it: flags are each taken for one.
enum GraphemeCluster {
    private static func set(_ table: String) -> ScalarSet { ScalarSet(ScalarRanges(table: table)) }

    private static let extending = set(ScalarSetTables.extending)
    private static let prepended = set(ScalarSetTables.prepended)
    private static let ending = set(ScalarSetTables.ending)
    private static let linkers = set(ScalarSetTables.linkers)
    private static let consonants = set(ScalarSetTables.consonants)
    private static let pictographs = set(ScalarSetTables.pictographs)
    private static let joiner: UInt32 = 0x200D

    static func end(in text: [UInt8], at start: Int) -> Int {
        var (last, index) = text.scalar(at: start)
        // Of ASCII only a line break's two characters go together.
        if last < 0x80, last != 0x0D, index == text.count || text[index] < 0x80 { return index }
        // A cluster may go on over a linker with a consonant, over a joiner with a pictograph, if one is in it.
        var hasConsonant = consonants.contains(last)
        var hasLinker = false
        var hasPictograph = pictographs.contains(last)
        while index < text.count {
            let (scalar, end) = text.scalar(at: index)
            guard goesOn(after: last, with: scalar, hasConsonant && hasLinker, hasPictograph) else { return index }
            if extending.contains(scalar) {
                hasLinker = hasLinker || linkers.contains(scalar)
            } else {
                hasConsonant = consonants.contains(scalar)
                hasLinker = false
                hasPictograph = pictographs.contains(scalar)
            }
            last = scalar
            index = end
        }
        return index
    }

    private static func goesOn(after last: UInt32, with next: UInt32, _ isLinked: Bool, _ hasPictograph: Bool) -> Bool {
        if last == 0x0D, next == 0x0A { return true }
        if ending.contains(last) || ending.contains(next) { return false }
        if extending.contains(next) || prepended.contains(last) { return true }
        if isLinked, consonants.contains(next) { return true }
        if last == joiner, hasPictograph, pictographs.contains(next) { return true }
        return joinsHangul(last, next)
    }

    private static func joinsHangul(_ last: UInt32, _ next: UInt32) -> Bool {
        switch (hangulKind(last), hangulKind(next)) {
        case (.lead, .lead), (.lead, .vowel), (.lead, .syllable), (.lead, .fullSyllable), (.syllable, .vowel),
            (.syllable, .tail), (.vowel, .vowel), (.vowel, .tail), (.fullSyllable, .tail), (.tail, .tail):
            true
        default: false
        }
    }

    private enum HangulKind { case none, lead, vowel, tail, syllable, fullSyllable }

    private static func hangulKind(_ scalar: UInt32) -> HangulKind {
        switch scalar {
        case 0x1100...0x115F, 0xA960...0xA97C: .lead
        case 0x1160...0x11A7, 0xD7B0...0xD7C6: .vowel
        case 0x11A8...0x11FF, 0xD7CB...0xD7FB: .tail
        case Hangul.syllables: (scalar - Hangul.syllables.lowerBound) % 28 == 0 ? .syllable : .fullSyllable
        default: .none
        }
    }
}
