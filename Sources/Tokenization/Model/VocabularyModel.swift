import JSON

/// How pieces of text become tokens.
enum VocabularyModel: Sendable {
    case bytePair(BytePairModel)
    case unigram(UnigramModel)

    /// The id of a token by its string, nil if there is none.
    func id(of string: [UInt8]) -> Int32? {
        switch self {
        case .bytePair(let model): model.id(of: string)
        case .unigram(let model): model.id(of: string)
        }
    }

    /// The model, with more tokens that no text may become.
    func forbidding(_ tokens: Set<Int32>) -> VocabularyModel {
        switch self {
        case .bytePair(let model): .bytePair(model.forbidding(tokens))
        case .unigram(let model): .unigram(model.forbidding(tokens))
        }
    }

    /// Whether some texts cannot be encoded without these.
    func needs(_ tokens: Set<Int32>) -> Bool {
        switch self {
        case .bytePair(let model): model.needs(tokens)
        case .unigram(let model): model.needs(tokens)
        }
    }

    /// Appends the tokens of one piece.
    @inline(__always)
    func encode(_ text: [UInt8], _ piece: Range<Int>, _ work: inout EncodingWorkspace, to result: inout [Int32]) {
        switch self {
        case .bytePair(let model): model.encode(text, piece, &work, to: &result)
        case .unigram(let model): model.encode(text, piece, &work, to: &result)
        }
    }
}

/// The ids that tokens may have.
enum TokenIDs {
    /// Many times the size of any vocabulary in use.
    static let range = 0...1_999_999

    /// The largest id allowed in a file with this many tokens, so that a small file cannot ask for much memory.
    static func limit(tokenCount: Int) -> Int { min(range.upperBound, 65_536 + 4 * tokenCount) }
}

extension JSONNode {
    /// A token's id.
    func token() throws(JSONError) -> Int32 { Int32(truncatingIfNeeded: try int(in: TokenIDs.range)) }
}
