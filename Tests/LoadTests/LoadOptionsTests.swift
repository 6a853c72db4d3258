import APIClient
import Foundation
import Testing

@testable import LoadTest

@Suite struct LoadOptionsTests {
    @Test("The options of a command line are read")
    func reads() throws {
        let line =
            "--url http://[::1]:8080/llm/ --rate=2.5 --duration 3 --prompt-tokens 500 --shared-prefix 100 --verify "
            + "--questions sums,open --slo-ttft 250 --slo-e2e 4000 --html page.html --json -"
        let options = try #require(try LoadOptions.parse(line.split(separator: " ").map(String.init)))
        #expect(options.target == Target(host: "::1", port: 8080, path: "/llm"))
        #expect(options.target.description == "[::1]:8080/llm")
        #expect(options.pace == .rate(2.5) && options.seconds == 3 && options.requests > 100_000)
        #expect(options.promptTokens == 500 && options.sharedPrefix == 100 && options.verify)
        #expect(options.families == [.sums, .open])
        #expect(options.goals.timeToFirstToken == 0.25 && options.goals.endToEnd == 4)
        #expect(options.goals.interTokenLatency == nil)
        #expect(options.htmlPath == "page.html" && options.jsonPath == "-")
        #expect(try LoadOptions.parse(["--concurrency", "3", "-h"]) == nil)
    }

    @Test("A key comes from a file or the environment, and not from the command line alone")
    func keys() throws {
        let path = FileManager.default.temporaryDirectory.path + "/keys-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("# of the team\n\nalpha-1 laptop\nbeta-2\n".utf8).write(to: URL(fileURLWithPath: path))
        let none = path + "-none"
        defer { try? FileManager.default.removeItem(atPath: none) }
        try Data("# nobody\n".utf8).write(to: URL(fileURLWithPath: none))
        let environment = ["PENSIEVE_API_KEY": "gamma-3"]
        for (arguments, environment, key) in [
            (["--api-key-file", path], environment, "alpha-1"), ([], environment, "gamma-3"),
            (["--api-key", "delta-4"], environment, "delta-4"), ([], [:], "test-api-key-12345"),
        ] {
            #expect(try LoadOptions.parse(arguments, environment: environment)?.key == key)
        }
        for (arguments, environment, expected) in [
            (["--api-key-file", path + "x"], [:], "cannot be read"), (["--api-key-file", none], [:], "has no key"),
            (["--api-key-file", path, "--api-key", "x"], [:], "exclude"),
            ([], ["PENSIEVE_API_KEY": "a\nb"], "PENSIEVE_API_KEY"),
        ] {
            let error = #expect(throws: UsageError.self) {
                try LoadOptions.parse(arguments, environment: environment)
            }
            #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
        }
    }

    @Test(
        "A mistake is explained",
        arguments: [
            (["--concurency", "3"], "'--concurrency'"), (["-rate", "3"], "'--rate'"), (["--rate"], "needs a value"),
            (["--json", "--html"], "--json needs a value"), (["--model="], "needs a value"), (["x"], "'x'"),
            (["--rate", "1", "--concurrency", "1"], "exclude"), (["--rate", "nan"], "not a number"),
            (["--rate", "0x10"], "not a number"), (["--rate", "0"], "outside"),
            (["--requests", "1.5"], "whole number"),
            (["--requests", "99999999999999999999"], "whole number"), (["--concurrency", "0"], "outside 1 to 4096"),
            (["--shared-prefix", "9", "--prompt-tokens", "8"], "cannot be longer"),
            (["--questions", "sums,sum"], "'sum'"),
            (["--questions", ","], "at least one"), (["--url", "https://x"], "https"),
            (["--url", "ftp://x"], "no address"),
            (["--url", "http://x:99999"], "no address"), (["--url", "http://x?a=b"], "no query"),
            (["--url", "http://x/v1"], "leave /v1 out"), (["--api-key", "a\r\nb: c"], "visible"),
            (["--verify=no"], "'--verify'"),
        ]
    )
    func mistakes(_ arguments: [String], _ expected: String) {
        let error = #expect(throws: UsageError.self) { try LoadOptions.parse(arguments) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }
}

@Suite struct PoissonScheduleTests {
    @Test("Arrivals are in order, at the requested rate, with the gaps of a Poisson process")
    func schedule() {
        let moments = Array(PoissonSchedule(rate: 50, seed: 3).prefix(20_000))
        let gaps = zip(moments, [0] + moments).map { $0 - $1 }
        #expect(gaps.allSatisfy { $0 >= 0 })
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        #expect(abs(mean * 50 - 1) < 0.03)
        // Exponential distribution: the standard deviation equals the mean, and e⁻¹ of the gaps exceed the mean.
        let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
        #expect(abs(variance.squareRoot() / mean - 1) < 0.04)
        #expect(abs(Double(gaps.count { $0 > 1 / 50 }) / Double(gaps.count) - 0.368) < 0.015)
        #expect(Array(PoissonSchedule(rate: 50, seed: 3).prefix(20)) == Array(moments.prefix(20)))
        #expect(Array(PoissonSchedule(rate: 50, seed: 4).prefix(20)) != Array(moments.prefix(20)))
    }
}
