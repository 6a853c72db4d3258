import Foundation
import Support

/// A folder with the built-in model's files, some of them replaced; removed with the value.
final class ModelFolder: Sendable {
    let path = NSTemporaryDirectory() + "model-" + UUID().uuidString

    /// - Parameter files: contents by name; nil leaves a file out.
    init(_ files: [String: String?] = [:]) throws {
        try FileManager.default.copyItem(atPath: "Sources/BuiltinModel/model", toPath: path)
        for (name, text) in files {
            try FileManager.default.removeItem(atPath: path + "/" + name)
            if let text { try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name)) }
        }
    }

    /// Flattens the distribution over tokens without changing their order: the built-in model's is very peaked.
    func flatten() throws {
        let url = URL(fileURLWithPath: path + "/model.safetensors")
        var bytes = try Data(contentsOf: url)
        let length = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
        let header = try JSONSerialization.jsonObject(with: bytes[8..<(8 + length)]) as? [String: Any]
        let tensor = header?["model.norm.weight"] as? [String: Any]
        guard let offsets = tensor?["data_offsets"] as? [Int], tensor?["dtype"] as? String == "F16" else {
            throw SupportError("no last norm of float16")
        }
        for place in stride(from: 8 + length + offsets[0], to: 8 + length + offsets[1], by: 2) {
            let value = Float16(bitPattern: UInt16(bytes[place]) | UInt16(bytes[place + 1]) << 8) / 16
            bytes[place] = UInt8(truncatingIfNeeded: value.bitPattern)
            bytes[place + 1] = UInt8(truncatingIfNeeded: value.bitPattern >> 8)
        }
        try bytes.write(to: url)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A response to a request over a plain socket.
struct PlainResponse {
    let status: String
    let body: String

    var object: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any] ?? [:]
    }
    /// The text of an answer.
    var text: String? { (object["content"] as? [[String: Any]])?.first?["text"] as? String }
    var error: [String: Any] { object["error"] as? [String: Any] ?? [:] }
    var usage: [String: Any] { object["usage"] as? [String: Any] ?? [:] }
}

extension ServerProcess {
    /// - Parameter fields: further members of the body, beginning with a comma.
    func message(_ text: String, maxTokens: Int = 20, _ fields: String = "") async throws -> PlainResponse {
        let body =
            #"{"model":"m","max_tokens":\#(maxTokens),"messages":[{"role":"user","content":"\#(text)"}]\#(fields)}"#
        return try await answer(to: body)
    }

    /// - Parameter body: of the request, in JSON.
    func answer(to body: String) async throws -> PlainResponse {
        try await exchange(
            "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer test-api-key-12345\r\n"
                + "Connection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
        )
    }

    func health() async throws -> PlainResponse {
        try await exchange("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    }

    func metrics() async throws -> String {
        try await exchange("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").body
    }

    private func exchange(_ request: String) async throws -> PlainResponse {
        let socket = try RawSocket(port: port)
        try socket.send(request)
        let response = try await socket.readToEnd()
        guard let end = response.range(of: "\r\n\r\n")?.upperBound else { throw SupportError("no head: \(response)") }
        return PlainResponse(status: String(response.prefix(12).suffix(3)), body: String(response[end...]))
    }

    /// Resident bytes of the process.
    var residentBytes: Int {
        let status = (try? String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }
}
