import Foundation
import Platform
import Testing

@Suite(.serialized) struct PlatformTests {
    @Test("The limit on open files is raised to the hard one")
    func descriptorLimit() throws {
        let raised = try #require(DescriptorLimit.raise())
        var limit = rlimit()
        #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        #expect(limit.rlim_cur == limit.rlim_max && raised == Int(clamping: limit.rlim_max))
        limit.rlim_cur -= 1
        #expect(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        #expect(DescriptorLimit.current == raised - 1)
        #expect(DescriptorLimit.raise() == raised && DescriptorLimit.current == raised)
    }

    @Test("Blocking work runs on a thread of its own, by the name given, and hands on what it throws")
    func threads() async throws {
        let name = try await onThread(named: "a-name") {
            try String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
        }
        #expect(name == "a-name\n")
        struct Failure: Error {}
        await #expect(throws: Failure.self) {
            try await onThread(named: "fails") { () throws(Failure) in throw Failure() }
        }
    }

    @Test("A process has not run for longer than its machine")
    func bootTime() throws {
        let first = try #require(secondsSinceBoot())
        let second = try #require(secondsSinceBoot())
        #expect(first > 0 && second >= first)
    }
}
