/// The variables of a part of a template. What a loop's body, a macro or a block sets is not seen outside of it.
final class Scope {
    let parent: Scope?
    /// Mostly few: looking through these is quicker than hashing.
    private var names: [Int] = []
    private var values: [Value] = []
    /// Of many names, the place of each.
    private var places: [Int: Int] = [:]
    private static let few = 16
    /// Whether a macro holds it: the two would never release each other.
    var isClearedAtEnd = false

    init(parent: Scope?) { self.parent = parent }

    func set(_ name: Int, to value: Value) {
        if let place = place(of: name) {
            values[place] = value
            return
        }
        names.append(name)
        values.append(value)
        guard names.count > Self.few else { return }
        for place in (places.isEmpty ? 0 : names.count - 1)..<names.count { places[names[place]] = place }
    }

    private func place(of name: Int) -> Int? {
        names.count > Self.few ? places[name] : names.firstIndex(of: name)
    }

    func value(of name: Int) -> Value? {
        var scope: Scope? = self
        while let current = scope {
            if let place = current.place(of: name) { return current.values[place] }
            scope = current.parent
        }
        return nil
    }

    func clear() {
        names = []
        values = []
        places = [:]
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
