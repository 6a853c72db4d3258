import JSON

/// Cuts text into the pieces that merges may not cross.
struct PreTokenizer: Sendable {
    private enum Step: Sendable {
        case split(Splitter, SplitBehavior, isInverted: Bool)
        /// A space before each piece that does not begin with one.
        case prefixSpace
        case metaspace(Metaspace)
        /// Bytes spelled as characters, where steps after it look at them.
        case byteAlphabet

        var lengthens: Bool {
            switch self {
            case .split: false
            case .prefixSpace, .metaspace, .byteAlphabet: true
            }
        }
    }

    /// The most steps that make a text longer; more than any file needs.
    private static let mostLengthening = 3

    private var steps: [Step] = []
    /// Whether the pieces are written in the byte alphabet at the end, which the model does itself if it can.
    private(set) var endsInByteAlphabet = false

    /// Cuts nothing.
    init() {}

    init(_ node: JSONNode) throws(JSONError) {
        let parts = try node.parts("pretokenizers")
        for (index, part) in parts.enumerated() {
            switch try part["type"].string() {
            case "ByteLevel":
                if try part["add_prefix_space"].nullable?.bool() ?? true { steps.append(.prefixSpace) }
                if try part["use_regex"].nullable?.bool() ?? true {
                    steps.append(.split(.gpt2, .isolated, isInverted: false))
                }
                if index == parts.count - 1 { endsInByteAlphabet = true } else { steps.append(.byteAlphabet) }
            case "Digits":
                let isIndividual = try part["individual_digits"].nullable?.bool() ?? false
                steps.append(
                    .split(.characters(Self.digits), isIndividual ? .isolated : .contiguous, isInverted: false)
                )
            case "Punctuation":
                let behavior = try part["behavior"].nullable?.oneOf(SplitBehavior.self) ?? .isolated
                steps.append(.split(.characters(Self.punctuation), behavior, isInverted: false))
            case "Whitespace": steps.append(.split(.words, .removed, isInverted: true))
            case "WhitespaceSplit": steps.append(.split(.characters(Self.spaces), .removed, isInverted: false))
            case "Metaspace": steps.append(.metaspace(try Metaspace(part)))
            case "Split":
                let behavior = try part["behavior"].oneOf(SplitBehavior.self)
                let isInverted = try part["invert"].nullable?.bool() ?? false
                steps.append(.split(try part["pattern"].splitter(), behavior, isInverted: isInverted))
            case let type: throw part.error("is of type '\(type)', which is not supported")
            }
        }
        // Each makes a text up to twice as long, so many would make it enormous.
        guard steps.count(where: \.lengthens) <= Self.mostLengthening else {
            throw node.error("makes texts longer in more than \(Self.mostLengthening) steps")
        }
    }

    /// The pre-tokenizer that cuts at the matches of each pattern in turn, for a vocabulary in the byte alphabet.
    init(byteLevelPatterns patterns: [String]) throws(PatternError) {
        for pattern in patterns { steps.append(.split(try Splitter(regex: pattern), .isolated, isInverted: false)) }
        endsInByteAlphabet = true
    }

    /// Spells bytes in the byte alphabet itself, for a model that cannot.
    mutating func spellByteAlphabet() {
        if endsInByteAlphabet { steps.append(.byteAlphabet) }
        endsInByteAlphabet = false
    }

    private static let digits = ScalarSet(ScalarRanges(table: ScalarSetTables.numeric))
    private static let punctuation = ScalarSet(ScalarRanges(table: ScalarSetTables.punctuation))
    private static let spaces = ScalarSet(CategorySet.spaces.scalars)

    /// Cuts a text.
    func pieces(of text: NormalizedText) -> (text: [UInt8], ranges: [Range<Int>]) {
        var text = text
        var ranges = text.bytes.isEmpty ? [] : [text.bytes.indices]
        for step in steps {
            switch step {
            case .split(let splitter, let behavior, let isInverted):
                ranges = splitter.pieces(of: text.bytes, ranges, behavior, isInverted: isInverted)
            case .prefixSpace:
                let space = UInt8(ascii: " ")
                text.rewrite(&ranges) { piece, _ in
                    piece.first == space ? [] : [space]
                } append: {
                    $1 += $0
                }
            case .metaspace(let metaspace): metaspace.cut(&text, &ranges)
            case .byteAlphabet:
                text.rewrite(&ranges) { _, _ in
                    []
                } append: {
                    ByteAlphabet.appendSpelling(of: $0, to: &$1)
                }
            }
        }
        return (text.bytes, ranges)
    }
}

extension JSONNode {
    /// The `pattern` of a `Split`.
    fileprivate func splitter() throws(JSONError) -> Splitter {
        guard let regex = try self["Regex"].nullable else { return .pattern(try pattern()) }
        let source = try regex.string()
        do throws(PatternError) { return try Splitter(regex: source) } catch { throw self.error(error, in: source) }
    }

    /// A pattern: `Regex` or `String`.
    func pattern() throws(JSONError) -> Pattern {
        guard let regex = try self["Regex"].nullable else {
            let literal = try self["String"].bytes()
            do throws(PatternError) { return try Pattern(literal: literal) } catch { throw self.error(error, in: "") }
        }
        let source = try regex.string()
        do throws(PatternError) { return try Pattern(source) } catch { throw self.error(error, in: source) }
    }

    private func error(_ fault: PatternError, in source: String) -> JSONError {
        error("is the regular expression '\(source.prefix(200))', which has \(fault.description)")
    }
}
