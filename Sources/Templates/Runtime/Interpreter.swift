/// One rendering of a template: its variables, its output, and what it may still spend.
final class Interpreter {
    let budget: Budget
    let names: [String]
    /// The place of `loop`; of no meaning in a template that does not speak of it.
    let loopName: Int
    /// What the clock says, for `strftime_now`.
    let now: TemplateClock
    private let literals: [Value]
    /// The context's variables and the globals, by the place of their names.
    private let variables: [Value?]
    private let hidden: [[Int]]
    private let limits: TemplateLimits
    private let outputBytes: Int

    var scope = Scope(parent: nil)
    var output: TextBuilder
    /// The text that a filter block's filters are applied to.
    var captured = Text.empty
    /// Where the interpreter is, for messages.
    private(set) var line = 1
    private var depth = 0
    /// What can come to hold itself, to be emptied in the end.
    private var kept: [() -> Void] = []

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
        hidden = syntax.hidden
        output = TextBuilder(budget)
        var values: [String: Value] = [:]
        for member in context { values[member.name] = try Value(member.value) }
        variables = syntax.names.map { values[$0] ?? GlobalFunction(rawValue: $0).map(Value.function) }
    }

    /// Renders the whole template.
    func render(_ body: [Statement]) throws(TemplateError) -> Text {
        defer {
            for empty in kept { empty() }
            kept = []
            scope.clear()
        }
        do {
            hide(0, in: scope)
            _ = try execute(body)
        } catch {
            throw error.at(line: line)
        }
        return output.finish()
    }

    func keep(_ empty: @escaping () -> Void) { kept.append(empty) }

    /// Keeps a scope for a macro.
    func keep(_ scope: Scope) {
        guard !scope.isKept else { return }
        scope.isKept = true
        keep { scope.clear() }
    }

    func mark(line: Int) { self.line = line }

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

    /// A stretch's own variables, inside those of `parent`.
    func makeScope(_ number: Int, parent: Scope) -> Scope {
        let scope = Scope(parent: parent)
        hide(number, in: scope)
        return scope
    }

    private func hide(_ number: Int, in scope: Scope) {
        for name in hidden[number] { scope.set(name, to: .undefined(Undefined(.name(names[name])))) }
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
        case .string(let text), .formatText(let text), .marked(let text): bytes += text.utf8.count
        case .array(let elements): for element in elements { add(element) }
        case .object(let members):
            for member in members {
                bytes += member.name.utf8.count
                add(member.value)
            }
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
        case .text(let bytes): self = .text(Text(bytes, .format))
        }
    }

    init(_ value: TemplateValue) throws(TemplateError) {
        switch value {
        case .null: self = .none
        case .bool(let flag): self = .bool(flag)
        case .integer(let integer): self = .integer(integer)
        case .number(let number): self = .number(number)
        case .string(let text): self = .text(Text(text, .outside))
        case .formatText(let text): self = .text(Text(text, .format))
        case .marked(let text): self = .text(try PlaceMark.appended(to: Text(text, .outside)))
        case .array(let elements):
            var values: [Value] = []
            values.reserveCapacity(elements.count)
            for element in elements { values.append(try Value(element)) }
            self = .list(try ListValue(values))
        case .object(let members):
            var pairs: [(key: Value, value: Value)] = []
            pairs.reserveCapacity(members.count)
            for member in members { pairs.append((.text(Text(member.name, .outside)), try Value(member.value))) }
            self = .dict(try DictValue(pairs))
        }
    }
}
