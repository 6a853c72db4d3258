import Testing

@testable import HTTPFront

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
