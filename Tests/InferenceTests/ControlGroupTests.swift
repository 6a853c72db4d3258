import Foundation
import Testing

@testable import Inference

/// What containers leave of the machine.
@Suite struct ControlGroupTests {
    private func limits(_ files: [String: String], membership: String) throws -> [Int?] {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())")
        defer { try? FileManager.default.removeItem(at: root) }
        for (name, text) in files {
            let file = root.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: file)
        }
        let group = ControlGroup(root: root.path, membership: membership)
        return [group.cores, group.freeBytes]
    }

    @Test("The tightest limit around the process holds")
    func tightest() throws {
        let files = [
            "cpu.max": "max 100000\n", "memory.max": "1000000\n", "memory.current": "400000\n",
            "memory.stat": "anon 1000\nfile 70000\nactive_file 20000\ninactive_file 30000\n",
            "a/cpu.max": "150000 100000\n", "a/memory.max": "max\n", "a/memory.current": "300000\n",
            "a/b/cpu.max": "400000 100000\n", "a/b/memory.max": "700000\n", "a/b/memory.current": "200000\n",
            "other/cpu.max": "1000 100000\n", "other/memory.max": "0\n", "other/memory.current": "0\n",
        ]
        #expect(try limits(files, membership: "1:cpu:/other\n0::/a/b\n") == [2, 500_000])
        #expect(try limits(files, membership: "0::/\n") == [nil, 650_000])
    }

    @Test("Without limits, or with files that say something else, there are none")
    func none() throws {
        #expect(try limits([:], membership: "0::/a") == [nil, nil])
        #expect(try limits([:], membership: "") == [nil, nil])
        let odd = ["cpu.max": "-1 0", "memory.max": "-5", "memory.current": "x"]
        #expect(try limits(odd, membership: "0::/") == [nil, nil])
        #expect(try limits(["memory.max": "5", "memory.current": "9"], membership: "0::/") == [nil, 0])
    }

    @Test("Cores and free memory are what the system itself says, or less")
    func system() throws {
        #expect(1...ProcessInfo.processInfo.activeProcessorCount ~= SystemCores.count)
        let information = try String(contentsOfFile: "/proc/meminfo", encoding: .utf8)
        let total = try #require(information.firstMatch(of: #/MemTotal: +([0-9]+) kB/#).flatMap { Int($0.1) })
        #expect(1...(total << 10) ~= SystemMemory.freeBytes())
    }
}
