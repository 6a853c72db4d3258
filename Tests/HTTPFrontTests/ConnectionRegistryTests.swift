import Support
import Testing

@testable import HTTPFront

/// A table as a reference type, which `#expect` can mutate.
private final class Table<Connection: Sendable> {
    private var table = ConnectionTable<Connection>()

    var count: Int { table.count }
    var evictedCount: Int { table.evictedCount }

    func add(_ connection: Connection, client: String, at now: ContinuousClock.Instant) -> Int {
        table.add(connection, client: client, at: now)
    }

    func setState(of index: Int, to state: ConnectionTable<Connection>.State, at now: ContinuousClock.Instant) -> Bool {
        table.setState(of: index, to: state, at: now)
    }

    func evict(at now: ContinuousClock.Instant) -> Connection? { table.evict(at: now) }

    func evict(_ count: Int, at now: ContinuousClock.Instant) -> [Connection?] {
        (0..<count).map { _ in table.evict(at: now) }
    }

    func remove(_ index: Int) { table.remove(index) }
}

@Suite("Eviction of connections") struct ConnectionRegistryTests {
    private let start = ContinuousClock.now

    private func after(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test("the connection that has been idle for longest is evicted, and none twice")
    func longestIdle() {
        let table = Table<String>()
        let indices = ["a", "b", "c"].enumerated().map { table.add($1, client: "x", at: after($0)) }
        #expect(
            table.setState(of: indices[0], to: .active, at: after(5))
                && table.setState(of: indices[0], to: .idle, at: after(6))
        )
        #expect(table.evict(at: after(7)) == "b")
        #expect(table.count == 3 && table.evictedCount == 1)
        #expect(!table.setState(of: indices[1], to: .active, at: after(7)))
        #expect(table.evict(at: after(7)) == "c" && table.evict(at: after(7)) == "a")
        #expect(table.evict(at: after(7)) == nil)
        for index in indices { table.remove(index) }
        #expect(table.count == 0 && table.evictedCount == 0)
        // Free entries are used again.
        #expect(indices.contains(table.add("d", client: "y", at: after(8))))
        #expect(table.evict(at: after(8)) == "d")
    }

    @Test("no connection with a request in progress is evicted, nor one within its grace period")
    func stages() {
        let table = Table<String>()
        let active = table.add("active", client: "x", at: start)
        let receiving = table.add("receiving", client: "x", at: start)
        let answering = table.add("answering", client: "x", at: start)
        let lingering = table.add("lingering", client: "x", at: start)
        let uploading = table.add("uploading", client: "x", at: start)
        for (index, state) in [
            (active, .active), (receiving, .receiving), (answering, .answering), (lingering, .lingering),
            (uploading, .uploading),
        ] as [(Int, ConnectionTable<String>.State)] {
            #expect(table.setState(of: index, to: state, at: after(1)))
            // Setting the same state again does not restart the grace period.
            #expect(table.setState(of: index, to: state, at: after(1) + .milliseconds(900)))
        }
        #expect(table.evict(at: after(1) + .milliseconds(990)) == nil)
        #expect(table.evict(4, at: after(2)) == ["lingering", "receiving", "answering", nil])
        #expect(table.evict(2, at: after(11)) == ["uploading", nil])
    }

    @Test("a connection of the client that has most is evicted, even if another has been idle for longer")
    func clients() {
        let table = Table<String>()
        _ = table.add("early", client: "small", at: start)
        for index in 0..<3 { _ = table.add("crowd \(index)", client: "large", at: after(1 + index)) }
        // Connections with a request in progress do not count.
        for index in 0..<5 {
            #expect(
                table.setState(of: table.add("busy \(index)", client: "small", at: start), to: .active, at: after(9))
            )
        }
        #expect(table.evict(4, at: after(9)) == ["crowd 0", "crowd 1", "early", "crowd 2"])
    }

    @Test("the order of eviction is that of becoming idle, after any sequence of changes")
    func bookkeeping() {
        let table = Table<Int>()
        /// The open connections in the order in which they became idle.
        var present: [(index: Int, connection: Int)] = []
        var generator = SeededGenerator(seed: 1)
        for step in 0..<5000 {
            switch Int.random(in: 0..<4, using: &generator) {
            case 0, 1: present.append((table.add(step, client: "c", at: after(step)), step))
            case 2:
                guard let index = present.indices.randomElement(using: &generator) else { continue }
                table.remove(present.remove(at: index).index)
            default:
                guard let index = present.indices.randomElement(using: &generator) else { continue }
                let entry = present.remove(at: index)
                #expect(table.setState(of: entry.index, to: .active, at: after(step)))
                #expect(table.setState(of: entry.index, to: .idle, at: after(step)))
                present.append(entry)
            }
        }
        #expect(table.count == present.count)
        for entry in present { #expect(table.evict(at: after(6000)) == entry.connection) }
        #expect(table.evict(at: after(6000)) == nil && table.evictedCount == present.count)
        for entry in present { table.remove(entry.index) }
        #expect(table.count == 0 && table.evictedCount == 0)
    }
}
