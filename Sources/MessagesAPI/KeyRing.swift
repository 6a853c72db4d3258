import Foundation
import HTTPFront

/// Decides whose requests pass, and who a request is from.
///
/// With keys configured only those pass. Without, the development keys pass, and only from this machine.
struct KeyRing: Sendable {
    /// Who asks, as far as taking turns goes: an accepted key, whichever header it came in and whatever else came along.
    /// Those without configured keys are all programs of this machine, and one client however many development keys they
    /// make up.
    private enum Owner {
        case key(Int)
        case thisMachine
    }

    private static let developmentKey = Array("test-api-key-12345".utf8)
    private static let developmentPrefix = Array("sk-ant-api-".utf8)

    private let keys: [[UInt8]]

    init(_ keys: [String]) { self.keys = keys.map { Array($0.utf8) } }

    /// Either header suffices. What was presented is never repeated in an answer.
    func check(_ head: RequestHead) throws(APIError) {
        let presented = KeyRing.presented(head.headers)
        guard !presented.isEmpty else { throw .authentication(KeyRing.absence(head.headers) + advice(head)) }
        guard owner(of: presented, fromLoopback: head.peerIsLoopback) != nil else {
            throw .authentication(
                "invalid key in request header \"authorization\" or \"x-api-key\"" + advice(head)
            )
        }
    }

    /// A name for the client of a request that passes; no key can be read from it.
    func client(_ head: RequestHead) -> String {
        switch owner(of: KeyRing.presented(head.headers), fromLoopback: head.peerIsLoopback) {
        case .key(let index): "key \(index + 1)"
        case .thisMachine: "local"
        case nil: "unknown"
        }
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

    /// The owner of the first key that passes. No early exit: how long it takes must not tell which key, or how much of
    /// one, was right.
    private func owner(of presented: [[UInt8]], fromLoopback isLoopback: Bool) -> Owner? {
        var result: Owner?
        for key in presented {
            for (index, own) in keys.enumerated() {
                if KeyRing.equal(own, key), result == nil { result = .key(index) }
            }
            if keys.isEmpty, isLoopback, KeyRing.isDevelopmentKey(key) { result = .thisMachine }
        }
        return result
    }

    private static func isDevelopmentKey(_ key: [UInt8]) -> Bool {
        equal(developmentKey, key) || (key.count > developmentPrefix.count && key.starts(with: developmentPrefix))
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

/// What a refusal says.
extension KeyRing {
    private static func absence(_ headers: Headers) -> String {
        guard let value = headers[first: "authorization"], !value.isEmpty else {
            return "Missing request header \"authorization\" or \"x-api-key\""
        }
        return "request header \"authorization\" must have the form \"Bearer KEY\""
    }

    /// What to do.
    private func advice(_ head: RequestHead) -> String {
        let send = "; send \"x-api-key: KEY\" or \"authorization: Bearer KEY\" with "
        if !keys.isEmpty { return send + "one of the keys in the server's key file (api_key_file)" }
        guard head.peerIsLoopback else {
            return "; this server has no keys for other machines: start it with --api-key-file"
        }
        return send + "a development key as the server's start message names it, or start it with --api-key-file"
    }
}
