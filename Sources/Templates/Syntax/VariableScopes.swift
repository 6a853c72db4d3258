/// Which variables each stretch of a template speaks of.
///
/// Jinja decides before it renders where a variable lives. One that a stretch sets before it reads it, and that nothing
/// around the stretch speaks of, is a new one there: until it is set it is undefined, even if the context has a variable
/// of its name.
struct VariableScopes {
    private struct Scope {
        let parent: Int?
        var named: Set<Int> = []
        /// Set outside conditions before they were named otherwise.
        var setFirst: [Int] = []
        var conditions = 0
    }

    private var scopes = [Scope(parent: nil)]
    private var current = 0

    /// Begins a stretch with variables of its own, inside the current one.
    /// - Returns: its number. The whole template is number 0.
    mutating func begin() -> Int {
        scopes.append(Scope(parent: current))
        current = scopes.count - 1
        return current
    }

    mutating func end() { current = scopes[current].parent ?? 0 }

    /// Goes back into the stretch begun last.
    mutating func resume() { current = scopes.count - 1 }

    mutating func read(_ name: Int) { scopes[current].named.insert(name) }

    /// What always has a value: an item of a loop, a parameter of a macro.
    mutating func declare(_ names: [Int]) { scopes[current].named.formUnion(names) }

    mutating func set(_ names: [Int]) {
        for name in names where scopes[current].named.insert(name).inserted {
            if scopes[current].conditions == 0 { scopes[current].setFirst.append(name) }
        }
    }

    mutating func beginCondition() { scopes[current].conditions += 1 }
    mutating func endCondition() { scopes[current].conditions -= 1 }

    /// For each stretch: the variables that are undefined when it begins.
    func hidden() -> [[Int]] {
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
