import Testing

@testable import HTTPFront

@Suite("Quotas of clients") struct ClientQuotasTests {
    @Test("a client may hold one body, and beyond that at most as much as it leaves free")
    func shares() {
        var limits = Limits()
        (limits.maxBodyBytes, limits.maxBodyMemoryBytes) = (100, 1000)
        let memory = RequestMemoryQuota(limits)
        #expect(memory.reserve(500, for: "a") && !memory.reserve(1, for: "a"))
        #expect(memory.reserve(250, for: "b") && !memory.reserve(1, for: "b"))
        #expect(memory.reserve(125, for: "c") && !memory.reserve(1, for: "c"))
        #expect(memory.reserve(100, for: "d"))
        #expect(memory.reserve(25, for: "e") && !memory.reserve(1, for: "e"))
        memory.release(500, of: "a")
        #expect(memory.reserve(75, for: "e"))
        // Everything has been released.
        for (client, count) in [("b", 250), ("c", 125), ("d", 100), ("e", 100)] { memory.release(count, of: client) }
        #expect(memory.reserve(500, for: "e"))
    }

    @Test("one body fits however small the limit")
    func oneBody() {
        var limits = Limits()
        (limits.maxBodyBytes, limits.maxBodyMemoryBytes) = (100, 10)
        let memory = RequestMemoryQuota(limits)
        #expect(memory.reserve(100, for: "a") && !memory.reserve(1, for: "b"))
    }
}
