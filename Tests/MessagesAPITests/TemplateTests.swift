import JSON
import Testing

@testable import MessagesAPI

@Suite("Templates of models", .timeLimit(.minutes(1))) struct TemplateTests {
    @Test(
        "What a template refuses or cannot do is the request's fault, told in the template's words, also when counting"
    )
    func templateErrors() async throws {
        for (template, words) in [
            ("{{ raise_exception('only in pairs') }}", "refuses this conversation: only in pairs"),
            ("{{ messages[0].content.nothing.more }}", "line 2: 'str object' has no attribute 'nothing'"),
            ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "too deeply"), ("", "nothing is left"),
        ] {
            // One that never works would not be loaded.
            let text = "{% if messages[0].content != 'hi' %}{{ messages[0].content }}{% else %}\n\(template){% endif %}"
            let api = try TestAPI(answering: Script.bytes("ok"), template: text)
            for reply in [
                try await api.ask(), try await api.ask(#","stream":true"#), try await api.count(TestAPI.body()),
            ] {
                #expect(reply.status == 400)
                #expect(try reply.errorType() == "invalid_request_error")
                #expect(reply.errorMessage.contains(words), "\(reply.errorMessage)")
            }
        }
    }

    @Test("A model's template writes the prompt")
    func promptByTemplate() async throws {
        let api = try TestAPI(
            answering: Script.bytes("ok"),
            template: "{% for m in messages %}<|user|>{{ m.content }}<|end|>{% endfor %}<|assistant|>{{ '\\n' }}"
        )
        #expect(try await api.ask().text == "ok")
        let count = try await api.count(TestAPI.body()).json["input_tokens"]
        // Two letters, the template's three special tokens, and its line break.
        #expect(count == 6)
    }
}
