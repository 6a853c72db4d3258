import APIClient
import Foundation

/// The key that `chat` and `status` show to a server.
enum ServerKey {
    static let variable = "PENSIEVE_API_KEY"
    /// What a server without configured keys lets in from its own machine.
    private static let development = "test-api-key-12345"

    /// The first key of a file, else the environment's, else on this machine the development key.
    static func find(file: String?, target: Target) throws(ConfigurationError) -> String? {
        if let file {
            var configuration = Configuration()
            configuration.apiKeyFile = file
            return try Keys.load(configuration).first
        }
        if let key = ProcessInfo.processInfo.environment[variable], !key.isEmpty {
            guard key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw ConfigurationError("\(variable): a key is of visible ASCII characters")
            }
            return key
        }
        return Keys.isLoopback(target.host) ? development : nil
    }

    /// A server reads no key from the environment; whoever sets one there may think that it does.
    static func warning(_ configuration: Configuration) -> String? {
        guard configuration.apiKeyFile == nil, ProcessInfo.processInfo.environment[variable] != nil else { return nil }
        return "\(variable) is what chat and status show to a server; the keys that a server accepts are named by "
            + "--api-key-file FILE"
    }
}
