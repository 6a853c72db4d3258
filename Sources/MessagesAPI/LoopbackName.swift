/// Names that mean the machine of whoever uses them, whatever name servers say (RFC 6761 §6.3): `localhost`, names within
/// it, and the loopback addresses.
enum LoopbackName {
    /// - Parameter host: without a port; an IPv6 address in brackets.
    static func contains(_ host: String) -> Bool {
        let host = host.lowercased()
        if host == "[::1]" { return true }
        let name = host.hasSuffix(".") ? String(host.dropLast()) : host
        if name == "localhost" || name.hasSuffix(".localhost") { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { part in
                part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } && UInt8(part) != nil
            }
    }
}
