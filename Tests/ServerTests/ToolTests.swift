import Foundation
import Support
import Testing

/// Tools, structured output and thinking through the official SDK, and frameworks that build on it, over a socket.
@Suite struct ToolTests {
    private static let folder = Bundle.module.bundleURL.appendingPathComponent("Python")

    private func run(_ script: String, _ name: String) async throws {
        let server = try ServerProcess()
        let (status, output) = try await Python.run(
            Self.folder.appendingPathComponent(script),
            [name, server.address]
        )
        #expect(status == 0, "\(output)")
    }

    @Test(
        "The SDK gets calls, JSON of a schema and refusals as the API gives them, whole and streamed",
        .timeLimit(.minutes(5)),
        arguments: [
            "forced", "any_tool", "stream_equals_message", "helpers", "cut", "no_tools", "rounds", "results",
            "text_format", "parse", "tool_runner", "thread", "thinking", "counts", "refusals",
        ]
    )
    func sdk(_ name: String) async throws { try await run("tools.py", name) }

    @Test(
        "pydantic-ai and instructor get the objects that they ask for",
        .timeLimit(.minutes(5)),
        arguments: ["output_type", "native_output", "tools", "streamed", "instructor_tools"]
    )
    func frameworks(_ name: String) async throws { try await run("frameworks.py", name) }

    @Test("The README's example of a tool runner runs as it stands", .timeLimit(.minutes(2)))
    func readme() async throws {
        let server = try ServerProcess()
        let readme = try String(contentsOfFile: "README.md", encoding: .utf8)
        let example = try #require(
            readme.components(separatedBy: "```").first { $0.hasPrefix("python\n") && $0.contains("tool_runner") }
        )
        let script = FileManager.default.temporaryDirectory.appendingPathComponent("example-\(UUID()).py")
        defer { try? FileManager.default.removeItem(at: script) }
        let lines = example.dropFirst("python\n".count).replacing("http://127.0.0.1:7777", with: server.address)
        try lines.write(to: script, atomically: true, encoding: .utf8)
        let (status, output) = try await Python.run(script, [])
        #expect(status == 0 && output.contains("21 degrees"), "\(output)")
    }
}
