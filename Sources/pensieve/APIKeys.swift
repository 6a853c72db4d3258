import APIClient
import Foundation
import MessagesAPI

/// The API keys that a server accepts, and the addresses on which it may listen without any.
enum APIKeys {
    /// Reads the configured keys; empty if no file is configured.
    /// - Throws: `ConfigurationError` for a file that is unreadable, invalid or without a key.
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

    /// The key on a line, without surrounding spaces and comments; nil if there is none.
    /// - Throws: `ConfigurationError` for a key that no client could send. The message does not contain the line, which
    ///   is a secret.
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

    /// Loads the keys.
    /// - Throws: `ConfigurationError` if there are none and other machines can reach the server.
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

    /// A warning about a key file that every user of the machine can read; nil if it is protected.
    static func warning(_ configuration: Configuration) -> String? {
        guard let path = configuration.apiKeyFile,
            let mode = try? FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int,
            mode & 0o004 != 0
        else { return nil }
        return "every user of this machine can read \(path); to change that: chmod o= \(path)"
    }

    /// Whether only this machine can reach an address. Names other than `localhost` count as reachable by others.
    static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}

/// The API key that `chat` sends to a server.
enum ClientKey {
    static let variable = "PENSIEVE_API_KEY"
    /// The first key of a file, else that of the environment, else for a server on this machine the development key.
    /// - Throws: `ConfigurationError` for an unreadable file or a key that cannot be sent.
    static func find(file: String?, target: Target) throws(ConfigurationError) -> String? {
        if let file {
            var configuration = Configuration()
            configuration.apiKeyFile = file
            return try APIKeys.load(configuration).first
        }
        if let key = ProcessInfo.processInfo.environment[variable], !key.isEmpty {
            guard key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw ConfigurationError("\(variable): a key is of visible ASCII characters")
            }
            return key
        }
        return APIKeys.isLoopback(target.host) ? APIConfiguration.developmentKey : nil
    }

    /// A warning for users who set the variable for a server, which does not read it.
    static func warning(_ configuration: Configuration) -> String? {
        guard configuration.apiKeyFile == nil, ProcessInfo.processInfo.environment[variable] != nil else { return nil }
        return "\(variable) is what chat and status show to a server; the keys that a server accepts are named by "
            + "--api-key-file FILE"
    }
}

/// Small files written by hand: configurations and keys.
enum SmallFile {
    private static let maxBytes = 1 << 20

    /// Reads a file of at most 1 MiB.
    /// - Throws: `ConfigurationError` with the reason: no such file, a folder, no permission, too large.
    static func read(_ path: String, what: String) throws(ConfigurationError) -> Data {
        func failure(_ reason: String) -> ConfigurationError {
            ConfigurationError("cannot read the \(what) '\(path)': \(reason)")
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw failure("there is no such file")
        }
        guard !isFolder.boolValue else { throw failure("it is a folder") }
        guard let handle = FileHandle(forReadingAtPath: path) else { throw failure("no permission") }
        let data: Data?
        // One byte more than allowed reveals a file that is too long, or a device without end.
        do { data = try handle.read(upToCount: maxBytes + 1) } catch { throw failure("\(error.localizedDescription)") }
        guard let data, data.count <= maxBytes else {
            throw failure(data == nil ? "it is empty" : "it has more than 1 MiB")
        }
        return data
    }
}
