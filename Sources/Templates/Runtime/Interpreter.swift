/// One rendering of a template: its variables, its output and its remaining budget.
final class Interpreter {
    let budget: Budget
    let names: [String]
    /// The index of `loop` in `names`; -1 in a template that does not name it.
    let loopName: Int
    /// The time for `strftime_now`.
    let now: TemplateClock
    private let literals: [Value]
    /// The context's variables and the global functions, in the order of `names`.
    private let variables: [Value?]
    private let undefinedAtStart: [[Int]]
    private let limits: TemplateLimits
    private let outputBytes: Int

    var scope = Scope(parent: nil)
    var output: TextBuilder
    /// The text that a filter block's filters are applied to.
    var captured = Text.empty
    /// The line of the template under evaluation, for error messages.
    var line = 1
    private var depth = 0
    /// Empties, when rendering ends, what could refer to itself and would never be released.
    private var cleanups: [() -> Void] = []

    init(_ syntax: TemplateSyntax, context: [TemplateValue.Member], now: TemplateClock, limits: TemplateLimits)
        throws(TemplateError)
    {
        self.limits = limits
        self.now = now
        let size = ContextSize(context)
        budget = Budget(steps: limits.steps(for: size))
        outputBytes = limits.outputBytes(for: size)
        names = syntax.names
        loopName = syntax.names.firstIndex(of: "loop") ?? -1
        literals = syntax.literals.map(Value.init)
        undefinedAtStart = syntax.undefinedAtStart
        output = TextBuilder(budget)
        var values: [String: Value] = [:]
        for member in context { values[member.name] = try Value(member.value) }
        variables = syntax.names.map { values[$0] ?? GlobalFunction(rawValue: $0).map(Value.function) }
    }

    /// Renders the whole template.
    func render(_ body: [Statement]) throws(TemplateError) -> Text {
        defer {
            for cleanup in cleanups { cleanup() }
            cleanups = []
            scope.clear()
        }
        do {
            try beginScope(0, in: scope)
            _ = try execute(body)
        } catch {
            throw error.at(line: line)
        }
        return output.finish()
    }

    func addCleanup(_ cleanup: @escaping () -> Void) { cleanups.append(cleanup) }

    /// Empties a scope that a macro holds when rendering ends.
    func clearAtEnd(_ scope: Scope) {
        guard !scope.isClearedAtEnd else { return }
        scope.isClearedAtEnd = true
        addCleanup { scope.clear() }
    }

    /// Goes one level deeper, at the cost of a step.
    func descend<Result>(_ body: () throws(TemplateError) -> Result) throws(TemplateError) -> Result {
        try enter()
        defer { leave() }
        return try body()
    }

    @inline(__always)
    func enter() throws(TemplateError) {
        try budget.spend()
        depth += 1
        guard depth <= limits.depth else {
            depth -= 1
            throw .limit("the template calls itself too deeply")
        }
    }

    @inline(__always)
    func leave() { depth -= 1 }

    func literal(_ index: Int) -> Value { literals[index] }

    /// A variable, wherever it is defined.
    func variable(_ index: Int) -> Value {
        scope.value(of: index) ?? variables[index] ?? .undefined(Undefined(.name(names[index])))
    }

    /// A scope inside `parent`, with the variables that begin undefined in it.
    func makeScope(_ number: Int, parent: Scope) throws(TemplateError) -> Scope {
        let scope = Scope(parent: parent)
        try beginScope(number, in: scope)
        return scope
    }

    private func beginScope(_ number: Int, in scope: Scope) throws(TemplateError) {
        try budget.spend(undefinedAtStart[number].count)
        for name in undefinedAtStart[number] { scope.set(name, to: .undefined(Undefined(.name(names[name])))) }
    }

    /// Runs `body` with the variables of `inner`.
    func within<Result>(_ inner: Scope, _ body: () throws(TemplateError) -> Result) throws(TemplateError) -> Result {
        let outer = scope
        scope = inner
        defer { scope = outer }
        return try body()
    }

    /// What `body` writes.
    func capture(_ body: () throws(TemplateError) -> Void) throws(TemplateError) -> Text {
        let outer = output
        output = TextBuilder(budget)
        defer { output = outer }
        try body()
        return output.finish()
    }

    func write(_ text: Text) throws(TemplateError) {
        try output.append(text)
        guard output.count <= outputBytes else { throw .limit("the template writes too much") }
    }
}

/// How much a context holds.
struct ContextSize {
    private(set) var values = 0
    private(set) var bytes = 0

    init(_ members: [TemplateValue.Member]) { add(.object(members)) }

    private mutating func add(_ value: TemplateValue) {
        values += 1
        switch value {
        case .string(let text), .templateText(let text), .marked(let text): bytes += text.utf8.count
        case .array(let elements), .joined(let elements): for element in elements { add(element) }
        case .placeholder: bytes += 8
        case .object(let members):
            for member in members {
                bytes += member.name.utf8.count
                add(member.value)
            }
        case .spelled(let value, let json):
            bytes += json.utf8.count
            add(value)
        case .null, .bool, .integer, .number: break
        }
    }
}

extension TemplateLimits {
    func steps(for size: ContextSize) -> Int { steps + stepsPerValue * size.values + stepsPerByte * size.bytes }
    func outputBytes(for size: ContextSize) -> Int { outputBytes + outputBytesPerByte * size.bytes }
}

extension Value {
    init(_ literal: TemplateSyntax.Literal) {
        switch literal {
        case .none: self = .none
        case .bool(let flag): self = .bool(flag)
        case .integer(let integer): self = .integer(integer)
        case .number(let bits): self = .number(Double(bitPattern: bits))
        case .text(let bytes): self = .text(Text(bytes, .template))
        }
    }

    init(_ value: TemplateValue) throws(TemplateError) {
        switch value {
        case .null: self = .none
        case .bool(let flag): self = .bool(flag)
        case .integer(let integer): self = .integer(integer)
        case .number(let number): self = .number(number)
        case .string(let text): self = .text(Text(text, .input))
        case .templateText(let text): self = .text(Text(text, .template))
        case .marked(let text): self = .text(try ContinuationMark.appended(to: Text(text, .input)))
        case .joined(let parts):
            var builder = TextBuilder(Budget(steps: .max))
            for part in parts {
                guard case .text(let text) = try Value(part) else { throw .operation("only texts can be joined") }
                try builder.append(text)
            }
            self = .text(builder.finish())
        case .placeholder(let number): self = .text(Placeholder.text(number))
        case .array(let elements):
            var values: [Value] = []
            values.reserveCapacity(elements.count)
            for element in elements { values.append(try Value(element)) }
            self = .list(try ListValue(values))
        case .object(let members):
            var pairs: [(key: Value, value: Value)] = []
            pairs.reserveCapacity(members.count)
            for member in members { pairs.append((.text(Text(member.name, .input)), try Value(member.value))) }
            self = .dict(try DictValue(pairs, Budget(steps: .max)))
        case .spelled(let value, let json):
            switch try Value(value) {
            case .list(let list): self = .list(list.spelled(Text(json, .input)))
            case .dict(let dict): self = .dict(dict.spelled(Text(json, .input)))
            case let other: self = other
            }
        }
    }
}
