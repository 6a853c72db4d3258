import Console
package import Foundation

/// The hub and the cache to use, from the same environment variables as `huggingface_hub`.
package struct HubSettings: Sendable {
    /// Without a trailing slash.
    package var endpoint: URL
    package var token: String?
    /// Whether requests are forbidden.
    package var isOffline: Bool
    /// The folder that contains `models--ORG--NAME`.
    package var cache: String

    package static let publicEndpoint = "https://huggingface.co"

    /// - Parameter home: the user's home folder.
    /// - Throws: `HubError` for an endpoint or a token that cannot be used.
    package init(environment: [String: String], home: String) throws(HubError) {
        let paths = PathExpansion(environment: environment, home: home)
        let general = paths.folder("XDG_CACHE_HOME") ?? home + "/.cache"
        let hubHome = paths.folder("HF_HOME") ?? general + "/huggingface"
        cache = paths.folder("HF_HUB_CACHE") ?? paths.folder("HUGGINGFACE_HUB_CACHE") ?? hubHome + "/hub"
        isOffline = Self.isTrue(environment["HF_HUB_OFFLINE"]) || Self.isTrue(environment["TRANSFORMERS_OFFLINE"])
        endpoint = try Self.endpoint(environment["HF_ENDPOINT"])
        let file = paths.folder("HF_TOKEN_PATH") ?? hubHome + "/token"
        token = try Self.token(environment, file: file)
    }

    private static func endpoint(_ text: String?) throws(HubError) -> URL {
        var text = text ?? ""
        if text.isEmpty { text = publicEndpoint }
        while text.hasSuffix("/") { text.removeLast() }
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme), url.host?.isEmpty == false else {
            throw HubError("HF_ENDPOINT is '\(text.printable)'; an address such as \(publicEndpoint) is expected")
        }
        return url
    }

    private static func token(_ environment: [String: String], file: String) throws(HubError) -> String? {
        if isTrue(environment["HF_HUB_DISABLE_IMPLICIT_TOKEN"]) { return nil }
        for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] {
            if let token = try clean(environment[name], origin: name) { return token }
        }
        let text = FileManager.default.contents(atPath: file).map { String(decoding: $0.prefix(4096), as: UTF8.self) }
        return try clean(text, origin: file)
    }

    /// Trims and checks a token: it becomes part of a header, so it must be one word of printable ASCII.
    private static func clean(_ text: String?, origin: String) throws(HubError) -> String? {
        guard let token = text?.trimmingCharacters(in: .whitespacesAndNewlines), !token.isEmpty else { return nil }
        guard token.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw HubError("\(origin): a token is one word of printable ASCII; this is something else")
        }
        return token
    }

    private static func isTrue(_ text: String?) -> Bool {
        ["1", "ON", "YES", "TRUE"].contains((text ?? "").uppercased())
    }
}

/// Resolves paths in environment variables: `~`, `$NAME` and `${NAME}`.
private struct PathExpansion {
    let environment: [String: String]
    let home: String

    func folder(_ name: String) -> String? {
        guard let text = environment[name], !text.isEmpty else { return nil }
        var path = expandingVariables(text)
        if path == "~" || path.hasPrefix("~/") { path = home + path.dropFirst() }
        if !path.hasPrefix("/") { path = FileManager.default.currentDirectoryPath + "/" + path }
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    /// Unknown variables are left as written.
    private func expandingVariables(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            let isBraced = rest.dropFirst().first == "{"
            let name = rest.dropFirst(isBraced ? 2 : 1)
                .prefix { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
            var end = max(name.endIndex, rest.index(after: dollar))
            if isBraced, rest[end...].first == "}" { end = rest.index(after: end) }
            result += environment[String(name)] ?? String(rest[..<end])
            rest = rest[end...]
        }
        return result + rest
    }
}
