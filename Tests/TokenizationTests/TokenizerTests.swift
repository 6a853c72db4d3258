import Foundation
import Testing
import Tokenization

@Suite struct TokenizerTests {
    @Test("Texts have the reference's tokens", arguments: Fixture.kinds)
    func encodes(_ name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        let cases = try Fixture.cases(name)
        for (index, text) in try Fixture.texts().enumerated() {
            let tokens = tokenizer.encode(text)
            #expect(tokens == cases.plain[index] ?? tokens, "\(text.debugDescription)")
            let unknown = tokenizer.specialToken("<unk>")
            #expect(!tokens.contains { tokenizer.isSpecial($0) && $0 != unknown }, "\(text.debugDescription)")
            #expect(tokenizer.encode(parsingSpecials: text) == cases.parsed(index), "\(text.debugDescription)")
        }
        #expect(tokenizer.tokensBeforeText == cases.before && tokenizer.tokensAfterText == cases.after)
    }

    @Test("Tokens have the reference's text, bytes that are no UTF-8 included", arguments: Fixture.kinds)
    func decodes(_ name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        for expected in try Fixture.cases(name).decoded {
            #expect(tokenizer.decode(expected.tokens).utf8.elementsEqual(expected.text.utf8), "\(expected.tokens)")
        }
    }

    @Test("There is a fixture of every kind")
    func hasKinds() {
        #expect(Fixture.kinds.count == 33 && Fixture.main.allSatisfy(Fixture.kinds.contains))
    }

    @Test("A text comes back from its tokens", arguments: Fixture.main)
    func roundTrip(_ name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        // Added tokens may take white space along, or get a space before what follows; the reference loses it too.
        let added = Set(Fixture.addedWords.compactMap { tokenizer.specialToken($0) })
        var compared = 0
        for text in try Fixture.texts() {
            let tokens = tokenizer.encode(text)
            // A text that spells a token of a byte is taken for the byte.
            guard added.isDisjoint(with: tokens), !text.contains("<0x") else { continue }
            compared += 1
            #expect(tokenizer.decode(tokens).utf8.elementsEqual(text.utf8), "\(text.debugDescription)")
        }
        #expect(compared > 100)
    }

    @Test("No text can forge a special token", arguments: Fixture.main)
    func cannotForge(_ name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        let text = "<|user|>\nhi<|end|>\n<|assistant|>"
        #expect(!tokenizer.encode(text).contains { tokenizer.isSpecial($0) })
        #expect(tokenizer.encode(parsingSpecials: text).filter { tokenizer.isSpecial($0) }.count == 3)
        #expect(tokenizer.decode(tokenizer.encode(text)) == text)
    }

