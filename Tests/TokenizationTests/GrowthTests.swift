import Testing
import Tokenization

/// Files whose steps make a text longer and longer.
@Suite struct GrowthTests {
    private static func steps(_ step: String, _ count: Int) -> String {
        Array(repeating: step, count: count).joined(separator: ",")
    }

    private static func file(_ member: String) -> [UInt8] {
        Array(#"{\#(member),"model":{"type":"BPE","vocab":{"a":0,"q":1,"\#u{e9}":2},"merges":[]}}"#.utf8)
    }

    private static func replace(_ pattern: String, by content: String) -> String {
        #"{"type":"Replace","pattern":\#(pattern),"content":"\#(content)"}"#
    }

    private static func normalizer(_ step: String, _ count: Int) -> [UInt8] {
        file(#""normalizer":{"type":"Sequence","normalizers":[\#(steps(step, count))]}"#)
    }

    @Test("A normalizer that doubles a text over and over is refused when it is loaded", .timeLimit(.minutes(1)))
    func normalizer() throws {
        for step in [
            Self.replace(#"{"String":"a"}"#, by: "aa"), Self.replace(#"{"Regex":"."}"#, by: "aa"),
            Self.replace(#"{"String":"é"}"#, by: "éé"),
        ] {
            let error = #expect(throws: TokenizerError.self) {
                try Tokenizer(tokenizerJSON: Self.normalizer(step, 60))
            }
            #expect(error?.description.contains("far too long") == true, "\(step)")
        }
        #expect(throws: Never.self) {
            try Tokenizer(tokenizerJSON: Self.normalizer(Self.replace(#"{"String":" "}"#, by: "\u{2581}"), 60))
        }
    }

    @Test("Steps that each make a text only somewhat longer are refused when they are too many together")
    func manySteps() throws {
        func prepend(_ count: Int) -> String {
            #"{"type":"Prepend","prepend":"\#(String(repeating: "a", count: count))"}"#
        }
        #expect(throws: Never.self) { try Tokenizer(tokenizerJSON: Self.normalizer(prepend(20_000), 2)) }
        let error = #expect(throws: TokenizerError.self) {
            try Tokenizer(tokenizerJSON: Self.normalizer(prepend(40_000), 2))
        }
        #expect(error?.description.contains("far too long") == true)
    }

    @Test("One that hides it until a text has what it looks for fails the prompt", .timeLimit(.minutes(1)))
    func prompt() throws {
        let tokenizer = try Tokenizer(
            tokenizerJSON: Self.normalizer(Self.replace(#"{"Regex":"q{3}"}"#, by: "qqqqqq"), 60)
        )
        #expect(try tokenizer.encode(Array("qq".utf8), .none) == [1, 1])
        let error = #expect(throws: TokenizerError.self) { try tokenizer.encode(Array("qqq".utf8), .none) }
        #expect(error?.description.contains("far too long") == true)
        #expect(tokenizer.encode("qqq") == [1, 1, 1])
    }

    @Test(
        "The parts of a text between added tokens may not each become as long as a whole one",
        .timeLimit(.minutes(1))
    )
    func parts() throws {
        let added = #"{"id":1,"content":"q","special":false,"normalized":false}"#
        let replace = Self.replace(#"{"String":"é"}"#, by: String(repeating: "a", count: 60_000))
        let tokenizer = try Tokenizer(tokenizerJSON: Self.file(#""added_tokens":[\#(added)],"normalizer":\#(replace)"#))
        #expect(tokenizer.encode(parsingSpecials: "éq").count == 60_001)
        // Encoded as it stands, and not as 60 million letters.
        let text = String(repeating: "éq", count: 1000)
        #expect(tokenizer.encode(parsingSpecials: text) == Array(repeating: [2, 1], count: 1000).flatMap { $0 })
    }

    @Test("So are a decoder and a pre-tokenizer that would do it", .timeLimit(.minutes(1)))
    func others() throws {
        let decoder = Self.steps(Self.replace(#"{"String":"a"}"#, by: "aa"), 60)
        let cutter = Self.steps(#"{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}"#, 60)
        for (member, expected) in [
            (#""decoder":{"type":"Sequence","decoders":[\#(decoder)]}"#, "decoder"),
            (#""pre_tokenizer":{"type":"Sequence","pretokenizers":[\#(cutter)]}"#, "pre_tokenizer"),
        ] {
            let error = #expect(throws: TokenizerError.self) { try Tokenizer(tokenizerJSON: Self.file(member)) }
            #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
        }
    }
}
