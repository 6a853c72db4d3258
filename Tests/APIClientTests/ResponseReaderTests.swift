import Testing

@testable import APIClient

@Suite struct ResponseReaderTests {
    private static let body = "event: x\r\ndata: größe\r\n\r\n"

    /// One response for each kind of body framing in HTTP/1.1.
    private static let framings: [(head: String, body: String, keepsAlive: Bool)] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n", body, true),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n",
            "5;ext=1\r\nevent\r\n0A \r\n: x\r\ndata:\r\n00c\r\n größe\r\n\r\n\r\n0\r\nTrailer: x\r\n\r\n", true
        ),
        ("HTTP/1.0 200 OK\r\nX: y\r\n\r\n", body, false),
        ("HTTP/1.1 200\r\nconnection: Close\r\ncontent-length: 27\r\n\r\n", body, false),
    ]

    @Test("A body is read the same wherever its bytes are split", arguments: framings.indices)
    func splits(_ index: Int) throws {
        let (head, body, keepsAlive) = Self.framings[index]
        let bytes = Array((head + body).utf8)
        for split in 0...bytes.count {
            var reader = ResponseReader()
            var read = try reader.push(bytes[..<split])
            read += try reader.push(bytes[split...])
            #expect(String(decoding: read, as: UTF8.self) == Self.body, "split at \(split)")
            #expect(reader.status == 200 && reader.canEndHere)
            #expect(reader.isComplete == !head.hasPrefix("HTTP/1.0"))
            #expect(reader.keepsAlive == keepsAlive)
        }
        var reader = ResponseReader()
        let single = try bytes.indices.flatMap { try reader.push(bytes[$0...$0]) }
        #expect(String(decoding: single, as: UTF8.self) == Self.body)
    }

    @Test("The end of a connection inside a response is detected", arguments: framings.indices)
    func truncated(_ index: Int) throws {
        let (head, body, _) = Self.framings[index]
        let bytes = Array((head + body).utf8)
        for end in 0..<bytes.count {
            var reader = ResponseReader()
            _ = try reader.push(bytes[..<end])
            let hasNoOtherEnd = head.hasPrefix("HTTP/1.0") && end >= head.utf8.count
            #expect(reader.canEndHere == hasNoOtherEnd, "after \(end) bytes")
        }
    }

    @Test("A response without a body ends with its head", arguments: ["204 No Content", "304 Not Modified", "200 OK"])
    func empty(_ line: String) throws {
        var reader = ResponseReader()
        let length = line.hasPrefix("200") ? "content-length: 0\r\n" : ""
        _ = try reader.push(Array("HTTP/1.1 \(line)\r\n\(length)\r\n".utf8)[...])
        #expect(reader.isComplete)
    }

    @Test("A malformed response is a violation", arguments: hostile)
    func violations(_ text: String) {
        var reader = ResponseReader()
        #expect(throws: ProtocolViolation.self) { try reader.push(Array(text.utf8)[...]) }
    }

    private static let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    private static let hostile = [
        "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 99 x\r\n\r\n",
        "HTTP/1.1 +20 x\r\n\r\n", "HTTP/1.1 2000 x\r\n\r\n", "\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: no name\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", chunked + "-5\r\n", chunked + "+5\r\n", chunked + "\r\n",
        chunked + "xyz\r\n", chunked + "FFFFFFFFFFFFFFFFFFFF\r\n", chunked + "2\r\nabc\r\n",
    ]

    @Test("An endless head or line is refused before it fills the memory")
    func endless() {
        for text in [Self.chunked, "HTTP/1.1 200 OK\r\nX: "] {
            var reader = ResponseReader()
            let piece = [UInt8](repeating: UInt8(ascii: "1"), count: 20_000)
            #expect(throws: ProtocolViolation.self) {
                _ = try reader.push(Array(text.utf8)[...])
                for _ in 0..<5 { _ = try reader.push(piece[...]) }
            }
        }
    }

    @Test("A huge chunk size allocates nothing before its bytes arrive")
    func hugeChunk() throws {
        var reader = ResponseReader()
        #expect(try reader.push(Array((Self.chunked + "7fffffffffffffff\r\nab").utf8)[...]) == Array("ab".utf8))
        #expect(!reader.canEndHere)
    }
}
