import Foundation
import Support
import Testing
import Tokenization

@Suite struct PatternTests {
    private struct Case: Decodable {
        var pattern: String
        var behavior: String
        var inverted: Bool
        var texts: [String]
        var pieces: [[String]]
    }

    /// A tokenizer that does nothing but cut texts at a pattern.
    private static func splitter(
        _ pattern: String,
        behavior: String = "Isolated",
        inverted: Bool = false
    ) throws -> Tokenizer {
        let file: [String: Any] = [
            "pre_tokenizer": [
                "type": "Split", "pattern": ["Regex": pattern], "behavior": behavior, "invert": inverted,
            ] as [String: Any],
            "model": ["vocab": ["a": 0], "merges": [], "unk_token": "a"] as [String: Any],
        ]
        return try Tokenizer(tokenizerJSON: Array(try JSONSerialization.data(withJSONObject: file)))
    }

    @Test("Random patterns cut texts as the reference does; what is not understood is refused")
    func randomPatterns() throws {
        var refused = 0
        for expected in try JSONDecoder().decode([Case].self, from: Fixture.data("patterns.json")) {
            let splitter: Tokenizer
            do {
                splitter = try Self.splitter(
                    expected.pattern,
                    behavior: expected.behavior,
                    inverted: expected.inverted
                )
            } catch let error as TokenizerError {
                #expect(error.description.contains("not supported"))
                refused += 1
                continue
            }
            try #require(expected.texts.count == expected.pieces.count && !expected.texts.isEmpty)
            for (text, pieces) in zip(expected.texts, expected.pieces) {
                #expect(
                    splitter.pieces(of: text) == pieces.map { Array($0.utf8) },
                    "\(expected.pattern) \(text.debugDescription)"
                )
            }
        }
        #expect(refused < 90)
    }

    private static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    private static func llama3(_ digits: String) -> String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}\#(digits)| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"#
            + #"|\s+(?!\S)|\s+"#
    }

    /// In a group the pattern is not known by its spelling, so that it is run as any other is.
    @Test("The scanners for known patterns do what the patterns do", arguments: [gpt2, llama3(""), llama3("{1,3}")])
    func scanners(_ pattern: String) throws {
        let (scanner, runner) = (try Self.splitter(pattern), try Self.splitter("(?:\(pattern))"))
        let letters = Array("aZé'sTDLlrevmſ 1٣½一中\u{301}\u{E000}\n\r\t\u{A0}\u{3000}\u{85}!?.,_🎉ǅʰ$").map(String.init)
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<4000 {
            let text = (0..<Int.random(in: 1..<16, using: &generator)).map { _ in
                letters.randomElement(using: &generator) ?? ""
            }.joined()
            #expect(scanner.pieces(of: text) == runner.pieces(of: text), "\(text.debugDescription)")
        }
        for text in try Fixture.texts() { #expect(scanner.pieces(of: text) == runner.pieces(of: text)) }
    }

    @Test(
        "Patterns that lead a backtracking engine astray take no special time",
        .timeLimit(.minutes(1)),
        arguments: [
            "a+b|a", "(?:a+)+b|a", "a*a*a*b|a", ".*?b|a", "(?:a|a)+b|a", "(?=.*b)a|a", "a++b|a", "(?=(?:aa)+(?!a))a|a",
            "(?:a\\S+?|b)+?d|a", "(?:aa)+b|a", "(?>(?:aa)+)b|a", "(?:a(?:a(?:a|b)+)+)+d|a",
            "(?>a+)b|(?<=a)a|a",
        ]
    )
    func catastrophes(_ pattern: String) throws {
        let splitter = try Self.splitter(pattern)
        let text = String(repeating: "a", count: 20_000)
        #expect(splitter.pieces(of: "b" + text + "c").count == 20_002)
    }

    @Test(
        "What is malformed or not supported is refused with its reason",
        arguments: [
            ("(", "without its ')'"), (")", "without its '('"), ("[a", "too early"), ("a{2000}", "too many times"),
            ("(?:(?:a{1,900}b){1,900}){1,900}", "too long"),
            ((0..<600).map { "[\\x{\(String(0x4E00 + 2 * $0, radix: 16))}a]" }.joined(), "different sets"),
            ("*a", "nothing to repeat"), (#"\1"#, "not supported"),
            ("(?x: a)", "not supported"), (#"\p{Klingon}"#, "'Klingon'"), ("(?:a?)*", "may be empty"),
            ("[z-a]", "range"),
            ("(?i:ß)", "beyond ASCII"), ("(?i:ss)", "'ss'"), ("(?<=a+)b", "look-behind"),
            (#"\x{110000}"#, "hexadecimal"),
            (String(repeating: "(", count: 60), "nested too deeply"), (#"\K"#, "not supported"),
            ("(?~a)", "not supported"),
        ]
    )
    func refuses(_ pattern: String, _ reason: String) {
        let error = #expect(throws: TokenizerError.self) { _ = try Self.splitter(pattern) }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
        #expect(error?.description.contains("pre_tokenizer.pattern") == true)
    }
}
