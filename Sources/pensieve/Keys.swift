import Foundation

/// The API keys a server accepts, and where it may listen without any.
enum Keys {
    /// Reads the configured keys; none when no file is configured.
    static func load(_ configuration: Configuration) throws(ConfigurationError) -> [String] {
        guard let path = configuration.apiKeyFile else { return [] }
        guard let data = FileManager.default.contents(atPath: path), data.count <= 1 << 20 else {
            throw ConfigurationError("cannot read the API key file '\(path)' (it must exist and have at most 1 MiB)")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw ConfigurationError("\(path): not UTF-8 text; write one key on each line")
        }
        let keys = text.split(whereSeparator: \.isNewline)
            .map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty && !$0.hasPrefix("#") }
        guard !keys.isEmpty else {
            throw ConfigurationError("\(path): no key in it; write one key on each line")
        }
        return keys
    }

    /// Loads the keys and refuses to serve others without any.
    @discardableResult
    static func check(_ configuration: Configuration) throws(ConfigurationError) -> [String] {
        let keys = try load(configuration)
        guard !keys.isEmpty || isLoopback(configuration.host) else {
            throw ConfigurationError(
                "listening on \(configuration.host) lets other machines in: configure keys with --api-key-file FILE, "
                    + "or listen on 127.0.0.1"
            )
        }
        return keys
    }

    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
