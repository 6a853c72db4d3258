import Constraints
import EngineContract
import JSON

/// A small vocabulary: every byte, and pieces as models have them. The last token ends an answer; the one before is a
/// control token.
enum TestVocabulary {
    static let pieces: [String] = [
        "{\"", "\":", "\": ", "\", \"", ", ", ", \"", "\"}", "\"}]", "}}", "]}", "},", "[[", "true", "false", "null",
        "tr",
        "ue", "10", "00", "123", "ab", "abc", "name", "na", "me\"", "\n  ", "\n", "  ", "é", "日本", "\\n", "\\u00",
        "é\"",
        "a\", \"b", "}\n", "id", "1}", "5]", "--", " a", "item", "items\": [", ".5", "e1", "-0", "\":[", "\\\"",
    ]
    static let stop = Token(256 + pieces.count + 1)
    static let control = Token(256 + pieces.count)

    static let shared = Vocabulary(
        texts: (0..<256).map { [UInt8($0)] } + pieces.map { Array($0.utf8) } + [[], []],
        stopTokens: [stop]
    )

    static func node(_ json: String) throws -> JSONNode { try JSONDocument(Array(json.utf8)).root }

    static func grammar(_ schema: String, _ options: SchemaOptions = SchemaOptions()) throws -> Grammar {
        try Grammar(schema: try node(schema), options: options)
    }

    static func constraint(_ schema: String, _ options: SchemaOptions = SchemaOptions()) throws -> GrammarConstraint {
        GrammarConstraint(try grammar(schema, options), shared, forcesSpelling: false)
    }

    /// Whether a text, byte by byte, is an answer.
    static func admits(_ constraint: GrammarConstraint, _ text: String) -> Bool {
        var session = constraint
        for byte in text.utf8 where !session.accept(Token(byte)) { return false }
        return session.isComplete
    }

    static func reason(_ schema: String, _ options: SchemaOptions = SchemaOptions()) -> SchemaError.Reason? {
        do throws(SchemaError) {
            guard let node = try? node(schema) else { return nil }
            _ = try Grammar(schema: node, options: options)
            return nil
        } catch {
            return error.reason
        }
    }
}
