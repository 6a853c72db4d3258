import Foundation
import Support
import Testing

/// The chat page in a headless browser.
@Suite struct BrowserTests {
    private static let script = Bundle.module.bundleURL.appendingPathComponent("Python/browser.py")

    /// Whether there is a Chromium; the README's test command installs one.
    private static let hasBrowser = [
        "chromium", "chromium-headless-shell", "chromium-browser", "google-chrome", "google-chrome-stable",
    ]
    .contains { name in
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            .contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
    }

    @Test(
        "In Chromium",
        .enabled(if: hasBrowser, "there is no Chromium on this machine"),
        .timeLimit(.minutes(5)),
        arguments: ["page", "keys", "markdown", "failures", "origins"]
    )
    func browser(_ name: String) async throws {
        let (status, output) = try await Python.run(Self.script, [name, ServerProcess.executable.path])
        #expect(status == 0, "\(output)")
    }
}
