import Chat
import Templates
import Testing
import Tokenization

/// Templates that read a message's content as a list, and templates that lose it.
@Suite struct ContentFormsTests {
    private static func format(_ template: String) throws -> ChatFormat {
        try ChatFormat(
            TokenizerConfiguration(
                templates: ["default": template],
                specialTokens: ["bos_token": "<s>", "eos_token": "</s>"]
            ),
            architecture: "",
            endTokens: [],
            tokenizer: ChatFixture.tokenizer("bytes")
        )
    }

    private static let turns = [
        ChatTurn(role: .system, text: "SYSTEM"), ChatTurn(role: .user, text: "A"),
        ChatTurn(role: .assistant, text: "B"), ChatTurn(role: .user, text: "C"),
    ]

    @Test("A template that walks typed parts is given them, for every role, and for an answer that goes on")
    func typedParts() throws {
        let format = try Self.format(ChatFixture.template("typed-parts"))
        #expect(format.notes.isEmpty)
        let head = "<|im_start|>System: SYSTEM<|im_end|>\n<|im_start|>User: A<|im_end|>\n<|im_start|>Assistant: B"
        #expect(
            try format.preview(Self.turns)
                == head + "<|im_end|>\n<|im_start|>User: C<|im_end|>\n<|im_start|>Assistant:"
        )
        #expect(try format.preview(Array(Self.turns.prefix(3))) == head)
    }

    @Test("The templates of families are all taken, and lose no answer")
    func families() throws {
        let names = try ChatFixture.templateNames()
        #expect(names.count > 50)
        for name in names {
            let format = try Self.format(ChatFixture.template(name))
            #expect(!format.notes.contains { $0.contains("answers are lost") }, "\(name)")
        }
    }

    @Test("Each role's text is given in the form that comes out")
    func formsByRole() throws {
        let template = """
            {%- for m in messages -%}
            {%- if m.role == 'user' -%}
            {%- for c in m.content if c.type == 'text' -%}<{{ c.text }}>{%- endfor -%}
            {%- elif m.content is string -%}({{ m.content }}){%- endif -%}
            {%- endfor -%}
            """
        #expect(try Self.format(template).preview(Self.turns) == "(SYSTEM)<A>(B)<C>")
    }

    @Test("A template that reads both forms, or prints lists as they are, is given strings")
    func strings() throws {
        #expect(
            try Self.format(ChatFixture.template("llama4-blocks")).preview([Self.turns[1]]).contains("A<|eot|>")
        )
        #expect(
            try Self.format("{% for m in messages %}{{ m.content }};{% endfor %}").preview(Self.turns)
                == "SYSTEM;A;B;C;"
        )
    }

    @Test(
        "A template that loses what users say is refused",
        arguments: [
            "", "plain", "{{ bos_token }}", "{% for m in messages %}{{ m.role }}{% endfor %}",
            "{% for m in messages if m.role != 'user' %}{{ m.content }}{% endfor %}",
            "{% for m in messages %}{% for c in m.content if c.type == 'image' %}{{ c.text }}{% endfor %}{% endfor %}",
            "{% for m in messages if m.content is not string %}{{ m.content }}{% endfor %}",
            "{{ raise_exception('never') }}",
        ]
    )
    func lost(_ template: String) {
        let error = #expect(throws: TemplateError.self) { try Self.format(template) }
        #expect(error?.description.contains("no user's text comes out") == true, "\(String(describing: error))")
    }

    @Test("A conversation of which a template leaves nothing is refused")
    func nothingLeft() throws {
        let format = try Self.format("{{ messages[0].content | trim }}")
        let tokenizer = try ChatFixture.tokenizer("bytes")
        #expect(try !format.encode([ChatTurn(role: .user, text: " x ")], with: tokenizer).isEmpty)
        #expect(throws: TemplateError.self) { try format.encode([ChatTurn(role: .user, text: " ")], with: tokenizer) }
    }

    @Test("A system's or an answer's text that vanishes is told of, and the system's goes to the user's")
    func vanished() throws {
        let format = try Self.format(
            "{% for m in messages %}{% if m.role == 'user' %}<{{ m.content }}>{% endif %}{% endfor %}"
        )
        #expect(try format.preview(Self.turns) == "<SYSTEM\n\nA><C>")
        #expect(format.notes.count == 2)
        #expect(format.notes.contains { $0.contains("system's text") })
        #expect(format.notes.contains { $0.contains("earlier answers are lost") })
        // One that refuses a system turn has no place for it; that is no fault.
        #expect(try Self.format(ChatFixture.template("gemma2")).notes.isEmpty)
    }
}
