/// A prefix tree over bytes, built at once.
///
/// A node's children stand side by side, in the order of their bytes.
struct ByteTrie: Sendable {
    private struct Node {
        var firstChild: UInt32 = 0
        var childCount: UInt16 = 0
        var byte: UInt8 = 0
        var value: Int32 = -1
    }

    private var nodes = [Node()]

    /// Spellings that go through one node, in order.
    private struct Level {
        var node: UInt32
        var first: UInt32
        var end: UInt32

        init(node: Int, _ entries: Range<Int>) {
            self.node = UInt32(truncatingIfNeeded: node)
            first = UInt32(truncatingIfNeeded: entries.lowerBound)
            end = UInt32(truncatingIfNeeded: entries.upperBound)
        }
    }

    /// - Parameters:
    ///   - spellings: what it finds; empty ones it does not.
    ///   - excluded: numbers to leave out.
    init(_ spellings: SpellingTable, excluding excluded: Set<Int32> = []) {
        var entries = spellings.entries.filter { !$0.isEmpty && !excluded.contains(spellings.number(of: $0)) }
        entries.sort { spellings[$0].lexicographicallyPrecedes(spellings[$1]) }
        nodes.reserveCapacity(1 + Self.nodeCount(entries, spellings))
        // Level by level, so that a node's children come together.
        var level = [Level(node: 0, entries.indices)]
        var depth = 0
        while !level.isEmpty {
            var nextLevel: [Level] = []
            for parent in level {
                let node = Int(parent.node)
                nodes[node].firstChild = UInt32(truncatingIfNeeded: nodes.count)
                var rest = Int(parent.first)..<Int(parent.end)
                while let first = rest.first {
                    let byte = spellings.byte(entries[first], depth)
                    let end = rest.first { spellings.byte(entries[$0], depth) != byte } ?? rest.upperBound
                    var child = Node(byte: byte)
                    var deeper = first..<end
                    if entries[first].count == depth + 1 {
                        child.value = spellings.number(of: entries[first])
                        deeper = (first + 1)..<end
                    }
                    nodes.append(child)
                    nodes[node].childCount += 1
                    if !deeper.isEmpty { nextLevel.append(Level(node: nodes.count - 1, deeper)) }
                    rest = end..<rest.upperBound
                }
            }
            level = nextLevel
            depth += 1
        }
    }

    /// How many nodes sorted spellings need: each those that the one before it has not.
    private static func nodeCount(_ entries: [SpellingTable.Entry], _ spellings: SpellingTable) -> Int {
        var count = 0
        for index in entries.indices {
            var shared = 0
            if index > 0 {
                let (last, entry) = (entries[index - 1], entries[index])
                let most = Int(min(last.count, entry.count))
                while shared < most, spellings.byte(last, shared) == spellings.byte(entry, shared) { shared += 1 }
            }
            count += Int(entries[index].count) - shared
        }
        return count
    }

    var isEmpty: Bool { nodes.count == 1 }

    /// Calls the body with the end and value of each entry that the bytes begin with, the shortest first.
    @inline(__always)
    func forEachPrefix(of text: [UInt8], _ range: Range<Int>, _ body: (_ end: Int, _ value: Int32) -> Void) {
        var node = 0
        for index in range {
            guard let child = child(of: node, text[index]) else { return }
            node = child
            if nodes[node].value >= 0 { body(index + 1, nodes[node].value) }
        }
    }

    private func child(of node: Int, _ byte: UInt8) -> Int? {
        var low = Int(nodes[node].firstChild)
        var high = low + Int(nodes[node].childCount)
        while low < high {
            let middle = (low + high) / 2
            if nodes[middle].byte < byte { low = middle + 1 } else { high = middle }
        }
        return low < Int(nodes[node].firstChild) + Int(nodes[node].childCount) && nodes[low].byte == byte ? low : nil
    }
}
