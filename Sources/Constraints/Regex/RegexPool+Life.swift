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

    /// A depth-first search for an expression that is known to be alive. All on the path to it are alive then; if there is
    /// none, all visited are dead.
    private mutating func search(from root: RegexID) -> Bool {
        var path: [(id: RegexID, next: Int)] = [(root, 0)]
        var visited = [root]
        life[Int(root)] = .visited
        while let (id, next) = path.last {
            let targets = edges(of: id).map(\.target) + possibleSpecials(of: id).map(\.target)
            if next == 0, targets.contains(where: { life[Int($0)] == .alive }) {
                return finish(visited, alive: path.map(\.id))
            }
            guard next < targets.count else {
                path.removeLast()
                continue
            }
            path[path.count - 1].next += 1
            let target = targets[next]
            guard life[Int(target)] == .unknown else { continue }
            visits += 1
            guard visits < Self.mostVisits, !hasOverflowed else {
                giveUp()
                return finish(visited, alive: [])
            }
            life[Int(target)] = .visited
            visited.append(target)
            path.append((target, 0))
        }
        for id in visited { life[Int(id)] = .dead }
        return false
    }

    private mutating func finish(_ visited: [RegexID], alive: [RegexID]) -> Bool {
        for id in visited { life[Int(id)] = .unknown }
        for id in alive { life[Int(id)] = .alive }
        return !alive.isEmpty
    }
}
