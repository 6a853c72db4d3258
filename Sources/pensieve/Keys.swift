import Foundation

/// The API keys a server accepts, and where it may listen without any.
enum Keys {
    /// Reads the configured keys; none when no file is configured.
    static func load(_ configuration: Configuration) throws(ConfigurationError) -> [String] {
        guard let path = configuration.apiKeyFile else { return [] }
        let data = try SmallFile.read(path, what: "API key file")
        guard let text = String(data: data, encoding: .utf8) else {
            throw ConfigurationError("\(path): not UTF-8 text; write one key on each line")
        }
        var keys: [String] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            if let key = try key(of: line, place: "\(path): line \(index + 1)") { keys.append(key) }
        }
        guard !keys.isEmpty else {
            throw ConfigurationError("\(path): no key in it; write one key on each line")
        }
        return keys
    }

    /// The key on a line, without spaces around it or a comment behind it; nil if there is none.
    /// - Throws: `ConfigurationError` for what no client could send. The line itself is never shown: it is a secret.
    private static func key(of line: Substring, place: String) throws(ConfigurationError) -> String? {
        let words = line.split(whereSeparator: \.isWhitespace).prefix { !$0.hasPrefix("#") }
        guard let key = words.first else { return nil }
        guard words.count == 1 else {
            throw ConfigurationError("\(place): a key has no spaces; write one key on each line, comments after '#'")
        }
        guard key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ConfigurationError("\(place): a key must be of visible ASCII characters, or no client can send it")
        }
        return String(key)
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

    /// What is to be said of a key file that every user of the machine can read; nil if all is well.
    static func warning(_ configuration: Configuration) -> String? {
        guard let path = configuration.apiKeyFile,
            let mode = try? FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int,
            mode & 0o004 != 0
        else { return nil }
        return "every user of this machine can read \(path); to change that: chmod o= \(path)"
    }

    /// Whether only this machine reaches an address. A name other than `localhost` counts as reachable by others.
    static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
