package import Foundation
import Synchronization

/// One run of the built program, or of another one, to its end or to a signal.
package final class Program: Sendable {
    package struct Outcome: Sendable {
        package let status: Int32
        /// Standard output, and standard error.
        package let output: String
        package let errors: String
    }

    private let process: Mutex<Process>
    private let output: Task<String, Never>
    private let errors: Task<String, Never>

    /// Starts a program; the environment is `TestEnvironment`'s, with some variables added.
    package init(
        _ arguments: [String],
        environment: [String: String] = [:],
        executable: URL = ServerProcess.executable
    ) throws {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = TestEnvironment.with(environment)
        process.standardInput = FileHandle.nullDevice
        let pipes = (Pipe(), Pipe())
        process.standardOutput = pipes.0
        process.standardError = pipes.1
        try process.run()
        output = Self.reading(pipes.0)
        errors = Self.reading(pipes.1)
        self.process = Mutex(process)
    }

    deinit {
        process.withLock { process in
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
    }

    package func signal(_ number: Int32) { kill(process.withLock { $0.processIdentifier }, number) }

    package var isRunning: Bool { process.withLock { $0.isRunning } }

    package func outcome() async throws -> Outcome {
        let texts = await (output.value, errors.value)
        while isRunning { try await Task.sleep(for: .milliseconds(5)) }
        return Outcome(status: process.withLock { $0.terminationStatus }, output: texts.0, errors: texts.1)
    }

    /// Runs a program to its end.
    package static func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        executable: URL = ServerProcess.executable
    ) async throws -> Outcome {
        try await Program(arguments, environment: environment, executable: executable).outcome()
    }

    private static func reading(_ pipe: Pipe) -> Task<String, Never> {
        Task {
            await withCheckedContinuation { continuation in
                Thread.detachNewThread { @Sendable in
                    let data = pipe.fileHandleForReading.readDataToEndOfFile()
                    continuation.resume(returning: String(decoding: data, as: UTF8.self))
                }
            }
        }
    }
}
