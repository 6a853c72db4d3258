/// Which expressions match anything at all.
extension RegexPool {
    /// Nodes that searches may visit between two calls of `allowSearches`. Past that the answer is no, and the pool has
    /// overflowed.
    static let mostVisits = 20_000

    /// Begins a new piece of work, with visits of its own.
    mutating func allowSearches() { visits = 0 }

    /// Whether an expression matches any text.
    mutating func isAlive(_ id: RegexID) -> Bool {
        switch life[Int(id)] {
        case .alive: return true
        case .dead: return false
        case .unknown, .visited: return search(from: id)
        }
    }

    /// The edges whose targets match something.
    mutating func liveEdges(of id: RegexID) -> [RegexEdge] {
        let all = edges(of: id)
        guard self[id].isDoubtful else { return all }
        return all.filter { isAlive($0.target) }
    }

    /// An expression on the path of a search, and where it leads.
    private struct Step {
        var id: RegexID
        var targets: [RegexID]
        var next = 0
    }

    /// A depth-first search for an expression that is known to be alive. All on the path to it are alive then; if there is
    /// none, all visited are dead.
    private mutating func search(from root: RegexID) -> Bool {
        life[Int(root)] = .visited
        var visited = [root]
        var path = [step(root)]
        while let last = path.indices.last {
            if path[last].next == 0, path[last].targets.contains(where: { life[Int($0)] == .alive }) {
                return finish(visited, alive: path.map(\.id))
            }
            guard path[last].next < path[last].targets.count else {
                path.removeLast()
                continue
            }
            let target = path[last].targets[path[last].next]
            path[last].next += 1
            guard life[Int(target)] == .unknown else { continue }
            visits += 1
            guard visits < Self.mostVisits, !hasOverflowed else {
                giveUp()
                return finish(visited, alive: [])
            }
            life[Int(target)] = .visited
            visited.append(target)
            path.append(step(target))
        }
        for id in visited { life[Int(id)] = .dead }
        return false
    }

    private mutating func step(_ id: RegexID) -> Step {
        var targets = edges(of: id).map(\.target) + possibleSpecials(of: id).map(\.target)
        if let far = farTarget(of: id) { targets.insert(far, at: 0) }
        return Step(id: id, targets: targets)
    }

    private mutating func finish(_ visited: [RegexID], alive: [RegexID]) -> Bool {
        for id in visited { life[Int(id)] = .unknown }
        for id in alive { life[Int(id)] = .alive }
        return !alive.isEmpty
    }

    // MARK: Large counts

    /// Where a byte that only counts leads when it is repeated until a count is nearly used up.
    ///
    /// If a byte leads from an intersection to the same with all its counts lowered by one, it does so again as long as no
    /// count comes to its end. So what is alive behind that is alive here, and the steps need not be walked.
    private mutating func farTarget(of id: RegexID) -> RegexID? {
        let node = self[id]
        if node.kind == .sequence {
            guard let far = farTarget(of: node.a) else { return nil }
            return pair(far, node.b)
        }
        guard node.kind == .intersection else { return nil }
        var steps = Int32.max
        for operand in operands(of: node) {
            guard let count = firstCount(of: operand) else { continue }
            guard count.b != 1, !self[count.a].isNullable else { return nil }
            if count.b > 1 { steps = min(steps, count.b - 1) }
            if count.c != RegexNode.unlimited { steps = min(steps, count.c - 2) }
        }
        guard steps >= Self.leastJump, steps < .max else { return nil }
        let next = lowered(id, by: 1)
        guard edges(of: id).contains(where: { $0.target == next }) else { return nil }
        return lowered(id, by: steps)
    }

    /// Fewer steps than this are walked.
    private static let leastJump: Int32 = 32

    /// The repetition that an expression is, or begins with.
    private func firstCount(of id: RegexID) -> RegexNode? {
        switch self[id].kind {
        case .repetition: self[id]
        case .sequence, .content: firstCount(of: self[id].a)
        default: nil
        }
    }

    /// An expression with another one in place of the repetition that it begins with.
    private mutating func replacingFirstCount(of id: RegexID, by rest: RegexID) -> RegexID {
        let node = self[id]
        switch node.kind {
        case .repetition: return rest
        case .sequence: return pair(replacingFirstCount(of: node.a, by: rest), node.b)
        case .content: return self.rest(ofContent: replacingFirstCount(of: node.a, by: rest))
        default: return id
        }
    }

    /// An intersection with the counts that its operands begin with lowered.
    private mutating func lowered(_ id: RegexID, by steps: Int32) -> RegexID {
        var parts = operands(of: self[id])
        for index in parts.indices {
            guard let count = firstCount(of: parts[index]) else { continue }
            let most = count.c == RegexNode.unlimited ? count.c : count.c - steps
            let rest = repetition(count.a, max(0, count.b - steps), most)
            parts[index] = replacingFirstCount(of: parts[index], by: rest)
        }
        return intersection(parts)
    }
}
