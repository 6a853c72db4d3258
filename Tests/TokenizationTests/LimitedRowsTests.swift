import Testing
import Tokenization

/// Tokens that a model has no row for.
@Suite struct LimitedRowsTests {
    @Test("No text becomes a token that the embedding has no row for", arguments: Fixture.kinds)
    func limitedRows(_ kind: String) throws {
        let whole = try Fixture.tokenizer(kind)
        let rows = whole.vocabularySize - 12
        let tokenizer = try whole.limited(toRows: rows)
        #expect(tokenizer.notes.count == 1 && tokenizer.notes[0].contains("only \(rows) rows"))
        for text in try Fixture.texts().enumerated().filter({ $0.offset % 5 == 0 }).map(\.element) {
            for tokens in [tokenizer.encode(text), tokenizer.encode(parsingSpecials: text)] {
                #expect(tokens.allSatisfy { $0 >= 0 && Int($0) < rows }, "\(text.debugDescription)")
            }
        }
        #expect(try whole.limited(toRows: whole.vocabularySize).notes.isEmpty)
    }

    @Test("What has no row is spelled with other tokens, and a vocabulary that cannot do that is refused")
    func otherTokens() throws {
        let whole = try Fixture.tokenizer("bytes")
        let last = Int32(whole.vocabularySize - 1)
        let content = String(decoding: whole.bytes(of: last), as: UTF8.self)
        #expect(whole.encode(parsingSpecials: content).contains(last))
        let tokenizer = try whole.limited(toRows: Int(last))
        let tokens = tokenizer.encode(parsingSpecials: "x" + content)
        #expect(!tokens.contains(last) && tokenizer.decode(tokens) == "x" + content)
        let error = #expect(throws: TokenizerError.self) { try whole.limited(toRows: 20) }
        #expect(error?.description.contains("too few") == true)
    }
}
