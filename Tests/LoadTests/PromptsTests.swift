import APIClient
import Support
import Testing

@testable import LoadTest

@Suite struct PromptsTests {
    @Test(
        "A known answer is recognized however it is clothed, and no other is taken for it",
        arguments: [
            (
                ExpectedAnswer.number(46), ["46", "12 + 34 = 46", "12 + 34 = 46.", "It is **46**!"],
                ["146", "46 + 1 = 47", "", "4 6"]
            ),
            // The operand that the answer equals is not the answer.
            (.number(25), ["50 - 25 = 25"], ["50 - 25 = 24"]),
            (.word("Anna"), ["Your name is Anna.", "anna"], ["Your name is Annabel.", "Hannah", ""]),
            (
                .phrase("apple river"), ["apple river", "\"Apple river.\"", "Sure: apple river"],
                ["apple", "apple river apple river", "river apple", "apple riverbed"]
            ),
            (.phrase("437"), ["437"], ["43", "4370", "437 437"]),
            (
                .letters("apple"), ["a-p-p-l-e", "A P P L E", "The word apple is spelled a, p, p, l, e."],
                ["a-p-l-e", "apple", "a-p-p-l-e-s", "b-a-p-p-l-e"]
            ),
        ]
    )
    func isCorrect(_ answer: ExpectedAnswer, _ right: [String], _ wrong: [String]) {
        for reply in right { #expect(answer.matches(reply), "'\(reply)'") }
        for reply in wrong { #expect(!answer.matches(reply), "'\(reply)'") }
    }

    @Test("Questions depend on the seed only; all requested kinds occur, each with its expected answer")
    func questions() {
        var options = LoadOptions()
        options.verify = true
        options.requests = 120
        options.families = Question.Family.allCases
        func all(_ seed: UInt64) -> [Question] {
            options.seed = seed
            let prompts = Prompts(options: options)
            return (0..<120).map { prompts.question($0, Prompts.Filler()) }
        }
        let first = all(1)
        #expect(first == all(1) && first != all(2))
        // Each question about four times, so that replies can be compared.
        #expect(first[0] == first[30] && Set(first).count > 20)
        #expect(Set(first.map(\.family)) == Set(Question.Family.allCases))
        #expect(first.allSatisfy { ($0.expected == nil) == [.open, .calls].contains($0.family) })
    }

    @Test("A call is right if it is the only one, of that tool, with those values")
    func calls() throws {
        func answer(_ name: String, _ arguments: String) throws -> AnswerReader {
            var reader = AnswerReader()
            var parser = EventParser()
            for event in try parser.push(Array(EventText.call(name, pieces: [arguments]).utf8)) {
                try reader.receive(event, at: 0)
            }
            return reader
        }
        let expected = ExpectedAnswer.call("get_weather", ["location": "Lyon", "days": "3"])
        #expect(expected.matches(try answer("get_weather", #"{"days":3,"location":"Lyon"}"#)))
        #expect(!expected.matches(try answer("get_weather", #"{"days":3,"location":"Oslo"}"#)))
        #expect(!expected.matches(try answer("weather", #"{"days":3,"location":"Lyon"}"#)))
        #expect(!expected.matches(try answer("get_weather", #"{"location":"Lyon"}"#)))
        #expect(try answer("f", "{}").reply == "[f {}]")
    }

    @Test("Prompts have the requested length by the server's count, and share the requested prefix")
    func calibration() throws {
        let prompts = Prompts(options: LoadOptions())
        // A made-up tokenizer: a token for every three letters of a word, and eleven for the template.
        func count(_ question: Question) -> Int {
            let words = ([question.system ?? ""] + question.turns).joined(separator: " ").split(separator: " ")
            return 11 + words.reduce(0) { $0 + ($1.count + 2) / 3 }
        }
        let filler = try Calibration(prompts, count: count).filler(promptTokens: 900, sharedPrefix: 300)
        let counts = (0..<40).map { count(prompts.question($0, filler)) }
        #expect(abs(counts.reduce(0, +) / 40 - 900) <= 9, "\(counts)")
        #expect(counts.allSatisfy { abs($0 - 900) <= 45 }, "\(counts)")
        let (a, b) = (prompts.question(1, filler).system ?? "", prompts.question(2, filler).system ?? "")
        let shared = String(zip(a, b).prefix { $0 == $1 }.map(\.0))
        #expect(abs(count(Question(.open, [shared], expected: nil)) - 11 - 300) <= 15)
        #expect(try Calibration(prompts, count: count).filler(promptTokens: nil, sharedPrefix: 0) == Prompts.Filler())
        #expect(throws: UsageError.self) {
            try Calibration(prompts, count: count).filler(promptTokens: 12, sharedPrefix: 0)
        }
        #expect(throws: UsageError.self) {
            try Calibration(prompts, count: { _ in 5 }).filler(promptTokens: 900, sharedPrefix: 0)
        }
    }
}
