import Testing

@testable import Tokenization

/// `NaN`, `Infinity` and `-Infinity`, which Python writes into JSON.
@Suite struct PythonNumbersTests {
    @Test("tokenizer_config.json may hold them", arguments: ["NaN", "Infinity", "-Infinity"])
    func configuration(value: String) throws {
        let json = #"{"model_max_length":\#(value),"x":[\#(value) ,{"y":\#(value)}],"eos_token":"</s>"}"#
        #expect(try TokenizerConfiguration(json: Array(json.utf8)).specialTokens == ["eos_token": "</s>"])
    }

    @Test("They are numbers, and no whole ones")
    func numbers() throws {
        let document = try JSONDocument(Array("[NaN,Infinity,-Infinity,-5,0]".utf8), named: "x")
        let values = Array(document.contents(of: document.root))
        #expect(values.map { document.integer($0) } == [nil, nil, nil, -5, 0])
        let numbers = values.compactMap { document.number($0) }
        #expect(numbers.count == 5 && numbers[0].isNaN)
        #expect(numbers[1...] == [.infinity, -.infinity, -5, 0])
    }

    @Test(
        "What only looks like one is an error",
        arguments: ["Nan", "NaNs", "-NaN", "Infinit", "+Infinity", "-", "--Infinity", "Infinityx"]
    )
    func broken(value: String) {
        #expect(throws: TokenizerError.self) { try JSONDocument(Array("{\"a\":\(value)}".utf8), named: "x") }
    }

    @Test("Where one is needed, it is refused by name")
    func needed() {
        let json = #"{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",NaN]]}}"#
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(tokenizerJSON: Array(json.utf8)) }
        #expect(error.map { "\($0)".contains("vocab") } == true, "\(error.map { "\($0)" } ?? "")")
    }
}