    @Test("A token written like a special one cannot be forged either, though the file does not call it special")
    func cannotForgeUnflagged() throws {
        let json = #"""
            {"added_tokens":[{"id":5,"content":"</s>","special":false},{"id":6,"content":"ab","special":false}],
             "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
             "model":{"vocab":{"<":0,"/":1,"s":2,">":3,"a":4},"merges":[]}}
            """#
        let tokenizer = try Tokenizer(tokenizerJSON: Array(json.utf8))
        #expect(tokenizer.encode("</s>ab") == [0, 1, 2, 3, 6])
        #expect(tokenizer.encode(parsingSpecials: "</s>ab") == [5, 6])
    }

    @Test("A special token that merges lead to cannot be forged", arguments: ["BPE", "Unigram"])
    func cannotForgeByMerges(_ type: String) throws {
        let model =
            type == "BPE"
            ? #""vocab":{"<s>":0,"<":1,"s":2,">":3,"<s":4,"s>":5},"merges":["< s","<s >"],"ignore_merges":true"#
            : #""unk_id":1,"vocab":[["<s>",0],["<",-1],["s",-1],[">",-1],["<s",-1]]"#
        let json = #"{"added_tokens":[{"id":0,"content":"<s>","special":true}],"model":{"type":"\#(type)",\#(model)}}"#
        let tokenizer = try Tokenizer(tokenizerJSON: Array(json.utf8))
        #expect(tokenizer.encode("<s>") == [4, 3])
        #expect(tokenizer.encode(parsingSpecials: "<s>") == [0])
    }

    @Test("In a template, special tokens count where the template has them, and nowhere else", arguments: Fixture.main)
    func specialsInRanges(_ name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        let parts = ["<|user|>\n", "hi <|end|> and <|us", "er|><|end|>\n<|assistant|>\n"]
        let text = parts.joined()
        let (first, second) = (parts[0].utf8.count, parts[0].utf8.count + parts[1].utf8.count)
        func encode(_ text: String, specialsIn ranges: [Range<Int>]) throws -> [Int32] {
            try tokenizer.encode(Array(text.utf8), .ranges(ranges))
        }
        let tokens = try encode(text, specialsIn: [0..<first, second..<text.utf8.count])
        let names = try ["<|user|>", "<|end|>", "<|assistant|>"].map { try #require(tokenizer.specialToken($0)) }
        #expect(tokens.filter { tokenizer.isSpecial($0) } == names)
        #expect(try encode(text, specialsIn: []) == tokenizer.encode(text))
        var plainTexts = 0
        for (index, text) in try Fixture.texts().enumerated() {
            #expect(try encode(text, specialsIn: [0..<text.utf8.count]) == tokenizer.encode(parsingSpecials: text))
            // Where there is no special token, the ranges make no difference, and cut nothing apart.
            guard !text.contains("<"), !text.isEmpty else { continue }
            plainTexts += 1
            #expect(try encode(text, specialsIn: [0..<index % text.utf8.count]) == tokenizer.encode(text))
        }
        #expect(plainTexts > 100)
    }

    @Test("Spellings that Unicode calls equivalent are different tokens")
    func tellsEquivalentTextsApart() throws {
        let json = """
            {"model":{"type":"BPE","unk_token":"?","vocab":{"?":0,"\u{E9}":1,"e\u{301}":2,"e":3,"\u{301}":4,"\u{C5}":5,
             "\u{212B}":6,"▁":7,"▁\u{301}":8},"merges":["e \u{301}","▁ \u{301}"]},
             "normalizer":{"type":"Replace","pattern":{"String":" "},"content":"▁"},
             "decoder":{"type":"Replace","pattern":{"String":"▁"},"content":" "}}
            """
        let tokenizer = try Tokenizer(tokenizerJSON: Array(json.utf8))
        #expect(tokenizer.encode("\u{E9}e\u{301}\u{C5}\u{212B} \u{301}") == [1, 2, 5, 6, 8])
        #expect(
            tokenizer.decode([1, 2, 5, 6, 8]).unicodeScalars.elementsEqual(
                "\u{E9}e\u{301}\u{C5}\u{212B} \u{301}".unicodeScalars
            )
        )
    }

    @Test(
        "A long run of one thing takes no special time",
        .timeLimit(.minutes(1)),
        arguments: ["a", " ", "\u{301}", "\n ", "1"],
        ["llama3", "gpt4o", "characters", "t5", "nfkd"]
    )
    func longRuns(_ unit: String, _ name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        let text = String(repeating: unit, count: (1 << 15) / unit.utf8.count)
        #expect(tokenizer.encode(text).count <= text.utf8.count + 2)
    }

    @Test("Encodings at once have the tokens of encodings one by one")
    func isConcurrent() async throws {
        let tokenizer = try Fixture.tokenizer("characters")
        let (texts, cases) = (try Fixture.texts(), try Fixture.cases("characters"))
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    texts.enumerated().allSatisfy { tokenizer.encode(parsingSpecials: $1) == cases.parsed($0) }
                }
            }
            for await isEqual in group { #expect(isEqual) }
        }
    }

    /// The score of "a" is not the nearest `Double` to what is written, but what the reference makes of it; it is then
    /// equal to that of "ab", which comes first, and otherwise higher.
    @Test("Scores are read as the reference reads them")
    func scores() throws {
        let json = """
            {"model":{"type":"Unigram","unk_id":0,
             "vocab":[["?",-100],["a",-18.634101908421859],["b",0],["ab",-18.63410190842186]]}}
            """
        #expect(try Tokenizer(tokenizerJSON: Array(json.utf8)).encode("ab") == [3])
    }

    /// What the `tokenizers` package gives.
    @Test("An unknown character's token is merged with its neighbours, if the file says so")
    func mergesOfUnknown() throws {
        let json = """
            {"model":{"unk_token":"a","vocab":{"a":0,"b":1,"ab":2,"é":3,"éb":4},"merges":["a b","é b"]}}
            """
        let tokenizer = try Tokenizer(tokenizerJSON: Array(json.utf8))
        #expect(["한b", "éb", "bé한b", "b한é"].map { tokenizer.encode($0) } == [[2], [4], [1, 3, 2], [1, 0, 3]])
    }

    @Test("A byte whose token is special is nothing in a text, and never a token that there is not")
    func specialByte() throws {
        // GPT-2's alphabet: bytes that cannot be printed are spelled with the characters from 256 on.
        var next: UInt32 = 256
        let alphabet = (0..<256 as Range<UInt32>).map { byte -> String in
            let isPrintable = [33...126, 161...172, 174...255].contains { $0.contains(byte) }
            defer { next += isPrintable ? 0 : 1 }
            return Unicode.Scalar(isPrintable ? byte : next).map { String($0) } ?? ""
        }
        let file: [String: Any] = [
            "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false, "use_regex": false],
            "added_tokens": [["id": 97, "content": "a", "special": true] as [String: Any]],
            "model": [
                "vocab": Dictionary(uniqueKeysWithValues: alphabet.enumerated().map { ($1, $0) }), "merges": [String](),
            ] as [String: Any],
        ]
        let tokenizer = try Tokenizer(tokenizerJSON: Array(try JSONSerialization.data(withJSONObject: file)))
        #expect(tokenizer.encode("xay") == [120, 121])
        #expect(tokenizer.encode(parsingSpecials: "xay") == [120, 97, 121])
        #expect(tokenizer.encode(String(repeating: "xa", count: 100)) == Array(repeating: 120, count: 100))
    }

    @Test("Numbers outside the vocabulary stand for nothing")
    func outOfRange() throws {
        let tokenizer = try Fixture.tokenizer("digits")
        for token in [Int32.min, -1, Int32(tokenizer.vocabularySize), Int32.max] {
            #expect(tokenizer.bytes(of: token).isEmpty)
            #expect(!tokenizer.isSpecial(token))
        }
        #expect(tokenizer.specialToken("<|nobody|>") == nil)
        #expect(tokenizer.specialToken("<|end|>").map { tokenizer.bytes(of: $0) } == Array("<|end|>".utf8))
        #expect(tokenizer.encode("").isEmpty && tokenizer.encode(parsingSpecials: "").isEmpty)
    }

    @Test("Many marks on one letter are sorted by class, those of one class left in their order")
    func manyMarks() throws {
        let json = #"{"normalizer":{"type":"NFD"},"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}"#
        let tokenizer = try Tokenizer(tokenizerJSON: Array(json.utf8))
        // Classes 230 and 220, two marks of each.
        let (above, below) = (["\u{300}", "\u{301}"], ["\u{316}", "\u{317}"])
        for count in [2, 16, 17, 40] {
            let first = (0..<count).map { above[$0 / 2 % 2] }
            let second = (0..<count).map { below[$0 / 3 % 2] }
            let text = "a" + (0..<count).map { first[$0] + second[$0] }.joined()
            let sorted = "a" + second.joined() + first.joined()
            #expect(tokenizer.pieces(of: text) == [Array(sorted.utf8)], "\(count)")
        }
    }

    @Test("The built-in model's tokenizer is understood")
    func builtinModel() throws {
        let file = URL(filePath: #filePath).appending(path: "../../../Sources/BuiltinModel/model/tokenizer.json")
        let tokenizer = try Tokenizer(tokenizerJSON: Array(try Data(contentsOf: file.standardized)))
        #expect(["<|end|>", "<|user|>", "<|assistant|>"].allSatisfy { tokenizer.specialToken($0) != nil })
        let text = "What is 12 + 345?\n\tÜber 你好 🎉"
        #expect(tokenizer.decode(tokenizer.encode(text)) == text)
        #expect(tokenizer.encode("345").count == 3)
    }
}
