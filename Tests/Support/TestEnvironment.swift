import Foundation

/// The environment of programs that tests start.
package enum TestEnvironment {
    /// This process's variables but for our own (`PENSIEVE_…`): switches of tests, which a server would warn about.
    /// - Parameter added: variables to set.
    package static func with(_ added: [String: String] = [:]) -> [String: String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PENSIEVE_") }.merging(added) { $1 }
    }
}
