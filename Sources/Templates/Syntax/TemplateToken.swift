/// A token of the template language.
struct TemplateToken: Sendable {
    enum Kind: Sendable, Equatable {
        /// Text outside tags.
        case data([UInt8])
        case blockBegin, blockEnd
        case variableBegin, variableEnd
        case name(String)
        case string([UInt8])
        case integer(Int)
        case number(Double)
        case symbol(Symbol)
        case end
    }

    enum Symbol: String, Sendable, CaseIterable {
        case add = "+"
        case subtract = "-"
        case divide = "/"
        case floorDivide = "//"
        case multiply = "*"
        case modulo = "%"
        case power = "**"
        case tilde = "~"
        case leftBracket = "["
        case rightBracket = "]"
        case leftParenthesis = "("
        case rightParenthesis = ")"
        case leftBrace = "{"
        case rightBrace = "}"
        case equal = "=="
        case notEqual = "!="
        case greater = ">"
        case greaterOrEqual = ">="
        case less = "<"
        case lessOrEqual = "<="
        case assign = "="
        case dot = "."
        case colon = ":"
        case pipe = "|"
        case comma = ","
        case semicolon = ";"
    }

    let kind: Kind
    /// From 1.
    let line: Int

    func isName(_ name: String) -> Bool { kind == .name(name) }

    /// How messages call it.
    var label: String {
        switch kind {
        case .data: "text"
        case .blockBegin: "{%"
        case .blockEnd: "%}"
        case .variableBegin: "{{"
        case .variableEnd: "}}"
        case .name(let name): "'\(name)'"
        case .string: "a string"
        case .integer, .number: "a number"
        case .symbol(let symbol): "'\(symbol.rawValue)'"
        case .end: "the end of the template"
        }
    }
}
