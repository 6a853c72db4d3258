package import Foundation

/// Python programs that hold the server against independent clients.
package enum Python {
    /// The interpreter of the environment that the README's test command makes, or one named by PENSIEVE_TEST_PYTHON.
    package static let interpreter: String? = {
        let named = ProcessInfo.processInfo.environment["PENSIEVE_TEST_PYTHON"]
        let candidates = [named, FileManager.default.currentDirectoryPath + "/.venv/bin/python3"].compactMap { $0 }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    /// Runs a script to its end, off the cooperative pool.
    /// - Returns: its exit status and everything it printed.
    package static func run(_ script: URL, _ arguments: [String]) async throws -> (status: Int32, output: String) {
        guard let interpreter else {
            throw SupportError("no Python environment; the README's test command makes one in .venv")
        }
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: interpreter)
                process.arguments = [script.path] + arguments
                process.environment = TestEnvironment.with()
                let pipe = Pipe()
                process.standardOutput = pipe
                process.standardError = pipe
                do {
                    try process.run()
                    let data = pipe.fileHandleForReading.readDataToEndOfFile()
                    process.waitUntilExit()
                    continuation.resume(returning: (process.terminationStatus, String(decoding: data, as: UTF8.self)))
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }
}
