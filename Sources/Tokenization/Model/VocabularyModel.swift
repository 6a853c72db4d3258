/// How pieces of text become tokens.
enum VocabularyModel: Sendable {
    case bytePair(BytePairModel)
    case unigram(UnigramModel)

    /// Appends the tokens of one piece.
    @inline(__always)
    func encode(_ text: [UInt8], _ piece: Range<Int>, _ work: inout EncodingWorkspace, to result: inout [Int32]) {
        switch self {
        case .bytePair(let model): model.encode(text, piece, &work, to: &result)
        case .unigram(let model): model.encode(text, piece, &work, to: &result)
        }
    }
}
