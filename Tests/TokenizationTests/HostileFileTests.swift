import Foundation
import Support
import Testing
import Tokenization

@Suite struct HostileFileTests {
    /// Small, so that a random change hits something that matters.
    private static let seeds = [
        #"""
        {"added_tokens":[{"id":9,"content":"<|end|>","special":true,"lstrip":true,"rstrip":true,"single_word":true},
        {"id":10,"content":"ab","normalized":true,"special":false}],"normalizer":{"type":"NFC"},"pre_tokenizer":{"type":
        "Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?i:'s|'t)|\\p{N}{1,3}|[^\\s\\p{L}]+?(?!\\S)|\\w++"},
        "behavior":"MergedWithNext","invert":false},{"type":"Digits","individual_digits":true},{"type":"ByteLevel",
        "add_prefix_space":true,"use_regex":true}]},"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":
        {"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[9]}}},
        "decoder":{"type":"ByteLevel"},"model":{"type":"BPE","ignore_merges":true,"unk_token":"a","fuse_unk":true,
        "vocab":{"a":0,"b":1,"c":2,"Ġ":3,"ab":4,"abc":5,"Ġa":6,"Ã":7,"©":8},"merges":["a b","ab c",["Ġ","a"]]}}
        """#,
        #"""
        {"added_tokens":[{"id":0,"content":"<unk>","special":true,"rstrip":true}],"normalizer":{"type":"Sequence",
        "normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]},
        "decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},
        {"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
        "model":{"unk_token":"<unk>","byte_fallback":true,"vocab":{"<unk>":0,"<0x0A>":1,"▁":2,"a":3,"▁a":4,"é":5,"\u00e9a":6},
        "merges":[["▁","a"],["é","a"]]}}
        """#,
        #"""
        {"added_tokens":[{"id":0,"content":"<unk>","special":true},{"id":7,"content":"ab c","normalized":true}],
        "normalizer":{"type":"Sequence","normalizers":[{"type":"NFKD"},{"type":"StripAccents"},{"type":"Lowercase"},
        {"type":"Strip","strip_left":true,"strip_right":false},{"type":"Precompiled","precompiled_charsmap":
        "@charsmap"},{"type":"Replace","pattern":{"Regex":" {2,}|^b"},"content":" "}]},"pre_tokenizer":{"type":"Sequence",
        "pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Punctuation","behavior":"Contiguous"},{"type":"Metaspace",
        "replacement":"▁","prepend_scheme":"first","split":true}]},"decoder":{"type":"Metaspace","replacement":"▁",
        "prepend_scheme":"always"},"model":{"type":"Unigram","unk_id":0,"byte_fallback":true,"vocab":[["<unk>",0],
        ["▁",-2.5],["a",-3.25],["b",-3],["ab",-1e0],["▁ab",-4.75],["<0x0A>",-9]]}}
        """#,
    ]

    /// How many damaged files are tried: `PENSIEVE_MUTATIONS`, or a few.
    private static let rounds = ProcessInfo.processInfo.environment["PENSIEVE_MUTATIONS"].flatMap { Int($0) } ?? 1000

    private static let replacements = [
        "null", "NaN", "-Infinity", "-1", "0", "4000000", "99999999999999999999999", "1e9", "0.5", "true", "[]", "{}",
        "\"\"", "\"a\"",
        "[[1]]",
        "\"\\ud800\"", "\"\\u0000\"", ",", "\"", "\\", "{", "]",
    ].map { Array($0.utf8) }

    private static func mutated(_ original: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = original
        for _ in 0...Int.random(in: 0..<2, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            let end = min(bytes.count, index + Int.random(in: 0..<40, using: &generator))
            switch Int.random(in: 0..<10, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &generator)
            case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: bytes.removeSubrange(index..<end)
            case 3: bytes.insert(contentsOf: bytes[index..<end], at: Int.random(in: 0...bytes.count, using: &generator))
            case 4: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
            case 5, 6: bytes = withValueReplaced(bytes, near: index, &generator)
            default: exchange(&bytes, near: index, &generator)
            }
        }
        return bytes
    }

    /// Puts another value where one is, so that the JSON mostly stays whole.
    private static func withValueReplaced(_ bytes: [UInt8], near index: Int, _ generator: inout SeededGenerator)
        -> [UInt8]
    {
        let marks = Array(":,[]{}".utf8)
        guard let start = bytes[index...].firstIndex(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "[") }),
            let end = bytes[(start + 1)...].firstIndex(where: marks.contains)
        else { return bytes }
        return bytes[...start] + (replacements.randomElement(using: &generator) ?? []) + bytes[end...]
    }

    /// Exchanges a digit for another, a flag for the other, or a letter for one that is a token: what still loads.
    private static func exchange(_ bytes: inout [UInt8], near index: Int, _ generator: inout SeededGenerator) {
        let text = String(decoding: bytes, as: UTF8.self)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0:
            let digit = UInt8(ascii: "0") + UInt8.random(in: 0..<10, using: &generator)
            guard let place = bytes[index...].firstIndex(where: { (0x30...0x39).contains($0) }) else { return }
            bytes[place] = digit
        case 1: bytes = Array(text.replacing("true", with: "false", maxReplacements: index % 4).utf8)
        default:
            guard let place = bytes[index...].firstIndex(where: { (0x61...0x63).contains($0) }) else { return }
            bytes[place] = UInt8(ascii: "a") + UInt8.random(in: 0..<3, using: &generator)
        }
    }

    private static func use(_ tokenizer: Tokenizer) {
        for text in ["Hello, 世界 123 é éa <|end|> abc ab\n", "", " ", "\u{0}"] {
            for tokens in [tokenizer.encode(text), tokenizer.encode(parsingSpecials: text)] {
                _ = tokenizer.decode(tokens)
            }
        }
        _ = try? tokenizer.encode(Array("a b<|end|>".utf8), .ranges([3..<10]))
    }

    @Test("A damaged file is an error or a tokenizer, never a crash", arguments: 0..<seeds.count)
    func survivesMutations(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let charsmap = String(decoding: try Fixture.data("charsmap.txt"), as: UTF8.self)
        let original = Array(Self.seeds[seed].replacing("@charsmap", with: charsmap).utf8)
        Self.use(try Tokenizer(tokenizerJSON: original))
        var (loaded, refused) = (0, 0)
        for _ in 0..<Self.rounds / Self.seeds.count {
            do throws(TokenizerError) {
                Self.use(try Tokenizer(tokenizerJSON: Self.mutated(original, &generator)))
                loaded += 1
            } catch {
                refused += 1
                #expect(error.description.hasPrefix("tokenizer.json: "))
            }
        }
        #expect(loaded > 20 && refused > 50, "\(loaded) loaded, \(refused) refused")
    }

    @Test("Damage anywhere in a real file is survived too", arguments: ["bytes", "characters", "xlm-r"])
    func survivesMutationsOfFixtures(_ name: String) throws {
        var generator = SeededGenerator(seed: 11)
        let original = try FixtureFile.tokenizer(name)
        var (loaded, refused) = (0, 0)
        for _ in 0..<Self.rounds / 50 {
            do throws(TokenizerError) {
                Self.use(try Tokenizer(tokenizerJSON: Self.mutated(original, &generator)))
                loaded += 1
            } catch {
                refused += 1
                #expect(error.description.hasPrefix("tokenizer.json: "))
            }
        }
        #expect(loaded > 0 && refused > 0, "\(loaded) loaded, \(refused) refused")
    }

    @Test("Deep nesting is refused", arguments: ["[", "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":["])
    func deepNesting(_ opening: String) {
        let error = #expect(throws: TokenizerError.self) {
            try Tokenizer(tokenizerJSON: Array(String(repeating: opening, count: 100_000).utf8))
        }
        #expect(error?.description.contains("nested too deeply") == true)
    }

    @Test("The largest id of a vocabulary is bounded by how many tokens it has")
    func largestID() throws {
        func json(_ id: Int) -> [UInt8] { Array(#"{"model":{"vocab":{"a":0,"b":\#(id)},"merges":[]}}"#.utf8) }
        let most = 65_536 + 4 * 2
        #expect(try Tokenizer(tokenizerJSON: json(most)).vocabularySize == most + 1)
        #expect(throws: TokenizerError.self) { try Tokenizer(tokenizerJSON: json(most + 1)) }
    }

    @Test(
        "What is wrong or not supported is named",
        arguments: [
            (#"{"model":{"type":"WordPiece","vocab":{}}}"#, "'WordPiece'"),
            (#"{"model":{"vocab":{"a":-1},"merges":[]}}"#, "model.vocab.a"),
            (#"{"model":{"vocab":{"a":2000000000},"merges":[]}}"#, "model.vocab.a"),
            (#"{"model":{"vocab":{"a":"0"},"merges":[]}}"#, "model.vocab.a"),
            (#"{"model":{"vocab":{"a":0,"b":0},"merges":[]}}"#, "number 0"),
            (#"{"model":{"vocab":{"a":0},"unk_token":"a","merges":["a b"]}}"#, "model.merges.0"),
            (
                #"{"model":{"vocab":{"a":0},"merges":[]},"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(?x:a)"},"behavior":"Isolated"}}"#,
                "'(?x:a)'"
            ),
            (
                #"{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"\\d"},"behavior":"Gone"}}"#,
                "pre_tokenizer.behavior is none of"
            ),
            (#"{"pre_tokenizer":{"type":"BertPreTokenizer"}}"#, "'BertPreTokenizer'"),
            (#"{"pre_tokenizer":{"type":"Metaspace"}}"#, "pre_tokenizer.replacement is missing"),
            (#"{"normalizer":{"type":"Precompiled","precompiled_charsmap":"%"}}"#, "base 64"),
            (#"{"normalizer":{"type":"Precompiled","precompiled_charsmap":"/////wAA"}}"#, "longer than it is"),
            (#"{"normalizer":{"type":"Nmt"}}"#, "'Nmt'"), (#"{"model":{"type":"Unigram","vocab":[["a"]]}}"#, "vocab.0"),
            (#"{"model":{"type":"Unigram","vocab":[["a",1]],"unk_id":1}}"#, "unk_id"),
            (#"{"model":{"type":"Unigram","vocab":[],"unk_id":0}}"#, "is empty"),
            (#"{"model":{"vocab":{"a":1999999},"merges":[]}}"#, "far more than it has"),
            (#"{"decoder":{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"ByteFallback"}]}}"#, "in a place"),
            (
                #"{"post_processor":{"type":"TemplateProcessing","single":[],"special_tokens":{}}}"#,
                "no place for the text"
            ),
            (#"{"decoder":{"type":"WordPiece"}}"#, "'WordPiece'"),
            (#"{"model":{"vocab":[],"merges":[]}}"#, "model.vocab"),
            (#"{"added_tokens":[{"id":4000000,"content":"x"}]}"#, "added_tokens.0.id"),
            (
                #"{"normalizer":{"type":"Replace","pattern":{"String":"a"},"content":"bbbbbbbbb"},"added_tokens":[{"id":1,"content":"\#(String(repeating: "a", count: 1000))","normalized":true}],"model":{"vocab":{"a":0},"merges":[]}}"#,
                "once normalized"
            ),
            (
                #"{"added_tokens":[\#(String(repeating: #"{"id":0,"content":"x"},"#, count: 1 << 18))0]}"#,
                "more than 262144 elements"
            ),
            (
                #"{"decoder":{"type":"Sequence","decoders":[0\#(String(repeating: ",0", count: 1024))]}}"#,
                "more than 1024"
            ),
            (#"{"added_tokens":[{"id":1,"content":""}]}"#, "added_tokens.0"), ("{}", "model is missing"),
            ("[]", "the top level is not an object"), ("", "unexpected end"), ("{} x", "not valid JSON"),
            ("\"\u{1}\"", "control"),
        ]
    )
    func namesFaults(_ json: String, _ expected: String) {
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(tokenizerJSON: Array(json.utf8)) }
        #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
    }
}
