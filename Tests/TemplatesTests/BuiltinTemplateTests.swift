import Foundation
import Support
import Templates
import Testing

/// The template of the built-in model, rendered by transformers in Scripts/make_builtin_fixtures.py.
@Suite struct BuiltinTemplateTests {
    private struct Case: Decodable {
        var context: TemplateFixture.Tagged
        var output: String
    }

    private struct Configuration: Decodable { var chat_template: String }

    private static func repositoryFile(_ path: String) throws -> Data {
        try Data(contentsOf: URL(filePath: #filePath).appending(path: "../../../" + path).standardized)
    }

    @Test("The built-in model's template writes tools of any schema, calls and results as in transformers")
    func rendersTools() throws {
        let source = String(
            decoding: try Self.repositoryFile("Sources/BuiltinModel/Training/chat_template.jinja"),
            as: UTF8.self
        )
        let template = try ChatTemplate(source: source.trimmingCharacters(in: .whitespacesAndNewlines))
        let cases = try JSONDecoder().decode([Case].self, from: TemplateFixture.file("builtin.json"))
        #expect(cases.count >= 80)
        for sample in cases { #expect(try template.text(sample.context.members) == sample.output) }
    }

    @Test("The built-in model ships with the template that its training uses")
    func shipsTemplate() throws {
        let shipped = try JSONDecoder().decode(
            Configuration.self,
            from: Self.repositoryFile("Sources/BuiltinModel/model/tokenizer_config.json")
        )
        let source = try Self.repositoryFile("Sources/BuiltinModel/Training/chat_template.jinja")
        let text = String(decoding: source, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(shipped.chat_template == text)
    }
}
