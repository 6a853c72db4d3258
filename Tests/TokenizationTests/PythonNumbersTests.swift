import Testing

@testable import Tokenization

/// `NaN`, `Infinity` and `-Infinity`, which Python writes into JSON.
@Suite struct PythonNumbersTests {
    @Test("tokenizer_config.json may hold them", arguments: ["NaN", "Infinity", "-Infinity"])
    func configuration(value: String) throws {
        let json = #"{"model_max_length":\#(value),"x":[\#(value) ,{"y":\#(value)}],"eos_token":"</s>"}"#
        #expect(
            try AddedTokenFiles { $0 == "tokenizer_config.json" ? Array(json.utf8) : nil }.specialTokens == [
                "eos_token": "</s>"
            ]
        )
    }

    @Test("Where one is needed, it is refused by name")
    func needed() {
        let json = #"{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",NaN]]}}"#
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(tokenizerJSON: Array(json.utf8)) }
        #expect(error.map { "\($0)".contains("vocab") } == true, "\(error.map { "\($0)" } ?? "")")
    }
}
