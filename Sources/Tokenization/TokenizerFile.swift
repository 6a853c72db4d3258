import Foundation

/// The parts of a `tokenizer.json` (the format of Hugging Face's `tokenizers`) that this module understands.
struct TokenizerFile: Decodable {
    struct AddedToken: Decodable {
        var id: Int32
        var content: String
        var special: Bool?
        var lstrip: Bool?
        var rstrip: Bool?
    }

    /// A pattern is either a literal or a regular expression.
    struct Pattern: Decodable {
        var String: Swift.String?
        var Regex: Swift.String?
    }

    /// A normalizer, pre-tokenizer or decoder: one shape serves all, told apart by `type`.
    struct Part: Decodable {
        var type: String
        var pattern: Pattern?
        var content: String?
        var prepend: String?
        var behavior: String?
        var invert: Bool?
        var add_prefix_space: Bool?
        var use_regex: Bool?
        var individual_digits: Bool?
        var normalizers: [Part]?
        var pretokenizers: [Part]?
        var decoders: [Part]?
    }

    /// A merge is written "left right" or ["left", "right"].
    struct Merge: Decodable {
        var left: String
        var right: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            let parts: [String]
            if let text = try? container.decode(String.self) {
                parts = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            } else {
                parts = try container.decode([String].self)
            }
            guard parts.count == 2 else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "a merge has two sides")
            }
            left = parts[0]
            right = parts[1]
        }
    }

    struct Model: Decodable {
        var type: String?
        var vocab: [String: Int32]
        var merges: [Merge]
        var byte_fallback: Bool?
        var ignore_merges: Bool?
        var unk_token: String?
        var continuing_subword_prefix: String?
        var end_of_word_suffix: String?
    }

    var added_tokens: [AddedToken]?
    var normalizer: Part?
    var pre_tokenizer: Part?
    var decoder: Part?
    var model: Model

    init(json: [UInt8]) throws(TokenizerError) {
        do {
            self = try JSONDecoder().decode(TokenizerFile.self, from: Data(json))
        } catch DecodingError.keyNotFound(let key, let context) {
            throw TokenizerError("tokenizer.json: \(Self.path(context.codingPath + [key])) is missing")
        } catch DecodingError.typeMismatch(let type, let context) {
            throw TokenizerError("tokenizer.json: \(Self.path(context.codingPath)) is not of type \(type)")
        } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
            throw TokenizerError("tokenizer.json: \(Self.path(context.codingPath)): \(context.debugDescription)")
        } catch {
            throw TokenizerError("tokenizer.json: not valid JSON of the expected shape")
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }
}
