import Testing

@testable import MessagesAPI

@Suite("A fair queue") struct FairQueueTests {
    private static let megabyte = 1 << 20

    @Test("Serves clients in turn, whoever came first, and each in its own order")
    func turns() {
        var queue = FairQueue<String>(capacity: 100)
        for (ticket, name) in ["a1", "a2", "a3", "b1", "b2", "c1"].enumerated() {
            _ = queue.push(name, ticket: UInt64(ticket), client: String(name.prefix(1)), bytes: 10)
        }
        #expect(drained(&queue) == ["a1", "b1", "c1", "a2", "b2", "a3"])
        #expect(queue.count == 0 && queue.pop() == nil)
    }

    @Test("A client with large elements delays small ones of another by one of them")
    func bytes() {
        var queue = FairQueue<String>(capacity: 100)
        for ticket in 0..<64 {
            _ = queue.push("large", ticket: UInt64(ticket), client: "a", bytes: Self.megabyte)
        }
        #expect(queue.pop() == "large")
        for ticket in 64..<70 { _ = queue.push("small", ticket: UInt64(ticket), client: "b", bytes: 50_000) }
        // What came after what is served now goes before the second large one, up to as many bytes.
        #expect((0..<6).map { _ in queue.pop() } == Array(repeating: "small", count: 6))
        #expect(queue.pop() == "large")
    }

    @Test("Who is served while nothing else of his waits has had his share all the same")
    func remembersShares() {
        var queue = FairQueue<String>(capacity: 100)
        _ = queue.push("large", ticket: 1, client: "a", bytes: Self.megabyte)
        #expect(queue.pop() == "large")
        _ = queue.push("large", ticket: 2, client: "a", bytes: Self.megabyte)
        _ = queue.push("small", ticket: 3, client: "b", bytes: 10)
        #expect(drained(&queue) == ["small", "large"])
        // Nobody waited for a while: all begin anew.
        _ = queue.push("large", ticket: 4, client: "a", bytes: Self.megabyte)
        _ = queue.push("small", ticket: 5, client: "b", bytes: 10)
        #expect(drained(&queue) == ["large", "small"])
    }

    @Test("When it is full, the newest of the client with the most makes room for others, and for nobody else")
    func displacement() {
        var queue = FairQueue<String>(capacity: 4)
        for (ticket, name) in ["a1", "a2", "a3", "a4"].enumerated() {
            _ = queue.push(name, ticket: UInt64(ticket), client: "a", bytes: 10)
        }
        #expect(outcome(queue.push("a5", ticket: 5, client: "a", bytes: 10)) == "refused a5")
        #expect(outcome(queue.push("b1", ticket: 6, client: "b", bytes: 10)) == "displaced a4")
        #expect(outcome(queue.push("b2", ticket: 7, client: "b", bytes: 10)) == "displaced a3")
        #expect(outcome(queue.push("b3", ticket: 8, client: "b", bytes: 10)) == "refused b3")
        #expect(outcome(queue.push("c1", ticket: 9, client: "c", bytes: 10)) == "displaced b2")
        #expect(queue.count == 4)
        #expect(drained(&queue) == ["a1", "b1", "c1", "a2"])
    }

    @Test("What is taken out costs its client nothing")
    func removal() {
        var queue = FairQueue<String>(capacity: 4)
        _ = queue.push("a1", ticket: 1, client: "a", bytes: Self.megabyte)
        _ = queue.push("b1", ticket: 2, client: "b", bytes: 10)
        _ = queue.push("a2", ticket: 3, client: "a", bytes: 10)
        #expect(queue.remove(1, client: "a") == "a1" && queue.remove(1, client: "a") == nil)
        #expect(queue.remove(2, client: "a") == nil && queue.count == 2)
        #expect(drained(&queue) == ["b1", "a2"])
    }

    private func drained(_ queue: inout FairQueue<String>) -> [String] {
        var result: [String] = []
        while let next = queue.pop() { result.append(next) }
        return result
    }

    private func outcome(_ arrival: FairQueue<String>.Arrival) -> String {
        switch arrival {
        case .queued: "queued"
        case .displaced(let name): "displaced \(name)"
        case .refused(let name): "refused \(name)"
        }
    }
}
