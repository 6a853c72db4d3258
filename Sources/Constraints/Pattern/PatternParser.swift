/// Reads regular expressions of ECMA-262, with the `u` flag or without.
///
/// Where ECMA-262 and Python differ about a class, such as `\w`, only characters on which they agree belong to it or to
/// its complement: a string that matches here is one that either accepts.
struct PatternParser {
    private static let mostDepth = 50
    private static let mostScalars = 5000
    private static let mostCount: Int32 = 1_000_000

    private let text: [Unicode.Scalar]
    private var index = 0
    private var depth = 0

    static func parse(_ pattern: String) throws(PatternError) -> PatternNode {
        var parser = PatternParser(pattern)
        guard parser.text.count <= mostScalars else { throw PatternError("is too long a pattern") }
        let node = try parser.alternatives()
        guard parser.index == parser.text.count else { throw PatternError("is a pattern with an unmatched )") }
        return node
    }

    private init(_ pattern: String) { text = Array(pattern.unicodeScalars) }

    private var current: Unicode.Scalar? { index < text.count ? text[index] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard current == scalar else { return false }
        index += 1
        return true
    }

    private mutating func take(_ word: String) -> Bool {
        let scalars = Array(word.unicodeScalars)
        guard text.dropFirst(index).starts(with: scalars) else { return false }
        index += scalars.count
        return true
    }

    // MARK: Operators

