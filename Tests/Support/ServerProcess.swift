package import Foundation
import Synchronization

/// A real server in a process of its own, on a free port; ended with the value's life.
package final class ServerProcess: Sendable {
    package let address: String
    package var port: Int { Int(address.split(separator: ":").last ?? "") ?? 0 }
    package var identifier: Int32 { process.withLock { $0.processIdentifier } }

    private let process: Mutex<Process>
    private let log: LogReader

    /// Starts `pensieve start --port 0` with more arguments and waits until it says that it is ready.
    /// - Parameters:
    ///   - launcher: a program that becomes the server, such as `nohup`.
    ///   - descriptors: the limit on its open descriptors, if not this process's.
    package init(
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        launcher: String? = nil,
        descriptors: Int? = nil
    ) throws {
        let process = Process()
        process.executableURL = launcher.map { URL(fileURLWithPath: $0) } ?? Self.executable
        process.arguments = (launcher == nil ? [] : [Self.executable.path]) + ["start", "--port", "0"] + arguments
        if let descriptors {
            process.executableURL = Self.shell
            process.arguments = Self.limited(["start", "--port", "0"] + arguments, to: descriptors)
        }
        process.environment = TestEnvironment.with(environment)
        let pipe = Pipe()
        process.standardError = pipe
        process.standardOutput = FileHandle.nullDevice
        log = LogReader(pipe.fileHandleForReading)
        try process.run()
        guard let address = log.waitForAddress(seconds: 60) else {
            process.terminate()
            throw SupportError("the server did not get ready; it said: \(log.text)")
        }
        self.address = address
        self.process = Mutex(process)
    }

    deinit {
        process.withLock { process in
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
    }

    package var said: String { log.text }

    package func signal(_ number: Int32) { kill(identifier, number) }

    /// The exit status, or nil if the process still runs after this time.
    package func waitForExit(seconds: Double) async throws -> Int32? {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while Date() < deadline {
            if let status = process.withLock({ $0.isRunning ? nil : $0.terminationStatus }) { return status }
            try await Task.sleep(for: .milliseconds(20))
        }
        return nil
    }

    /// Open descriptors of the process.
    package var descriptorCount: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(identifier)/fd").count) ?? 0
    }

    /// CPU seconds the process has used, user and system.
    package var cpuSeconds: Double {
        guard let text = try? String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8),
            let rest = text.split(separator: ")").last?.split(separator: " "), rest.count > 13
        else { return 0 }
        return (Double(rest[11]) ?? 0) / 100 + (Double(rest[12]) ?? 0) / 100
    }

    package static var executable: URL { built("pensieve") }

    package static let shell = URL(fileURLWithPath: "/bin/sh")

    /// The shell's arguments that run the program with a limit on open descriptors.
    package static func limited(_ arguments: [String], to descriptors: Int) -> [String] {
        ["-c", "ulimit -n \(descriptors) && exec \"$0\" \"$@\"", executable.path] + arguments
    }

    /// A built program beside the test bundle.
    package static func built(_ name: String) -> URL {
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL ?? Bundle.main.bundleURL
        let folder = bundle.pathExtension == "xctest" ? bundle.deletingLastPathComponent() : bundle
        return folder.appendingPathComponent(name)
    }
}

package struct SupportError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Collects what a process says, on a thread of its own.
private final class LogReader: Sendable {
    private let collected = Mutex("")

    var text: String { collected.withLock { $0 } }

    init(_ handle: FileHandle) {
        let descriptor = dup(handle.fileDescriptor)
        Thread.detachNewThread { [self] in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                guard count > 0 else { break }
                let piece = String(decoding: buffer[..<count], as: UTF8.self)
                collected.withLock { $0 += piece }
            }
            close(descriptor)
        }
    }

    func waitForAddress(seconds: Double) -> String? {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while Date() < deadline {
            // What follows shows that it is whole; in a log of JSON lines the line end is an escape.
            if let match = text.firstMatch(of: #/is ready at (http:\/\/[^\s"\\]+)[\s"\\]/#) { return String(match.1) }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return nil
    }
}
