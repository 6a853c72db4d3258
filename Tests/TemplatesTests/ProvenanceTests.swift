import Templates
import Testing

/// What a user wrote is known for it, whatever a template does with it.
@Suite struct ProvenanceTests {
    private static let context: [TemplateValue.Member] = [
        .init("bos_token", .templateText("<s>")),
        .init("user", .string("ab|cd")),
        .init("messages", .array([["role": .templateText("user"), "content": .string("ab|cd")]])),
        .init("tree", ["key": ["inner": .string("q\"r")]]),
    ]

    /// The stretches of one origin each that a text is made of.
    private static func pieces(_ text: RenderedText) -> [(text: String, origin: TextOrigin)] {
        text.runs.map { (String(decoding: text.bytes[$0.range], as: UTF8.self), $0.origin) }
    }

    @Test(
        "Every character keeps its origin",
        arguments: [
            // Capitals are the user's, small letters the format's.
            ("{{ '<' ~ user ~ '>' }}", "<AB|CD>", "xUUUUUx"), ("{{ bos_token + user }}", "<s>AB|CD", "xxxUUUUU"),
            ("{{ user[1:4] }}{{ user[::-1] }}{{ user[0] }}", "B|CDC|BAA", "UUUUUUUUU"),
            ("{{ user.replace('|', '<>') }}", "AB<>CD", "UUxxUU"),
            ("{{ '<|>'.replace('|', user) }}", "<AB|CD>", "xUUUUUx"),
            ("{{ user.split('|') | join('-') }}", "AB-CD", "UUxUU"),
            ("{{ '-'.join(user.split('|')) }}", "AB-CD", "UUxUU"),
            ("{{ user | upper }}{{ 'x' | upper }}", "AB|CDX", "UUUUUx"),
            ("{{ (' ' ~ user ~ ' ') | trim }}", "AB|CD", "UUUUU"),
            ("{{ '%s%%%5s' % (user, 'x') }}", "AB|CD%    x", "UUUUUxxxxxx"),
            ("{{ '{}{!r}'.format('x', user) }}", "x'AB|CD'", "xUUUUUUU"),
            ("{{ user | tojson }}", "\"AB|CD\"", "UUUUUUU"), ("{{ 'x' | tojson }}", "\"x\"", "UxU"),
            ("{{ tree | tojson }}", "{\"KEY\": {\"INNER\": \"Q\\\"R\"}}", "UUUUUUUUUUUUUUUUUUUUUUUUUU"),
            ("{{ [user, 'x'] }}", "['AB|CD', 'x']", "UUUUUUUUUUUxUU"),
            ("{% set n = namespace(t=user) %}{% set n.t = n.t + n.t %}{{ n.t }}", "AB|CDAB|CD", "UUUUUUUUUU"),
            ("{{ user | e }}{{ user * 2 }}", "AB|CDAB|CDAB|CD", "UUUUUUUUUUUUUUU"),
            ("{% for c in user %}{{ c ~ '.' }}{% endfor %}", "A.B.|.C.D.", "UxUxUxUxUx"),
            ("{% macro m(t) %}<{{ t }}>{% endmacro %}{{ m(user) }}", "<AB|CD>", "xUUUUUx"),
            ("{% set t %}<{{ user }}>{% endset %}{{ t | capitalize }}", "<AB|CD>", "xUUUUUx"),
            ("{% filter upper %}x{{ user }}{% endfilter %}", "XAB|CD", "xUUUUU"),
            ("{% set n = namespace(t='<') %}{% set n.t = n.t + user + '>' %}{{ n.t }}", "<AB|CD>", "xUUUUUx"),
            ("{{ user | indent(2, true) }}{{ user.center(7) }}", "  AB|CD AB|CD ", "xxUUUUUxUUUUUx"),
            ("{{ user.partition('|')[2] }}{{ user.removeprefix('ab') }}{{ user.title() }}", "CD|CDAB|CD", "UUUUUUUUUU"),
            ("<|{{ messages[0].role }}|>{{ messages[0]['content'] | safe }}", "<|user|>AB|CD", "xxxxxxxxUUUUU"),
            ("{{ (user | list | sort | reverse | list)[0] }}{{ user | first }}{{ user | last }}", "|AD", "UUU"),
            ("{{ dict(a=user).values() | map('upper') | list | first }}{{ 5 }}", "AB|CD5", "UUUUUx"),
        ]
    )
    func origins(_ source: String, _ text: String, _ marks: String) throws {
        let pieces = Self.pieces(try ChatTemplate(source: source).render(Self.context))
        #expect(pieces.map(\.text).joined().lowercased() == text.lowercased())
        #expect(
            pieces.map { String(repeating: $0.origin == .template ? "x" : "U", count: $0.text.count) }.joined() == marks
        )
    }

    /// Puts a sign that no template writes into every text.
    private static func signed(_ value: TemplateValue) -> TemplateValue {
        switch value {
        case .string(let text): .string("ⵣ" + text + "ⵣ")
        case .array(let elements): .array(elements.map(signed))
        case .object(let members): .object(members.map { .init($0.name, signed($0.value)) })
        default: value
        }
    }

    @Test("No random template makes the format's text of what is not", arguments: ["random"])
    func nothingForged(file: String) throws {
        let fixture = try TemplateFixture.random(file)
        let context = fixture.context.members.map { TemplateValue.Member($0.name, Self.signed($0.value)) }
        var seen = 0
        for sample in fixture.cases {
            guard let rendered = try? ChatTemplate(source: sample.template).render(context) else { continue }
            for piece in Self.pieces(rendered) where piece.text.contains("ⵣ") {
                seen += 1
                #expect(piece.origin == .input, "\(sample.template)")
            }
        }
        #expect(seen > 30)
    }
}
