/// How pieces of text become tokens.
enum VocabularyModel: Sendable {
    case bytePair(BytePairModel)
    case unigram(UnigramModel)

    /// The token of a spelling, nil if it is none.
    func number(of spelling: [UInt8]) -> Int32? {
        switch self {
        case .bytePair(let model): model.number(of: spelling)
        case .unigram(let model): model.number(of: spelling)
        }
    }

    /// The model, with more tokens that no text may become.
    func reserving(_ tokens: Set<Int32>) -> VocabularyModel {
        switch self {
        case .bytePair(let model): .bytePair(model.reserving(tokens))
        case .unigram(let model): .unigram(model.reserving(tokens))
        }
    }

    /// Whether some texts have no tokens without these.
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
