import Foundation
import Support
import Testing

/// A server whose model has another one that drafts for it.
@Suite struct DraftModelTests {
    private static let questions = ["What is 23 + 45?", "Hello", "What is the capital of France?"]

    @Test("A draft model changes no answer, and its tokens are counted", .timeLimit(.minutes(5)))
    func drafts() async throws {
        let model = try ModelFolder()
        let plain = try ServerProcess(["--model", model.path])
        let drafting = try ServerProcess(["--model", model.path, "--draft-model", model.path])
        #expect(drafting.said.contains("drafts") && !plain.said.contains("drafts"))
        for question in Self.questions {
            let fields = #", "temperature": 0"#
            let expected = try await plain.message(question, maxTokens: 60, fields)
            let answer = try await drafting.message(question, maxTokens: 60, fields)
            #expect(answer.text == expected.text && answer.text?.isEmpty == false)
        }
        func drafted(_ server: ServerProcess) async throws -> Int {
            let text = try await server.metrics()
            let found = try #require(text.firstMatch(of: /drafted_tokens_total{source="model"} (\d+)/))
            return try #require(Int(found.1))
        }
        #expect(try await drafted(drafting) > 0)
        #expect(try await drafted(plain) == 0)
    }

    @Test("A model of another vocabulary, or with recurrent layers, cannot draft", .timeLimit(.minutes(5)))
    func refused() async throws {
        let model = try ModelFolder()
        let other = try ModelFolder(["tokenizer.json": try Self.otherTokenizer()])
        let hybrid = try ModelFolder()
        try hybrid.makeHybrid()
        for (draft, reason) in [(other, "its vocabulary is not the model's: token"), (hybrid, "recurrent layers")] {
            let outcome = try await Program.run(
                ["start", "--port", "0", "--model", model.path, "--draft-model", draft.path]
            )
            #expect(outcome.status != 0 && outcome.errors.contains(reason), "\(outcome.errors)")
        }
    }

    /// The built-in model's, with some tokens' numbers exchanged.
    private static func otherTokenizer() throws -> String {
        let data = try Data(contentsOf: URL(fileURLWithPath: "Sources/BuiltinModel/model/tokenizer.json"))
        var file = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        var model = try #require(file["model"] as? [String: Any])
        let vocabulary = try #require(model["vocab"] as? [String: Int])
        model["vocab"] = vocabulary.mapValues { 300..<500 ~= $0 ? $0 ^ 1 : $0 }
        file["model"] = model
        return String(decoding: try JSONSerialization.data(withJSONObject: file), as: UTF8.self)
    }
}
