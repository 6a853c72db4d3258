/// The variables of a part of a template. What a loop's body, a macro or a block sets is not seen outside of it.
final class Scope {
    let parent: Scope?
    /// Few in each scope: looking through them is quicker than hashing.
    private var names: [Int] = []
    private var values: [Value] = []
    /// Whether a macro holds it: the two would never release each other.
    var isClearedAtEnd = false

    init(parent: Scope?) { self.parent = parent }

    func set(_ name: Int, to value: Value) {
        if let index = names.firstIndex(of: name) {
            values[index] = value
        } else {
            names.append(name)
            values.append(value)
        }
    }

    func value(of name: Int) -> Value? {
        var scope: Scope? = self
        while let current = scope {
            if let index = current.names.firstIndex(of: name) { return current.values[index] }
            scope = current.parent
        }
        return nil
    }

    func clear() {
        names = []
        values = []
    }
}

/// A macro, with the variables that it saw where it was defined.
final class Macro {
    let definition: MacroDefinition
    let scope: Scope

    init(_ definition: MacroDefinition, scope: Scope) {
        self.definition = definition
        self.scope = scope
    }
}
