/// What was written of an answer and is not yet understood.
struct AnswerBuffer: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var start = 0
    /// Where the texts of special tokens begin, in ascending order.
    private var specials: [Int] = []
    /// Whether nothing more comes.
    var isFinal = false

    var end: Int { bytes.count }
    var isEmpty: Bool { start == bytes.count }

    subscript(_ index: Int) -> UInt8 { bytes[index] }

    /// - Parameter special: how many bytes at the end are the text of a special token.
    mutating func append(_ text: String, special: Int = 0) {
        // What was read is dropped here, so that indices hold while a piece is read.
        if start > 0 {
            bytes.removeFirst(start)
            specials = specials.filter { $0 >= start }.map { $0 - start }
            start = 0
        }
        bytes += text.utf8
        if special > 0 { specials.append(bytes.count - special) }
    }

    /// Whether a special token's text begins at an index.
    func isSpecial(at index: Int) -> Bool { specials.contains(index) }

    mutating func consume(to index: Int) { start = max(start, min(index, bytes.count)) }

    /// The first place at `index` or later that is not white space.
    /// - Parameter most: how much white space is passed over.
    func endOfSpace(from index: Int, atMost most: Int = .max) -> Int {
        let end = bytes.count - index > most ? index + most : bytes.count
        var index = index
        while index < end, bytes[index].isSpace { index += 1 }
        return index
    }

    /// Goes past white space.
    mutating func skipSpace() { start = endOfSpace(from: start) }
}

extension UInt8 {
    /// Whether it is white space between tokens of JSON and of markers.
    var isSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }

    /// Whether it is a letter, a digit or an underscore; all that is not ASCII counts as letters.
    var isWord: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
}

/// Whether a marker is at a place.
enum MarkerMatch: Equatable {
    case no
    /// It may be: the text ends within it.
    case partial
    case whole(end: Int)
}

/// A text that means something in an answer. The white space in it is left to the model: it may have any, or none, where
/// the marker has some, and also between two signs.
struct Marker: Sendable {
    /// White space that is passed over within a marker, at each place.
    private static let mostSpace = 32

    /// The text without white space.
    let core: [UInt8]
    /// For each byte of the core, whether white space may stand before it.
    private let allowsSpace: [Bool]
    /// The white space at the marker's beginning and end.
    let spaceBefore: [UInt8]
    let spaceAfter: [UInt8]
    /// Whether it begins with a special token: where that is only spelled, it is no marker.
    private let isSpecial: Bool

    /// - Parameter specialTexts: those of the special tokens that are part of markers.
    init(_ text: String, specialTexts: [[UInt8]] = []) {
        let bytes = Array(text.utf8)
        let beginning = bytes.drop(while: \.isSpace)
        isSpecial = specialTexts.contains { beginning.starts(with: $0) }
        var core: [UInt8] = []
        var allowsSpace: [Bool] = []
        var followsSpace = false
        for byte in bytes {
            if byte.isSpace {
                followsSpace = true
                continue
            }
            let isBetweenSigns = core.last.map { !$0.isWord && !byte.isWord } ?? false
            allowsSpace.append(!core.isEmpty && (followsSpace || isBetweenSigns))
            core.append(byte)
            followsSpace = false
        }
        self.core = core
        self.allowsSpace = allowsSpace
        spaceBefore = Array(bytes.prefix(while: \.isSpace))
        spaceAfter = core.isEmpty ? [] : Array(bytes.reversed().prefix(while: \.isSpace).reversed())
    }

    var isEmpty: Bool { core.isEmpty }

    /// Whether the core stands at an index.
    func match(_ buffer: AnswerBuffer, at index: Int) -> MarkerMatch {
        if isSpecial, !buffer.isSpecial(at: index) { return .no }
        var index = index
        for (place, byte) in core.enumerated() {
            if allowsSpace[place] {
                let limit = index + Self.mostSpace
                while index < buffer.end, index < limit, buffer[index].isSpace { index += 1 }
            }
            guard index < buffer.end else { return buffer.isFinal ? .no : .partial }
            guard buffer[index] == byte else { return .no }
            index += 1
        }
        return .whole(end: index)
    }
}
