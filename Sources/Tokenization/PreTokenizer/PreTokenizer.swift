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

    /// More than any file needs.
    private static let mostLengthening = 3

    private var steps: [Step] = []
    /// Whether the pieces' bytes are to be spelled in the byte alphabet, which nothing but the vocabulary sees.
    private(set) var endsInByteAlphabet = false

    init(_ node: JSONNode?) throws(TokenizerError) {
        let parts = try node?.parts("pretokenizers") ?? []
        for (index, part) in parts.enumerated() {
            switch try part.type() {
            case "ByteLevel":
                if try part.bool("add_prefix_space", default: true) { steps.append(.prefixSpace) }
                if try part.bool("use_regex", default: true) {
                    steps.append(.split(.gpt2, .isolated, isInverted: false))
                }
                if index == parts.count - 1 { endsInByteAlphabet = true } else { steps.append(.byteAlphabet) }
            case "Digits":
                let isIndividual = try part.bool("individual_digits", default: false)
                steps.append(
                    .split(.characters(Self.digits), isIndividual ? .isolated : .contiguous, isInverted: false)
                )
            case "Punctuation":
                let behavior = try part.member("behavior")?.splitBehavior() ?? .isolated
                steps.append(.split(.characters(Self.punctuation), behavior, isInverted: false))
            case "Whitespace": steps.append(.split(.words, .removed, isInverted: true))
            case "WhitespaceSplit": steps.append(.split(.characters(Self.spaces), .removed, isInverted: false))
            case "Metaspace": steps.append(.metaspace(try Metaspace(part)))
            case "Split":
                let behavior = try part.required("behavior").splitBehavior()
                let isInverted = try part.bool("invert", default: false)
                steps.append(.split(try part.required("pattern").splitter(), behavior, isInverted: isInverted))
            case let type: throw part.fault("is of type '\(type)', which is not supported")
            }
        }
        // Each makes a text longer, up to twice as long: many would not end.
        guard steps.count(where: \.lengthens) <= Self.mostLengthening else {
            throw TokenizerError(
                "tokenizer.json: pre_tokenizer makes texts longer in more than \(Self.mostLengthening) steps"
            )
        }
    }

    /// The pre-tokenizer that cuts at the matches of each pattern in turn, for a vocabulary in the byte alphabet.
    init(byteLevelPatterns patterns: [String]) throws(PatternFault) {
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
    func pieces(of text: SourceText) -> (text: [UInt8], ranges: [Range<Int>]) {
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
    fileprivate func splitBehavior() throws(TokenizerError) -> SplitBehavior {
        let name = try string()
        guard let behavior = SplitBehavior(rawValue: name) else { throw fault("is '\(name)', not a way to split") }
        return behavior
    }

    /// The `pattern` of a `Split`.
    fileprivate func splitter() throws(TokenizerError) -> Splitter {
        guard let regex = try member("Regex") else { return .pattern(try pattern()) }
        let source = try regex.string()
        do throws(PatternFault) { return try Splitter(regex: source) } catch { throw fault(error, in: source) }
    }

    /// A pattern: `Regex` or `String`.
    func pattern() throws(TokenizerError) -> Pattern {
        guard let regex = try member("Regex") else {
            let literal = try required("String").bytes()
            do throws(PatternFault) { return try Pattern(literal: literal) } catch { throw fault(error, in: "") }
        }
        let source = try regex.string()
        do throws(PatternFault) { return try Pattern(source) } catch { throw fault(error, in: source) }
    }

    private func fault(_ fault: PatternFault, in source: String) -> TokenizerError {
        self.fault("is the regular expression '\(source.prefix(200))', which has \(fault.description)")
    }
}
