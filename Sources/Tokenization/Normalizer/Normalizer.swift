import JSON

/// What is done to a text before it is cut.
struct Normalizer: Sendable {
    private enum Step: Sendable {
        case form(NormalForm)
        case lowercase
        case prepend([UInt8])
        case replace(Replacement)
        case strip(left: Bool, right: Bool)
        case stripAccents
        case precompiled(PrecompiledMap)
        /// Bytes spelled as characters.
        case byteAlphabet
    }

    private var steps: [Step] = []

    /// Changes nothing.
    init() {}

    init(_ node: JSONNode) throws(JSONError) {
        for part in try node.parts("normalizers") { steps.append(try Self.step(part)) }
        do throws(TokenizerError) { try tryOut() } catch { throw node.error("makes a text far too long") }
    }

    /// Normalizes samples (what its steps look for, and ASCII), so that a file that makes texts grow without bound is
    /// refused when it is loaded.
    private func tryOut() throws(TokenizerError) {
        let written = (0x20..<0x7F as Range<UInt8>).flatMap { [$0, $0] }
        let literals = steps.flatMap { step -> [UInt8] in
            if case .replace(let replacement) = step { replacement.sample } else { [] }
        }
        for sample in [written, literals.suffix(GrowthLimit.longestSample)] {
            _ = try apply(NormalizedText(Array(sample), isFirst: true))
        }
    }

    /// SentencePiece's: a space before the text if wanted, and all spaces marked.
    init(markingSpacesWith mark: [UInt8], addsPrefix: Bool) {
        if addsPrefix { steps.append(.prepend(mark)) }
        steps.append(.replace(Replacement(space: mark)))
    }

    private static func step(_ part: JSONNode) throws(JSONError) -> Step {
        switch try part["type"].string() {
        case "NFC": return .form(.nfc)
        case "NFD": return .form(.nfd)
        case "NFKC": return .form(.nfkc)
        case "NFKD": return .form(.nfkd)
        case "Lowercase": return .lowercase
        case "Prepend": return .prepend(try part["prepend"].bytes())
        case "Replace": return .replace(try Replacement(part))
        case "Strip":
            let left = try part["strip_left"].nullable?.bool() ?? true
            return .strip(left: left, right: try part["strip_right"].nullable?.bool() ?? true)
        case "StripAccents": return .stripAccents
        case "Precompiled": return .precompiled(try PrecompiledMap(part["precompiled_charsmap"]))
        case "ByteLevel": return .byteAlphabet
        case let type: throw part.error("is of type '\(type)', which is not supported")
        }
    }

    /// - Throws: if the text becomes far longer than it is.
    func apply(_ text: NormalizedText) throws(TokenizerError) -> NormalizedText {
        var text = text
        let limit = GrowthLimit(ofTextWith: text.bytes.count)
        for step in steps {
            guard !text.bytes.isEmpty else { break }
            try Self.apply(step, to: &text, limit)
            try limit.check(text.bytes.count)
        }
        return text
    }

    private static func apply(
        _ step: Step,
        to text: inout NormalizedText,
        _ limit: GrowthLimit
    ) throws(TokenizerError) {
        switch step {
        case .form(let form): text.replaceKeepingFirst { form.apply($0) }
        case .lowercase: text.replaceKeepingFirst { LowercaseMap.shared.apply($0) }
        case .prepend(let prefix):
            text.bytes = prefix + text.bytes
            if text.origin > 0 { text.origin += prefix.count }
        case .replace(let replacement): try replacement.apply(to: &text, limit)
        case .strip(let left, let right): text.strip(left: left, right: right)
        case .stripAccents: text.filter { !accents.contains($0) }
        case .precompiled(let map):
            try text.replaceKeepingFirst { (bytes) throws(TokenizerError) in try map.apply(bytes, limit) }
        case .byteAlphabet:
            var ranges = [text.bytes.indices]
            text.rewrite(&ranges) { _, _ in
                []
            } append: {
                ByteAlphabet.appendSpelling(of: $0, to: &$1)
            }
        }
    }

    private static let accents = ScalarSet(ScalarRanges(table: ScalarSetTables.accents))
}

extension NormalizedText {
    /// Replaces the text by one whose first character comes from the first character of this.
    fileprivate mutating func replaceKeepingFirst<Failure: Error>(
        _ body: ([UInt8]) throws(Failure) -> [UInt8]
    ) throws(Failure) {
        bytes = try body(bytes)
        if origin > 0 { origin = bytes.isEmpty ? 0 : bytes.scalar(at: 0).end }
    }

    fileprivate mutating func strip(left: Bool, right: Bool) {
        var (start, end) = (0, bytes.count)
        while left, start < end, case let (scalar, next) = bytes.scalar(at: start), CharacterClass.isSpace(scalar) {
            start = next
        }
        while right, start < end, let (scalar, previous) = bytes.scalar(before: end), CharacterClass.isSpace(scalar) {
            end = previous
        }
        bytes = Array(bytes[start..<end])
        origin = max(0, min(origin - start, bytes.count))
    }

    fileprivate mutating func filter(_ isKept: (UInt32) -> Bool) {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var newOrigin = 0
        var index = 0
        while index < bytes.count {
            let (scalar, end) = bytes.scalar(at: index)
            if isKept(scalar) { result += bytes[index..<end] }
            index = end
            if index <= origin { newOrigin = result.count }
        }
        bytes = result
        origin = newOrigin
    }
}

/// How long normalization may make a text: a file may make it longer, but not without bound.
struct GrowthLimit: Sendable {
    /// Several times what any character becomes in a normal form and the byte alphabet.
    private static let factor = 32
    /// What a short text may become whatever its length.
    private static let base = 1 << 16
    /// What is tried out when a file is loaded.
    static let longestSample = 1 << 16

    static let none = GrowthLimit(bytes: .max)

    private let bytes: Int

    private init(bytes: Int) { self.bytes = bytes }

    init(ofTextWith count: Int) {
        let (bytes, isTooMany) = count.multipliedReportingOverflow(by: Self.factor)
        self.bytes = isTooMany || bytes > .max - Self.base ? .max : bytes + Self.base
    }

    func allows(_ count: Int) -> Bool { count <= bytes }

    func check(_ count: Int) throws(TokenizerError) {
        guard allows(count) else { throw error }
    }

    var error: TokenizerError {
        TokenizerError("tokenizer.json: normalizer makes a text far too long: more than \(bytes) bytes")
    }
}
