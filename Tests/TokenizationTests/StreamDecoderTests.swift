import Testing
import Tokenization

@Suite struct StreamDecoderTests {
    @Test("What is streamed is the whole text, and no character is ever cut", arguments: Fixture.kinds)
    func streams(_ name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        let cases = try Fixture.cases(name)
        var compared = 0
        for tokens in cases.plain.compactMap(\.self) + cases.decoded.map(\.tokens) {
            var decoder = StreamDecoder(tokenizer: tokenizer)
            let pieces = tokens.map { decoder.push($0) } + [decoder.finish()]
            let whole = tokenizer.decode(tokens)
            // Of a run of bytes that is no UTF-8 as a whole, the reference replaces each byte; a stream has shown by
            // then what was whole.
            guard !whole.contains("\u{FFFD}") || ["bytes", "digits"].contains(name) else { continue }
            compared += 1
            #expect(pieces.joined().unicodeScalars.elementsEqual(whole.unicodeScalars), "\(tokens)")
        }
        #expect(compared > 50)
    }

    @Test("Of whole characters none is replaced", arguments: Fixture.main)
    func keepsCharacters(_ name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        for text in try Fixture.texts() where !text.contains("\u{FFFD}") {
            var decoder = StreamDecoder(tokenizer: tokenizer)
            #expect(
                !tokenizer.encode(text).contains { decoder.push($0).contains("\u{FFFD}") },
                "\(text.debugDescription)"
            )
            #expect(decoder.finish().isEmpty)
        }
    }

    /// Every string of a few bytes from this list, which has one of each kind: a token for each byte, streamed, gives
    /// what the standard library makes of the whole.
    @Test("Broken UTF-8 is replaced as if it had come at once")
    func brokenCharacters() throws {
        let tokenizer = try Fixture.tokenizer("bytes")
        var tokenOfByte: [UInt8: Int32] = [:]
        for token in Int32(0)..<Int32(tokenizer.vocabularySize) where tokenizer.bytes(of: token).count == 1 {
            tokenOfByte[tokenizer.bytes(of: token)[0]] = token
        }
        #expect(tokenOfByte.count == 256)
        let kinds: [UInt8] = [0x41, 0x80, 0x9F, 0xA0, 0xBF, 0xC1, 0xC3, 0xE0, 0xE2, 0xED, 0xF0, 0xF1, 0xF4, 0xF5]
        var strings: [[UInt8]] = [[]]
        for _ in 0..<4 {
            strings = strings.flatMap { string in kinds.map { string + [$0] } }
            for bytes in strings {
                var decoder = StreamDecoder(tokenizer: tokenizer)
                let streamed = bytes.map { decoder.push(tokenOfByte[$0] ?? -1) }.joined() + decoder.finish()
                if streamed != String(decoding: bytes, as: UTF8.self) { Issue.record("\(bytes)") }
            }
        }
    }

    @Test(
        "Bytes that cannot become a character are not held back",
        arguments: [[0xE0, 0x80], [0xED, 0xA0], [0xF0, 0x80], [0xF4, 0x90], [0xC1, 0x80], [0xF5, 0x80]] as [[UInt8]]
    )
    func impossibleCharacters(_ bytes: [UInt8]) throws {
        let tokenizer = try Fixture.tokenizer("bytes")
        var decoder = StreamDecoder(tokenizer: tokenizer)
        var text = ""
        for byte in bytes {
            let token = try #require(
                (0..<Int32(tokenizer.vocabularySize)).first { tokenizer.bytes(of: $0) == [byte] }
            )
            text += decoder.push(token)
        }
        #expect(text == "\u{FFFD}\u{FFFD}")
    }

    @Test("Special tokens and unknown numbers have no text")
    func silentTokens() throws {
        let tokenizer = try Fixture.tokenizer("digits")
        var decoder = StreamDecoder(tokenizer: tokenizer)
        let end = try #require(tokenizer.specialToken("<|end|>"))
        #expect(decoder.push(end).isEmpty && decoder.push(-1).isEmpty && decoder.push(.max).isEmpty)
        #expect(tokenizer.encode("hi").map { decoder.push($0) }.joined() == "hi")
    }

    @Test("The space before the first word goes where a text begins, and stays where one goes on")
    func leadingSpace() throws {
        let tokenizer = try Fixture.tokenizer("characters")
        let tokens = tokenizer.encode("fox")
        var start = StreamDecoder(tokenizer: tokenizer)
        var continuation = StreamDecoder(tokenizer: tokenizer, startsText: false)
        #expect(tokens.map { start.push($0) }.joined() == "fox")
        #expect(tokens.map { continuation.push($0) }.joined() == " fox")
    }
}
