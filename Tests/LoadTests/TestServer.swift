import APIClient
import Foundation
import Support
import Synchronization

@testable import LoadTest

/// A small server of this API with a thread for each connection, whose replies a test chooses.
final class TestServer: Sendable {
    enum Reply: Sendable {
        /// A stream with this text, one word in each event.
        case text(String)
        /// A stream with a call of a tool, and a reason to stop.
        case call(String, String, stopReason: String = "tool_use")
        /// The same, and then the connection is closed without notice.
        case textThenClose(String)
        /// A response with a content length.
        case response(status: Int, type: String, body: String)
        /// The beginning of a stream, then the end of the connection.
        case cutOff
    }

    struct Request: Decodable, Sendable {
        struct Message: Decodable, Sendable {
            var role: String
            var content: String
        }
        struct Choice: Decodable, Sendable {
            var name: String
        }
        var messages: [Message]
        var tool_choice: Choice?
    }

    let port: UInt16
    private let listener: Int32
    private let reply: @Sendable (_ index: Int, Request) -> Reply
    private let requests = Atomic(0)
    private let connections = Atomic(0)

    /// - Parameter reply: the reply to the request with this index, counted over all connections.
    init(_ reply: @escaping @Sendable (_ index: Int, Request) -> Reply) throws {
        self.reply = reply
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 128) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard status else { throw SupportError("cannot listen: errno \(errno)") }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [weak self] in
            while case let connection = accept(descriptor, nil, nil), connection >= 0 {
                guard let self else {
                    close(connection)
                    return
                }
                connections.add(1, ordering: .relaxed)
                Thread.detachNewThread { self.serve(connection) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    var connectionCount: Int { connections.load(ordering: .relaxed) }

    var options: LoadOptions {
        var options = LoadOptions()
        options.target = Target(port: port)
        options.timeoutSeconds = 60
        return options
    }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        var buffer: [UInt8] = []
        while let body = nextBody(connection, &buffer) {
            guard let request = try? JSONDecoder().decode(Request.self, from: Data(body)) else { return }
            let index = requests.add(1, ordering: .relaxed).oldValue
            switch reply(index, request) {
            case .text(let text): send(connection, Self.stream(text))
            case .call(let name, let arguments, let stopReason):
                let pieces = [String(arguments.prefix(5)), String(arguments.dropFirst(5))]
                send(connection, Self.chunked(EventText.call(name, pieces: pieces, stopReason: stopReason)))
            case .textThenClose(let text):
                send(connection, Self.stream(text))
                return
            case .response(let status, let type, let body):
                let head = "HTTP/1.1 \(status) X\r\ncontent-type: \(type)\r\ncontent-length: \(body.utf8.count)\r\n\r\n"
                send(connection, head + body)
            case .cutOff:
                send(connection, String(Self.stream("one two three").prefix(400)))
                return
            }
        }
    }

    private static func stream(_ text: String) -> String {
        let pieces = text.split(separator: " ", omittingEmptySubsequences: false).enumerated()
            .map { $0.offset == 0 ? String($0.element) : " " + $0.element }
        return chunked(EventText.answer(pieces: pieces, outputTokens: pieces.count))
    }

    private static func chunked(_ body: String) -> String {
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            + "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
    }

    private func send(_ connection: Int32, _ text: String) {
        _ = Array(text.utf8).withUnsafeBytes {
            Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }

    /// The body of the next request; nil at the end of the connection.
    private func nextBody(_ connection: Int32, _ buffer: inout [UInt8]) -> [UInt8]? {
        var piece = [UInt8](repeating: 0, count: 65536)
        while true {
            if let end = buffer.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
                let length =
                    head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }?
                    .split(separator: " ").last.flatMap { Int($0) } ?? 0
                if buffer.count >= end.upperBound + length {
                    defer { buffer.removeFirst(end.upperBound + length) }
                    return Array(buffer[end.upperBound..<end.upperBound + length])
                }
            }
            let count = recv(connection, &piece, piece.count, 0)
            guard count > 0 else { return nil }
            buffer += piece[..<count]
        }
    }
}

extension TestServer.Request {
    /// A call that a forced tool takes.
    var rightCall: (name: String, arguments: String)? {
        switch tool_choice?.name {
        case "get_weather": ("get_weather", #"{"location": "Lyon"}"#)
        case "add_numbers": ("add_numbers", #"{"b": 2, "a": 9999}"#)
        case "set_lights": ("set_lights", #"{"room":"garden","state":"on"}"#)
        default: nil
        }
    }

    /// What a perfect model and server answer.
    var right: TestServer.Reply {
        guard let call = rightCall else { return .text(rightReply) }
        return .call(call.name, call.arguments)
    }

    /// The reply of a perfect model to the questions of a load test.
    var rightReply: String {
        let told = messages.first?.content ?? ""
        let asked = messages.last?.content ?? ""
        let value = told.trimmingCharacters(in: ["."]).split(separator: " ").last.map(String.init) ?? ""
        if asked.hasPrefix("Repeat after me: ") { return value }
        return messages.count > 1 ? "It is \(value)." : "I am a test."
    }
}
