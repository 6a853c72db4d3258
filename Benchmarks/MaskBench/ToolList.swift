import Constraints
import EngineContract
import JSON

/// All schemas of a file as the tools of one request, called in the way of Hermes: what their grammar costs.
enum ToolList {
    static func measure(_ documents: [JSONDocument], _ vocabulary: Vocabulary) -> JSONValue {
        let clock = ContinuousClock()
        var choices: [(text: String, then: GrammarElement)] = []
        var options = SchemaOptions(ignoresUnsupported: true, layout: .spaced)
        options.isObject = true
        options.isClosed = true
        var refused = 0
        for (index, document) in documents.enumerated() {
            let schema = GrammarElement.schema(document.root["schema"], options)
            guard (try? Grammar(schema)) != nil else {
                refused += 1
                continue
            }
            choices.append(("tool\(index)\", \"arguments\": ", schema))
        }
        let body = GrammarElement.sequence([.choice(choices), .literal("}\n</tool_call>")])
        let calls = GrammarElement.sequence([
            .literal("\n{\"name\": \""),
            .repetition(body, separator: .literal("\n<tool_call>\n{\"name\": \"")),
        ])
        let text = FreeText(
            until: [FreeText.Branch([.text("<tool_call>")], then: calls)],
            mayEnd: true,
            ignoresSpace: true
        )
        let start = clock.now
        guard let grammar = try? Grammar(.text(text)) else {
            return .object([.init(name: "error", value: .string("the list is refused"))])
        }
        let compiled = clock.now
        var session = GrammarConstraint(grammar, vocabulary)
        var mask = TokenMask(tokenCount: vocabulary.tokenCount)
        session.allow(into: &mask)
        let first = clock.now
        for _ in 0..<1000 { session.allow(into: &mask) }
        let known = clock.now
        for byte in "<tool_call>\n{\"name\": \"".utf8 {
            let token = (0..<Token(vocabulary.tokenCount)).first { vocabulary.text($0).elementsEqual([byte]) }
            guard let token, session.accept(token) else { break }
        }
        let before = clock.now
        session.allow(into: &mask)
        let names = clock.now
        func time(_ duration: Duration, _ count: Int = 1) -> JSONValue {
            .double((duration / .microseconds(1) / Double(count) * 10).rounded() / 10)
        }
        return .object([
            .init(name: "tools", value: .integer(choices.count)), .init(name: "refused", value: .integer(refused)),
            .init(name: "compile µs", value: time(compiled - start)),
            .init(name: "first mask µs", value: time(first - compiled)),
            .init(name: "known mask µs", value: time(known - first, 1000)),
            .init(name: "mask of names µs", value: time(names - before)),
            .init(name: "MB", value: .double(Double(session.approximateBytes) / 1_048_576)),
        ])
    }
}
