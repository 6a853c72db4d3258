import Foundation
import Support
import Templates

/// What Scripts/make_template_fixtures.py wrote: templates, and what transformers renders with them.
enum TemplateFixture {
    /// The time that the script set the clock to.
    static let now = TemplateClock(secondsSince1970: 1_790_000_000)

    struct Result: Decodable {
        var output: String?
        var error: String?
        var message: String?
    }

    struct Families: Decodable {
        var contexts: [String: Tagged]
        var expected: [String: [String: Result]]
    }

    struct Random: Decodable {
        struct Case: Decodable {
            var template: String
            var output: String?
            var error: String?
        }

        var context: Tagged
        var cases: [Case]
    }

    /// JSON that keeps the order of members, and integers apart from floats.
    struct Tagged: Decodable {
        let value: TemplateValue

        var members: [TemplateValue.Member] {
            guard case .object(let members) = value else { return [] }
            return members
        }

        private struct Object: Decodable { var object: [Pair] }
        private struct Float: Decodable { var float: String }

        private struct Pair: Decodable {
            let member: TemplateValue.Member

            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                member = .init(try container.decode(String.self), try container.decode(Tagged.self).value)
            }
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                value = .null
            } else if let flag = try? container.decode(Bool.self) {
                value = .bool(flag)
            } else if let integer = try? container.decode(Int.self) {
                value = .integer(integer)
            } else if let text = try? container.decode(String.self) {
                value = .string(text)
            } else if let elements = try? container.decode([Tagged].self) {
                value = .array(elements.map(\.value))
            } else if let float = try? container.decode(Float.self) {
                value = .number(Double(float.float) ?? .nan)
            } else {
                value = .object(try container.decode(Object.self).object.map(\.member))
            }
        }
    }

    static func file(_ name: String) throws -> Data {
        try FixtureFile.data("TemplatesTests/Fixtures/\(name)")
    }

    static func source(_ name: String) throws -> String { String(decoding: try file("\(name).jinja"), as: UTF8.self) }

    static func families() throws -> Families { try JSONDecoder().decode(Families.self, from: file("expected.json")) }
    static func random(_ name: String) throws -> Random {
        try JSONDecoder().decode(Random.self, from: file("\(name).json"))
    }
}

extension ChatTemplate {
    /// The whole text of a rendering.
    func text(
        _ context: [TemplateValue.Member],
        limits: TemplateLimits = TemplateLimits()
    ) throws(TemplateError) -> String {
        try render(context, now: TemplateFixture.now, limits: limits).string
    }
}

/// The text of a template rendered once.
func rendered(_ source: String, _ context: [TemplateValue.Member] = []) throws(TemplateError) -> String {
    try ChatTemplate(source: source).text(context)
}
