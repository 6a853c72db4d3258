/// Where a web page comes from, as browsers say it in `Origin`: scheme, host and port (RFC 6454 §6.2).
package struct WebOrigin: Hashable, Sendable, CustomStringConvertible {
    let scheme: String
    /// In lower case; an IPv6 address in brackets.
    let host: String
    /// Nil where it is the scheme's own.
    let port: Int?

    /// Nil for whatever is no origin, such as an address with a path, or `null`.
    package init?(_ text: String) {
        let text = text.lowercased()
        guard text.utf8.count <= 300, let separator = text.firstRange(of: "://") else { return nil }
        scheme = String(text[..<separator.lowerBound])
        let authority = text[separator.upperBound...]
        let hostEnd = authority.hasPrefix("[") ? authority.firstIndex(of: "]").map(authority.index(after:)) : nil
        let rest = authority[(hostEnd ?? authority.firstIndex(of: ":") ?? authority.endIndex)...]
        host = String(authority[..<rest.startIndex])
        guard WebOrigin.isScheme(scheme), WebOrigin.isHost(host) else { return nil }
        guard !rest.isEmpty else {
            port = nil
            return
        }
        let digits = rest.dropFirst()
        guard rest.hasPrefix(":"), digits.utf8.allSatisfy(isDigit), let number = UInt16(digits), number > 0 else {
            return nil
        }
        port = ["http": 80, "https": 443][scheme] == number ? nil : Int(number)
    }

    package var description: String { "\(scheme)://\(host)" + (port.map { ":\($0)" } ?? "") }

    /// Whether the page comes from a server of the machine that the browser runs on.
    var isLoopback: Bool {
        (scheme == "http" || scheme == "https") && LoopbackName.contains(host)
    }

    private static func isScheme(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLowercase(first) else { return false }
        return text.utf8.allSatisfy { isLowercase($0) || isDigit($0) || "+-.".utf8.contains($0) }
    }

    private static func isHost(_ text: String) -> Bool {
        if text.hasPrefix("[") {
            let address = text.utf8.dropFirst().dropLast()
            return !address.isEmpty && address.allSatisfy { isDigit($0) || ":.abcdef".utf8.contains($0) }
        }
        return !text.isEmpty && text.utf8.allSatisfy { isLowercase($0) || isDigit($0) || "-._".utf8.contains($0) }
    }
}

private func isLowercase(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
