import Foundation
import HTTPFront

/// Decides whose requests pass.
///
/// With keys configured only those pass. Without, the development keys pass, and only from this machine.
struct KeyRing: Sendable {
    private let keys: [[UInt8]]

    init(_ keys: [String]) { self.keys = keys.map { Array($0.utf8) } }

    /// Either header suffices. What was presented is never repeated in an answer.
    func check(_ head: RequestHead) throws(APIError) {
        let presented = KeyRing.presented(head.headers)
        guard !presented.isEmpty else { throw .authentication("Missing request header \"authorization\"") }
        // No early exit: how long it takes must not tell which key, or how much of one, was right.
        var passes = false
        for key in presented where accepts(key, fromLoopback: head.peerIsLoopback) { passes = true }
        guard passes else {
            throw .authentication("invalid key in request header \"authorization\" or \"x-api-key\"")
        }
    }

    /// A name for the client, for taking turns; the key cannot be read from it.
    static func client(_ head: RequestHead) -> String {
        var hasher = Hasher()
        hasher.combine(presented(head.headers))
        return String(hasher.finalize())
    }

    /// What logs call the client: the accepted key's place among the configured ones, from 1; nil if it is none of them.
    func name(of head: RequestHead) -> String? {
        let presented = KeyRing.presented(head.headers)
        let accepted = keys.map { key in presented.reduce(false) { KeyRing.equal(key, $1) || $0 } }
        return accepted.firstIndex(of: true).map { "key#\($0 + 1)" }
    }

    /// A text without the keys that a client presented and those that are configured, in case it holds one.
    func blotting(_ headers: Headers, out text: String) -> String {
        (KeyRing.presented(headers) + keys).reduce(text) { text, key in
            text.replacingOccurrences(of: String(decoding: key, as: UTF8.self), with: "[key]")
        }
    }

    private static func presented(_ headers: Headers) -> [[UInt8]] {
        var keys = headers.values("x-api-key").map { Array($0.utf8) }
        for value in headers.values("authorization") {
            let parts = value.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            guard parts.count == 2, parts[0].lowercased() == "bearer" else { continue }
            keys.append(Array(parts[1].drop { $0 == " " }.utf8))
        }
        return keys.filter { !$0.isEmpty }
    }

    private func accepts(_ key: [UInt8], fromLoopback isLoopback: Bool) -> Bool {
        guard keys.isEmpty else {
            return keys.reduce(false) { KeyRing.equal($1, key) || $0 }
        }
        let prefix = Array("sk-ant-api-".utf8)
        let isDevelopmentKey =
            KeyRing.equal(Array("test-api-key-12345".utf8), key)
            || (key.count > prefix.count && key.starts(with: prefix))
        return isLoopback && isDevelopmentKey
    }

    /// Equality in a time that depends on the lengths only.
    private static func equal(_ key: [UInt8], _ presented: [UInt8]) -> Bool {
        var difference: UInt8 = key.count == presented.count ? 0 : 1
        for (index, byte) in presented.enumerated() {
            difference |= byte ^ (index < key.count ? key[index] : 0)
        }
        return difference == 0
    }
}
