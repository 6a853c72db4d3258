import Testing

@testable import Inference

@Suite struct LinearTests {
    @Test("Only layers whose matrices all have their inputs alike are computed together")
    func groups() throws {
        let forms = try FormatFixture.forms(packing: true)
        func matrix(_ name: String) throws -> Matrix { try #require(forms.first { $0.name == name }).matrix }
        func linear(_ names: String...) throws -> Linear { Linear(try names.map(matrix), bias: nil) }
        let usual = try linear("Q4_1", "Q4_1")
        #expect(try usual.canBeGrouped(with: linear("Q4_1", "Q5_1")))
        for other in [
            try linear("Q4_1", "Q4_0"), try linear("Q4_0", "Q4_1"), try linear("Q4_1", "Q2_K"),
            try linear("Q4_1", "IQ4_XS"), try linear("Q4_1"),
        ] {
            #expect(!usual.canBeGrouped(with: other) && !other.canBeGrouped(with: usual))
        }
    }
}
