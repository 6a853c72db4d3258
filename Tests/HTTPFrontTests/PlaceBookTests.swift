import Support
import Testing

@testable import HTTPFront

/// A book that expectations may change.
private final class Book<Occupant: Sendable> {
    private var book = PlaceBook<Occupant>()

    var count: Int { book.count }
    var dismissed: Int { book.dismissed }

    func enter(_ occupant: Occupant, client: String, at now: ContinuousClock.Instant) -> Int {
        book.enter(occupant, client: client, at: now)
    }

    func change(_ number: Int, to stage: PlaceBook<Occupant>.Stage, at now: ContinuousClock.Instant) -> Bool {
        book.change(number, to: stage, at: now)
    }

    func dismiss(at now: ContinuousClock.Instant) -> Occupant? { book.dismiss(at: now) }

    func dismiss(_ count: Int, at now: ContinuousClock.Instant) -> [Occupant?] {
        (0..<count).map { _ in book.dismiss(at: now) }
    }

    func leave(_ number: Int) { book.leave(number) }
}

@Suite("Who gives way") struct PlaceBookTests {
    private let start = ContinuousClock.now

    private func after(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test("the one that has been idle for longest, and nobody twice")
    func longestIdle() {
        let book = Book<String>()
        let numbers = ["a", "b", "c"].enumerated().map { book.enter($1, client: "x", at: after($0)) }
        #expect(
            book.change(numbers[0], to: .occupied, at: after(5)) && book.change(numbers[0], to: .idle, at: after(6))
        )
        #expect(book.dismiss(at: after(7)) == "b")
        #expect(book.count == 3 && book.dismissed == 1)
        #expect(!book.change(numbers[1], to: .occupied, at: after(7)))
        #expect(book.dismiss(at: after(7)) == "c" && book.dismiss(at: after(7)) == "a")
        #expect(book.dismiss(at: after(7)) == nil)
        for number in numbers { book.leave(number) }
        #expect(book.count == 0 && book.dismissed == 0)
        // The places are used again.
        #expect(numbers.contains(book.enter("d", client: "y", at: after(8))))
        #expect(book.dismiss(at: after(8)) == "d")
    }

    @Test("nobody with a request under way, and a beginner only when its time is over")
    func stages() {
        let book = Book<String>()
        let occupied = book.enter("occupied", client: "x", at: start)
        let receiving = book.enter("receiving", client: "x", at: start)
        let answering = book.enter("answering", client: "x", at: start)
        let leaving = book.enter("leaving", client: "x", at: start)
        let uploading = book.enter("uploading", client: "x", at: start)
        for (number, stage) in [
            (occupied, .occupied), (receiving, .receiving), (answering, .answering), (leaving, .leaving),
            (uploading, .uploading),
        ] as [(Int, PlaceBook<String>.Stage)] {
            #expect(book.change(number, to: stage, at: after(1)))
            // Saying the same again is no new beginning.
            #expect(book.change(number, to: stage, at: after(1) + .milliseconds(900)))
        }
        #expect(book.dismiss(at: after(1) + .milliseconds(990)) == nil)
        #expect(book.dismiss(4, at: after(2)) == ["leaving", "receiving", "answering", nil])
        #expect(book.dismiss(2, at: after(11)) == ["uploading", nil])
    }

    @Test("of several clients, one of the client that has most, whoever came first")
    func clients() {
        let book = Book<String>()
        _ = book.enter("early", client: "small", at: start)
        for index in 0..<3 { _ = book.enter("crowd \(index)", client: "large", at: after(1 + index)) }
        // What is under way does not count.
        for index in 0..<5 {
            #expect(book.change(book.enter("busy \(index)", client: "small", at: start), to: .occupied, at: after(9)))
        }
        #expect(book.dismiss(4, at: after(9)) == ["crowd 0", "crowd 1", "early", "crowd 2"])
    }

    @Test("is the same whatever came and went in between")
    func bookkeeping() {
        let book = Book<Int>()
        /// Those who have a place, in the order in which they became idle.
        var present: [(number: Int, occupant: Int)] = []
        var generator = SeededGenerator(seed: 1)
        for step in 0..<5000 {
            switch Int.random(in: 0..<4, using: &generator) {
            case 0, 1: present.append((book.enter(step, client: "c", at: after(step)), step))
            case 2:
                guard let index = present.indices.randomElement(using: &generator) else { continue }
                book.leave(present.remove(at: index).number)
            default:
                guard let index = present.indices.randomElement(using: &generator) else { continue }
                let place = present.remove(at: index)
                #expect(book.change(place.number, to: .occupied, at: after(step)))
                #expect(book.change(place.number, to: .idle, at: after(step)))
                present.append(place)
            }
        }
        #expect(book.count == present.count)
        for place in present { #expect(book.dismiss(at: after(6000)) == place.occupant) }
        #expect(book.dismiss(at: after(6000)) == nil && book.dismissed == present.count)
        for place in present { book.leave(place.number) }
        #expect(book.count == 0 && book.dismissed == 0)
    }
}

@Suite("The limit on descriptors") struct DescriptorBudgetTests {
    @Test("leaves enough for the rest of the process at every limit, or says how much is needed")
    func reserve() throws {
        for limit in [0, 64, 107] {
            let error = #expect(throws: HTTPServerError.self) {
                try DescriptorBudget(limit: limit, open: 12, wanted: 4096)
            }
            #expect(error?.message.contains("limit of \(limit) open files") == true)
            #expect(error?.message.contains("at least 108;") == true)
        }
        for limit in [108, 256, 1024, 4096, 1 << 20] {
            let budget = try DescriptorBudget(limit: limit, open: 12, wanted: 4096)
            #expect(budget.connections + budget.refusals + 12 + 64 <= limit)
            #expect(budget.refusals >= 8 && budget.refusals <= 64 && budget.connections >= 24)
        }
        #expect(try DescriptorBudget(limit: 1 << 20, open: 12, wanted: 4096).connections == 4096)
        #expect(try DescriptorBudget(limit: 1 << 20, open: 12, wanted: 2).connections == 2)
    }
}

@Suite("Memory for bodies") struct BodyMemoryTests {
    @Test("a client holds one body at least, and beyond that no more than it leaves")
    func shares() {
        var limits = Limits()
        (limits.maxBodyBytes, limits.maxBodyMemoryBytes) = (100, 1000)
        let memory = BodyMemory(limits)
        #expect(memory.take(500, for: "a") && !memory.take(1, for: "a"))
        #expect(memory.take(250, for: "b") && !memory.take(1, for: "b"))
        #expect(memory.take(125, for: "c") && !memory.take(1, for: "c"))
        #expect(memory.take(100, for: "d"))
        #expect(memory.take(25, for: "e") && !memory.take(1, for: "e"))
        memory.giveBack(500, of: "a")
        #expect(memory.take(75, for: "e"))
        // Nothing is left behind.
        for (client, count) in [("b", 250), ("c", 125), ("d", 100), ("e", 100)] { memory.giveBack(count, of: client) }
        #expect(memory.take(500, for: "e"))
    }

    @Test("there is room for one body however small the limit")
    func oneBody() {
        var limits = Limits()
        (limits.maxBodyBytes, limits.maxBodyMemoryBytes) = (100, 10)
        let memory = BodyMemory(limits)
        #expect(memory.take(100, for: "a") && !memory.take(1, for: "b"))
    }
}
