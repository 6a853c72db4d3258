import Foundation
import HTTPFront

/// Decides whose requests pass, and who a request is from.
///
/// With keys configured only those pass. Without, the development keys pass, and only from this machine.
struct KeyRing: Sendable {
    /// Who asks: the owner of an accepted key, whichever header it came in and whatever else came along. Without configured
    /// keys all programs of this machine are one client, however many development keys they make up.
    enum Owner: Equatable, Sendable {
        /// - Parameter index: among the configured keys.
        case key(_ index: Int)
        case thisMachine

        /// The name under which the client takes turns; no key can be read from it.
        var clientName: String {
            switch self {
            case .key(let index): "key \(index + 1)"
            case .thisMachine: "local"
            }
        }

        /// What logs call the client: the key's place among the configured ones, from 1; nil if it is none of them.
        var logName: String? {
            guard case .key(let index) = self else { return nil }
            return "key#\(index + 1)"
        }
    }

    private static let developmentKey = Array(APIConfiguration.developmentKey.utf8)
    private static let developmentPrefix = Array("sk-ant-api-".utf8)

    private let keys: [[UInt8]]

    init(_ keys: [String]) { self.keys = keys.map { Array($0.utf8) } }

    /// The owner of a request's key; nil if it has none that passes. Either header suffices.
    func owner(of head: RequestHead) -> Owner? {
        owner(of: KeyRing.presented(head.headers), fromLoopback: head.peerIsLoopback)
    }

    /// The refusal of a request without an owner. What was presented is never repeated in it.
    func refusal(of head: RequestHead) -> APIError {
        let isAbsent = KeyRing.presented(head.headers).isEmpty
        let invalid = "invalid key in request header \"authorization\" or \"x-api-key\""
        return .authentication((isAbsent ? KeyRing.absence(head.headers) : invalid) + advice(head))
    }

    /// The beginning of a text, without the keys that a client presented and those that are configured, in case it holds
    /// some. What stands for a key is not looked at again, and the work is bounded whatever is presented.
    /// - Parameter count: how many bytes are needed; keys that begin among them are found whole.
    func blotting(_ headers: Headers, out text: String, upTo count: Int) -> String {
        let bytes = Array(text.utf8)
        var isHidden = [Bool](repeating: false, count: bytes.count)
        for key in Set(KeyRing.presented(headers) + keys) {
            for start in bytes.indices.prefix(count) where bytes[start...].starts(with: key) {
                for index in start..<start + key.count { isHidden[index] = true }
            }
        }
        var result: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if !isHidden[index] {
                result.append(byte)
            } else if index == 0 || !isHidden[index - 1] {
                result += "[key]".utf8
            }
        }
        return String(decoding: result, as: UTF8.self)
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
