/// Which variables each scope of a template names.
///
/// Jinja decides at compile time which scope a variable belongs to. One that a scope sets before it reads it, and that no
/// enclosing scope names, is local: it is undefined until it is set, even if the context has a variable of that name.
struct VariableScopes {
    private struct Scope {
        let parent: Int?
        var named: Set<Int> = []
        /// Set, not inside a condition, before they were read.
        var setFirst: [Int] = []
        var conditions = 0
    }

    private var scopes = [Scope(parent: nil)]
    private var current = 0

    /// Begins a scope inside the current one.
    /// - Returns: its number. The whole template is number 0.
    mutating func begin() -> Int {
        scopes.append(Scope(parent: current))
        current = scopes.count - 1
        return current
    }

    mutating func end() { current = scopes[current].parent ?? 0 }

    /// Goes back into the scope begun last.
    mutating func resume() { current = scopes.count - 1 }

    mutating func read(_ name: Int) { scopes[current].named.insert(name) }

    /// Variables that always have a value: items of a loop, parameters of a macro.
    mutating func declare(_ names: [Int]) { scopes[current].named.formUnion(names) }

    mutating func set(_ names: [Int]) {
        for name in names where scopes[current].named.insert(name).inserted {
            if scopes[current].conditions == 0 { scopes[current].setFirst.append(name) }
        }
    }

    mutating func beginCondition() { scopes[current].conditions += 1 }
    mutating func endCondition() { scopes[current].conditions -= 1 }

    /// For each scope, by its number, the variables that are undefined when it begins.
    func undefinedAtStart() -> [[Int]] {
        scopes.map { scope in scope.setFirst.filter { !isNamed($0, around: scope) } }
    }

    private func isNamed(_ name: Int, around scope: Scope) -> Bool {
        var parent = scope.parent
        while let index = parent {
            if scopes[index].named.contains(name) { return true }
            parent = scopes[index].parent
        }
        return false
    }
}
