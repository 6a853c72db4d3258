/// A template, read.
struct TemplateSyntax: Sendable {
    enum Literal: Sendable, Hashable {
        case none
        case bool(Bool)
        case integer(Int)
        case number(UInt64)
        case text([UInt8])
    }

    var body: [Statement] = []
    /// Every name the template speaks of; variables are looked up by their place here.
    var names: [String] = []
    var literals: [Literal] = []
    /// For each stretch: the variables that are undefined when it begins. The whole template is the first.
    var hidden: [[Int]] = []

    init(_ source: String) throws(TemplateError) {
        var parser = TemplateParser(tokens: try TemplateLexer.tokens(of: source))
        body = try parser.template()
        names = parser.names.values
        literals = parser.literals.values
        hidden = parser.scopes.hidden()
    }
}

/// Numbers for values, the same number for equal ones.
struct InternTable<Value: Hashable & Sendable>: Sendable {
    private(set) var values: [Value] = []
    private var indices: [Value: Int] = [:]

    mutating func index(of value: Value) -> Int {
        if let index = indices[value] { return index }
        indices[value] = values.count
        values.append(value)
        return values.count - 1
    }
}
