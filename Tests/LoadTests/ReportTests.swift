import Foundation
import Testing

@testable import LoadTest

@Suite struct ReportTests {
    /// A test with an error and a wrong reply, both with text that could break a page or a terminal.
    private func hostile() throws -> (test: LoadTest.Record, options: LoadOptions) {
        var options = LoadOptions()
        options.verify = true
        options.model = "<script>alert(1)</script>"
        options.goals.endToEnd = 1.5
        let question = Question(.phrases, ["Repeat after me: a 'b' \"c\""], expected: .phrase("a b c"))
        let samples = [
            try RequestSample.make(question, from: 0, to: 1, pieces: [0.25, 0.5, 1], text: "<img src=x>&", tokens: 3),
            try RequestSample.make(question, from: 1, to: 3, pieces: [2, 2.5, 3], text: "<img src=x>&", tokens: 3),
            RequestSample(
                question: question,
                start: 1,
                end: 2,
                outcome: .failed("HTTP 500", detail: "<b>\u{1B}[31mred\u{7}")
            ),
        ]
        let results = Results(samples, options: options)
        let started = Date(timeIntervalSince1970: 0)
        return (
            LoadTest.Record(results: results, samples: samples, started: started, isInterrupted: false), options
        )
    }

    @Test("Results are as calculated by hand")
    func figures() throws {
        let results = try hostile().test.results
        #expect(results.seconds == 3 && results.answered == 2 && results.failed == 1)
        #expect(results.timeToFirstToken.mean == 0.625 && results.timeToFirstToken.max == 1)
        // Gaps of 0.25 and three of 0.5.
        #expect(results.interTokenLatency.p50 == 0.5 && results.interTokenLatency.count == 4)
        #expect(results.endToEnd.mean == 1.5 && results.outputTokensTotal == 6)
        #expect(results.outputTokensPerSecond == 2)
        // One of the two answers took longer than 1.5 s.
        #expect(results.goodput?.share == 0.5 && abs((results.goodput?.requestsPerSecond ?? 0) - 1.0 / 3) < 1e-12)
    }

    @Test("The page has no external resources, and text from a server is escaped")
    func page() throws {
        let (test, options) = try hostile()
        let page = HTMLReport.page(test, options)
        for forbidden in [
            "http://", "https://", "src=\"", "href", "url(", "@import", "<script", "<img", "<b>\u{1B}", "\u{7}",
        ] {
            #expect(!page.contains(forbidden), "\(forbidden)")
        }
        #expect(page.contains("&lt;img src=x&gt;&amp;") && page.contains("1 failed, 2 wrong"))
        #expect(page.components(separatedBy: "<svg").count == 7)
        #expect(page.components(separatedBy: "<svg").count == page.components(separatedBy: "</svg>").count)
        #expect(!page.contains("nan") && !page.contains("inf\""))
    }

    @Test("The page of a test without answers is complete")
    func emptyPage() throws {
        let options = LoadOptions()
        let failed = RequestSample(
            question: Question(.open, ["x"], expected: nil),
            start: 0,
            end: 1,
            outcome: .failed("timeout")
        )
        for samples in [[failed], []] {
            let results = Results(samples, options: options)
            let test = LoadTest.Record(results: results, samples: samples, started: Date(), isInterrupted: true)
            let page = HTMLReport.page(test, options)
            #expect(page.hasSuffix("</html>\n") && !page.contains("nan"))
            #expect(!results.isGood)
        }
    }

    @Test("The table shows errors and wrong replies without their control characters")
    func table() throws {
        let (test, options) = try hostile()
        let table = Report.table(test, options)
        #expect(table.contains("1 × HTTP 500: \"<b>[31mred\""))
        #expect(table.contains("WRONG (the same every time)") && !table.contains("DIFFERING"))
        #expect(table.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 32 && $0.value != 127 })
    }

    @Test("The JSON has the same results")
    func json() throws {
        let (test, options) = try hostile()
        let value = try JSONSerialization.jsonObject(with: Data(try Report.json(test, options).utf8)) as? [String: Any]
        let results = value?["results"] as? [String: Any]
        #expect(results?["answered"] as? Int == 2 && value?["isGood"] as? Bool == false)
        #expect((results?["endToEnd"] as? [String: Any])?["max"] as? Double == 2)
        #expect((results?["verification"] as? [String: Any])?["wrong"] as? Int == 2)
    }
}
