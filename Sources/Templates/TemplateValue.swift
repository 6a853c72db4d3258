/// A value that a template is rendered with.
package indirect enum TemplateValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    /// Text from outside. Whatever a template does with it, no special token is ever read from it.
    case string(String)
    /// Text that belongs to the format, such as `bos_token` or the name of a role: it may be, or become part of, a
    /// special token.
    case templateText(String)
    /// Text from outside that ends with a mark, by which the place is found again in what is rendered.
    case marked(String)
    /// Texts one after the other, each with its own origin.
    case joined([TemplateValue])
    /// A place for a text that the template does not see: it is put in when all is rendered, by its number.
    case placeholder(Int)
    case array([TemplateValue])
    case object([Member])
    /// An array or object from outside, and JSON that says the same: `tojson` writes just that, unless it indents.
    case spelled(TemplateValue, String)

    package struct Member: Sendable, Equatable {
        package var name: String
        package var value: TemplateValue

        package init(_ name: String, _ value: TemplateValue) {
            self.name = name
            self.value = value
        }
    }
}

extension TemplateValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(nilLiteral: ()) { self = .null }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: TemplateValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, TemplateValue)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
}
