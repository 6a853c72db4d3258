/// A value over several lines of at most 80 characters, as Python's `pprint` writes it.
struct PrettyText {
    private static let width = 80

    private let interpreter: Interpreter
    private(set) var builder: TextBuilder
    private var depth = 0

    init(_ interpreter: Interpreter) {
        self.interpreter = interpreter
        builder = TextBuilder(interpreter.budget)
    }

    private mutating func put(_ text: String) throws(TemplateError) { try builder.append(text, .outside) }

    private mutating func breakLine(_ indent: Int) throws(TemplateError) {
        try put("\n")
        try builder.append(Text(" ", .outside), times: indent)
    }

    /// - Parameters:
    ///   - indent: the column where the value begins.
    ///   - allowance: how many characters follow it in its last line.
    mutating func write(_ value: Value, indent: Int = 0, allowance: Int = 0) throws(TemplateError) {
        depth += 1
        defer { depth -= 1 }
        let line = try repr(value)
        guard line.length > Self.width - indent - allowance else { return try builder.append(line) }
        switch value {
        case .text(let text) where !text.isMarkup: try write(text, indent, allowance)
        case .list(let list):
            try put("[")
            try write(list, indent + 1, allowance + 1)
            try put("]")
        case .tuple(let list) where !list.isGroup:
            let closing = list.count == 1 ? ",)" : ")"
            try put("(")
            try write(list, indent + 1, allowance + closing.utf8.count)
            try put(closing)
        case .dict(let dict): try write(dict, indent + 1, allowance + 1)
        default: try builder.append(line)
        }
    }

    private mutating func write(_ list: ListValue, _ indent: Int, _ allowance: Int) throws(TemplateError) {
        for index in 0..<list.count {
            if index > 0 {
                try put(",")
                try breakLine(indent)
            }
            try write(list[index], indent: indent, allowance: index == list.count - 1 ? allowance : 1)
        }
    }

    private mutating func write(_ dict: DictValue, _ indent: Int, _ allowance: Int) throws(TemplateError) {
        try put("{")
        for (index, item) in try sortedItems(dict).enumerated() {
            if index > 0 {
                try put(",")
                try breakLine(indent)
            }
            let key = try repr(item.key)
            try builder.append(key)
            try put(": ")
            let last = index == dict.count - 1
            try write(item.value, indent: indent + key.length + 2, allowance: last ? allowance : 1)
        }
        try put("}")
    }

    /// A long string: literals that Python joins, broken after white space. Where it is all there is, it is in brackets.
    private mutating func write(_ text: Text, _ indent: Int, _ allowance: Int) throws(TemplateError) {
        let isAlone = depth == 1
        let (indent, allowance) = isAlone ? (indent + 1, allowance + 1) : (indent, allowance)
        var literals: [Text] = []
        let lines = try interpreter.lineRanges(of: text, keepsEnds: true)
        for (number, line) in lines.enumerated() {
            let isLast = number == lines.count - 1
            let whole = try repr(.text(text[line]))
            if whole.length <= Self.width - indent - (isLast ? allowance : 0) {
                literals.append(whole)
            } else {
                literals += try brokenLiterals(of: text[line], Self.width - indent, lastWidth: isLast ? allowance : 0)
            }
        }
        if isAlone, literals.count > 1 { try put("(") }
        for (index, literal) in literals.enumerated() {
            if index > 0 { try breakLine(indent) }
            try builder.append(literal)
        }
        if isAlone, literals.count > 1 { try put(")") }
    }

    /// - Parameter lastWidth: by how much the last literal must be shorter.
    private func brokenLiterals(of line: Text, _ width: Int, lastWidth: Int) throws(TemplateError) -> [Text] {
        var result: [Text] = []
        var current = 0..<0
        for word in words(of: line) {
            let candidate = current.lowerBound..<word.upperBound
            let most = word.upperBound == line.count ? width - lastWidth : width
            if try repr(.text(line[candidate])).length > most {
                if !current.isEmpty { result.append(try repr(.text(line[current]))) }
                current = word
            } else {
                current = candidate
            }
        }
        if !current.isEmpty { result.append(try repr(.text(line[current]))) }
        return result
    }

    /// Words, each with the white space after it.
    private func words(of line: Text) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var (start, offset) = (0, 0)
        var isAfterSpace = false
        while offset < line.count {
            let (scalar, end) = line.scalar(at: offset)
            if isAfterSpace, !scalar.isPythonSpace {
                result.append(start..<offset)
                start = offset
            }
            isAfterSpace = scalar.isPythonSpace
            offset = end
        }
        if start < line.count { result.append(start..<line.count) }
        return result
    }

    // MARK: One line

    /// As `repr`, but with the keys of mappings in order.
    private func repr(_ value: Value) throws(TemplateError) -> Text {
        var repr = Repr(interpreter.budget, sortedItems: sortedItems)
        try repr.write(value)
        return repr.builder.finish()
    }

    /// In the order of the keys, or of their types' names where they cannot be compared.
    private func sortedItems(_ dict: DictValue) throws(TemplateError) -> [(key: Value, value: Value)] {
        let items = zip(dict.keys, dict.values).map { (key: $0, value: $1) }
        let budget = interpreter.budget
        return try items.stablySorted { (left, right) throws(TemplateError) in
            do throws(TemplateError) {
                return try Comparison.isLess(left.key, right.key, budget)
            } catch {
                if error.kind == .limit { throw error }
                return left.key.typeName < right.key.typeName
            }
        }
    }
}
