extension TemplateParser {
    private static let constants: Set<String> = ["true", "false", "none", "True", "False", "None"]

    /// One target, or several with commas between them.
    mutating func target(withAttributes: Bool = false, until end: String? = nil) throws(TemplateError) -> Target {
        var targets: [Target] = []
        var isTuple = false
        while true {
            if !targets.isEmpty { try expect(.symbol(.comma)) }
            if isTupleEnd(end) { break }
            targets.append(try simpleTarget(withAttributes: withAttributes))
            guard current.kind == .symbol(.comma) else { break }
            isTuple = true
        }
        if isTuple { return .tuple(targets) }
        guard let target = targets.first else { throw .syntax("a name is expected, not \(current.label)", line: line) }
        return target
    }

    private mutating func simpleTarget(withAttributes: Bool) throws(TemplateError) -> Target {
        let line = self.line
        if skipSymbol(.leftParenthesis) {
            let targets = try nested { (parser) throws(TemplateError) in
                try parser.target(until: nil)
            }
            try expect(.symbol(.rightParenthesis))
            return targets
        }
        let name = try expectName()
        guard !Self.constants.contains(name) else { throw .syntax("'\(name)' cannot be assigned to", line: line) }
        if withAttributes, skipSymbol(.dot) {
            let attribute = try expectName()
            guard !attribute.hasPrefix("_") else {
                throw .syntax("a namespace has no attribute '\(attribute)'", line: line)
            }
            return .attribute(name: use(of: name), attribute: attribute, line: line)
        }
        guard name != "loop" else { throw .syntax("'loop' cannot be assigned to", line: line) }
        return .name(names.index(of: name))
    }

    func isTupleEnd(_ end: String?) -> Bool {
        switch current.kind {
        case .variableEnd, .blockEnd, .symbol(.rightParenthesis): true
        case .name(let name): name == end
        default: false
        }
    }
}