    private mutating func alternatives() throws(PatternError) -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.mostDepth else { throw PatternError("is a pattern nested too deeply") }
        var parts = [try sequence()]
        while take("|") { parts.append(try sequence()) }
        return parts.count == 1 ? parts[0] : .alternatives(parts)
    }

    private mutating func sequence() throws(PatternError) -> PatternNode {
        var parts: [PatternNode] = []
        while let scalar = current, scalar != "|", scalar != ")" {
            let atom = try atom()
            parts.append(try quantified(atom))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func quantified(_ atom: PatternNode) throws(PatternError) -> PatternNode {
        guard let (least, most) = try quantifier() else { return atom }
        // Lazy ones match the same texts.
        _ = take("?")
        if try quantifier() != nil { throw PatternError("is a pattern with a quantifier after another") }
        return .repetition(atom, least: least, most: most)
    }

    private mutating func quantifier() throws(PatternError) -> (Int32, Int32?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        guard current == "{" else { return nil }
        let start = index
        index += 1
        guard let least = try number() else {
            index = start
            return nil
        }
        var most: Int32? = least
        if take(",") { most = try number() }
        guard take("}") else {
            index = start
            return nil
        }
        guard most.map({ $0 >= least }) ?? true else { throw PatternError("is a pattern with a reversed quantifier") }
        return (least, most)
    }

    private mutating func number() throws(PatternError) -> Int32? {
        var value: Int32?
        while let digit = current?.value, digit >= 0x30, digit <= 0x39 {
            let next = (value ?? 0) * 10 + Int32(digit - 0x30)
            guard next <= Self.mostCount else { throw PatternError("is a pattern with too large a count") }
            value = next
            index += 1
        }
        return value
    }

    // MARK: Atoms

    private mutating func atom() throws(PatternError) -> PatternNode {
        guard let scalar = current else { throw PatternError("is a pattern that ends too early") }
        // A brace that opens no quantifier stands for itself.
        if scalar == "{", try quantifier() != nil { throw PatternError("is a pattern with nothing to repeat") }
        index += 1
        switch scalar {
        case "^": return .start
        case "$": return .end
        case ".": return .set(PatternClass.notLineEnd)
        case "(": return try group()
        case "[": return .set(try characterClass())
        case "\\": return .set(try escape(isInClass: false))
        case "*", "+", "?": throw PatternError("is a pattern with nothing to repeat")
        default: return .set(ScalarSet(scalar.value))
        }
    }

    private mutating func group() throws(PatternError) -> PatternNode {
        var lookahead: Bool?
        if take("?:") {
        } else if take("?=") {
            lookahead = false
        } else if take("?!") {
            lookahead = true
        } else if current == "?" {
            guard take("?<") || take("?P<"), current != "=", current != "!" else {
                throw PatternError("is a pattern with a group of a kind that cannot be enforced")
            }
            while let scalar = current, scalar != ">" {
                guard scalar != ")" else { throw PatternError("is a pattern with a malformed group name") }
                index += 1
            }
            guard take(">") else { throw PatternError("is a pattern with a malformed group name") }
        }
        let node = try alternatives()
        guard take(")") else { throw PatternError("is a pattern with an unmatched (") }
        return lookahead.map { .lookahead(node, isNegative: $0) } ?? node
    }

    private mutating func characterClass() throws(PatternError) -> ScalarSet {
        let isNegative = take("^")
        var set = ScalarSet.none
        while !take("]") {
            let (low, lowScalar) = try classAtom()
            if current == "-", index + 1 < text.count, text[index + 1] != "]" {
                index += 1
                let (high, highScalar) = try classAtom()
                if let first = lowScalar, let last = highScalar {
                    guard first <= last else { throw PatternError("is a pattern with a reversed range") }
                    set = set.union(ScalarSet([first...last]))
                } else {
                    set = set.union(low).union(high).union(ScalarSet(0x2D))
                }
            } else {
                set = set.union(low)
            }
        }
        // Negated classes of words and digits: leave out what only one of the two dialects counts among them.
        return isNegative ? PatternClass.complement(of: set) : set
    }

    /// A set, and its scalar if it is a single one.
    private mutating func classAtom() throws(PatternError) -> (ScalarSet, UInt32?) {
        guard let scalar = current else { throw PatternError("is a pattern with an unmatched [") }
        index += 1
        if scalar == "\\" {
            let set = try escape(isInClass: true)
            let range = set.ranges.count == 1 ? set.ranges[0] : 0...1
            return (set, range.count == 1 ? range.lowerBound : nil)
        }
        return (ScalarSet(scalar.value), scalar.value)
    }

    private mutating func escape(isInClass: Bool) throws(PatternError) -> ScalarSet {
        guard let scalar = current else { throw PatternError("is a pattern that ends in a backslash") }
        index += 1
        switch scalar {
        case "d": return PatternClass.digit
        case "D": return PatternClass.complement(of: PatternClass.digit)
        case "w": return PatternClass.word
        case "W": return PatternClass.complement(of: PatternClass.word)
        case "s": return PatternClass.space
        case "S": return PatternClass.notSpace
        case "t": return ScalarSet(0x09)
        case "n": return ScalarSet(0x0A)
        case "v": return ScalarSet(0x0B)
        case "f": return ScalarSet(0x0C)
        case "r": return ScalarSet(0x0D)
        case "b" where isInClass: return ScalarSet(0x08)
        case "0" where !(current?.properties.numericType == .decimal): return ScalarSet(0)
        case "x": return ScalarSet(try hexadecimal(2))
        case "u": return ScalarSet(try unicodeEscape())
        case "c":
            guard let letter = current, letter.isASCII, letter.properties.isAlphabetic else { break }
            index += 1
            return ScalarSet(letter.value % 32)
        case _ where scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil): break
        default: return ScalarSet(scalar.value)
        }
        throw PatternError("is a pattern with \\\(scalar), which cannot be enforced")
    }

    private mutating func unicodeEscape() throws(PatternError) -> UInt32 {
        if take("{") {
            var value: UInt32 = 0
            while let digit = current, digit != "}", let number = UInt32(String(digit), radix: 16), value < 0x110000 {
                value = value * 16 + number
                index += 1
            }
            guard take("}"), Unicode.Scalar(value) != nil else {
                throw PatternError("is a pattern with a malformed \\u")
            }
            return value
        }
        let value = try hexadecimal(4)
        guard (0xD800...0xDFFF).contains(value) else { return value }
        guard value < 0xDC00, take("\\u") else { throw PatternError("is a pattern with half a surrogate pair") }
        let trail = try hexadecimal(4)
        guard (0xDC00...0xDFFF).contains(trail) else { throw PatternError("is a pattern with half a surrogate pair") }
        return 0x10000 + (value - 0xD800) << 10 + (trail - 0xDC00)
    }

    private mutating func hexadecimal(_ count: Int) throws(PatternError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = current, digit.isASCII, let number = UInt32(String(digit), radix: 16) else {
                throw PatternError("is a pattern with a malformed escape")
            }
            value = value * 16 + number
            index += 1
        }
        return value
    }
}
