import Testing

@testable import ModelHub

/// Sums of the sizes that a hub claims.
@Suite struct SaturatedSumTests {
    @Test("Sizes that exceed an Int together are as many as it holds")
    func sums() {
        #expect([Int]().saturatedSum == 0)
        #expect([3, 0, 4].saturatedSum == 7)
        #expect([Int.max, 0].saturatedSum == .max && [Int.max - 1, 1].saturatedSum == .max)
        #expect([1, Int.max, Int.max, 5].saturatedSum == .max)
    }

    @Test("A split model whose sizes exceed an Int is not taken for the smallest")
    func selection() throws {
        let files: [RepositoryPath: Int?] = [
            try RepositoryPath("m-Q4_0-00001-of-00002.gguf"): .max,
            try RepositoryPath("m-Q4_0-00002-of-00002.gguf"): .max,
            try RepositoryPath("n-Q4_1.gguf"): 5,
        ]
        let selection = try FileSelection(files, variant: nil, of: RepositoryName("a/b"))
        #expect(selection.entry.description == "n-Q4_1.gguf")
    }
}
