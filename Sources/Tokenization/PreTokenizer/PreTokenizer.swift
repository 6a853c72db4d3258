/// Cuts text into the pieces that byte-pair merges may not cross.
///
/// There is no general engine for regular expressions here: the patterns in use are known by their spelling and
/// scanned by hand.
struct PreTokenizer: Sendable {
    private enum Step: Sendable, Equatable {
        /// Digits apart from the rest, in runs of at most so many.
        case digits(DigitClass, longest: Int)
        case gpt2
        /// A space before each piece that does not begin with one.
        case prefixSpace
    }

    private var steps: [Step] = []
    /// Whether the vocabulary is spelled in the byte alphabet.
    private(set) var isByteLevel = false

    init(_ node: JSONNode?) throws(TokenizerError) {
        for part in try node?.parts("pretokenizers") ?? [] {
            switch try part.type() {
            case "ByteLevel":
                if try part.bool("add_prefix_space", default: true) { steps.append(.prefixSpace) }
                if try part.bool("use_regex", default: true) { steps.append(.gpt2) }
                isByteLevel = true
            case "Digits":
                let isIndividual = try part.bool("individual_digits", default: false)
                steps.append(.digits(.number, longest: isIndividual ? 1 : .max))
            case "Split": steps.append(try Self.split(part))
            case let type: throw part.fault("is of type '\(type)', which is not supported yet")
            }
        }
    }

    private static func split(_ part: JSONNode) throws(TokenizerError) -> Step {
        let pattern = try part.required("pattern")
        guard let regex = try pattern.member("Regex")?.string() else {
            throw pattern.fault(
                "is the literal '\(try pattern.required("String").string())', which is not supported yet"
            )
        }
        guard let step = step(regex) else {
            throw pattern.fault("is the regular expression '\(regex)', which is not supported yet")
        }
        let behavior = try part.required("behavior").string()
        let isInverted = try part.bool("invert", default: false)
        switch (step, behavior, isInverted) {
        case (_, "Isolated", false): return step
        case (.digits(let digits, _), "Contiguous", false): return .digits(digits, longest: .max)
        default:
            throw part.fault(
                "splits '\(regex)' with behavior '\(behavior)'\(isInverted ? ", inverted" : ""), which is not supported yet"
            )
        }
    }

    private static func step(_ regex: String) -> Step? {
        if regex == GPT2Scanner.pattern { return .gpt2 }
        let classes: [(String, DigitClass)] = [
            ("[0-9]", .ascii), ("\\d", .decimal), ("\\p{Nd}", .decimal), ("\\p{N}", .number),
        ]
        for (spelling, digits) in classes where regex.hasPrefix(spelling) {
            switch regex.dropFirst(spelling.count) {
            case "": return .digits(digits, longest: 1)
            case "+": return .digits(digits, longest: .max)
            case "{1,3}": return .digits(digits, longest: 3)
            default: break
            }
        }
        return nil
    }

    /// The pieces of a text, as ranges in what the text became.
    func pieces(of text: [UInt8]) -> (text: [UInt8], ranges: [Range<Int>]) {
        var text = text
        var ranges = text.isEmpty ? [] : [0..<text.count]
        for step in steps {
            switch step {
            case .digits(let digits, let longest):
                ranges = ranges.flatMap { Self.digits(digits, longest, apartIn: text, $0) }
            case .gpt2: ranges = ranges.flatMap { GPT2Scanner.pieces(of: text, in: $0) }
            case .prefixSpace: (text, ranges) = Self.prefixed(text, ranges)
            }
        }
        return (text, ranges)
    }

    private static func digits(
        _ digits: DigitClass,
        _ longest: Int,
        apartIn text: [UInt8],
        _ range: Range<Int>
    ) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var start = range.lowerBound
        var index = start
        // How many digits the run up to `index` has; 0 outside one.
        var run = 0
        while index < range.upperBound {
            let (scalar, end) = text.scalar(at: index)
            let isDigit = digits.contains(scalar)
            if start < index, isDigit != (run > 0) || run == longest {
                result.append(start..<index)
                start = index
                run = 0
            }
            run = isDigit ? run + 1 : 0
            index = end
        }
        if start < range.upperBound { result.append(start..<range.upperBound) }
        return result
    }

    private static func prefixed(_ text: [UInt8], _ ranges: [Range<Int>]) -> ([UInt8], [Range<Int>]) {
        var result: [UInt8] = []
        result.reserveCapacity(text.count + ranges.count)
        let prefixed = ranges.map { range in
            let start = result.count
            if text[range.lowerBound] != UInt8(ascii: " ") { result.append(UInt8(ascii: " ")) }
            result += text[range]
            return start..<result.count
        }
        return (result, prefixed)
    }
}
