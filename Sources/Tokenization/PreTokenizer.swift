/// Cuts text into the pieces that byte-pair merges may not cross.
///
/// The two patterns in use here are scanned by hand, in linear time:
/// digits apart (`\d`, isolated), and GPT-2's
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
struct PreTokenizer: Sendable {
    enum Step: Sendable, Equatable {
        case digits
        case gpt2
    }

    var steps: [Step] = []
    /// Whether a space goes before a text that does not begin with one.
    var addsPrefixSpace = false

    typealias Scalars = ArraySlice<Unicode.Scalar>

    func pieces(of scalars: Scalars) -> [Scalars] {
        steps.reduce([scalars]) { pieces, step in
            pieces.flatMap { piece in
                switch step {
                case .digits: Self.digitsApart(piece)
                case .gpt2: Self.gpt2(piece)
                }
            }
        }
    }

    private static func digitsApart(_ text: Scalars) -> [Scalars] {
        var result: [Scalars] = []
        var start = text.startIndex
        for index in text.indices where CharacterClass(text[index]) == .number && text[index].isDecimalDigit {
            if start < index { result.append(text[start..<index]) }
            result.append(text[index...index])
            start = index + 1
        }
        if start < text.endIndex { result.append(text[start...]) }
        return result
    }

    private static func gpt2(_ text: Scalars) -> [Scalars] {
        var result: [Scalars] = []
        var start = text.startIndex
        while start < text.endIndex {
            let end = gpt2End(text, from: start)
            result.append(text[start..<end])
            start = end
        }
        return result
    }

    /// The end of GPT-2's match at `start`.
    private static func gpt2End(_ text: Scalars, from start: Int) -> Int {
        let end = text.endIndex
        if text[start] == "'", let length = contraction(text[(start + 1)...]) { return start + 1 + length }
        let word = text[start] == " " && start + 1 < end ? start + 1 : start
        let kind = CharacterClass(text[word])
        if kind != .space {
            var index = word + 1
            while index < end, CharacterClass(text[index]) == kind { index += 1 }
            return index
        }
        var index = start + 1
        while index < end, CharacterClass(text[index]) == .space { index += 1 }
        // White space before a word leaves its last character to the word, unless it is the only one.
        return index < end && index - start > 1 ? index - 1 : index
    }

    private static func contraction(_ rest: Scalars) -> Int? {
        guard let first = rest.first else { return nil }
        if ["s", "t", "m", "d"].contains(first) { return 1 }
        guard let second = rest.dropFirst().first else { return nil }
        let pair: [Unicode.Scalar] = [first, second]
        return [["r", "e"], ["v", "e"], ["l", "l"]].contains(pair) ? 2 : nil
    }
}

/// The classes of characters that the patterns tell apart.
enum CharacterClass: Equatable {
    case letter, number, space, other

    init(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x30...0x39: self = .number
        case 0x41...0x5A, 0x61...0x7A: self = .letter
        case 0x20, 0x09...0x0D: self = .space
        case 0..<0x80: self = .other
        default: self = Self.ofUnicode(scalar)
        }
    }

    private static func ofUnicode(_ scalar: Unicode.Scalar) -> CharacterClass {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: .letter
        case .decimalNumber, .letterNumber, .otherNumber: .number
        default: scalar.properties.isWhitespace ? .space : .other
        }
    }
}

extension Unicode.Scalar {
    /// `\d`: a digit of any script.
    var isDecimalDigit: Bool {
        value < 0x80 ? (0x30...0x39).contains(value) : properties.generalCategory == .decimalNumber
    }
}
