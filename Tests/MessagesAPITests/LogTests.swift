import Foundation
import HTTPFront
import JSON
import Scheduling
import Synchronization
import Testing

@testable import MessagesAPI

@Suite("The log", .timeLimit(.minutes(1))) struct LogTests {
    /// An API with a log, and what was written to it.
    private struct Logged {
        let api: TestAPI
        private let lines = Lines()

        init(_ format: ServerLog.Format, keys: [String] = [], template: String? = nil) throws {
            var configuration = APIConfiguration()
            configuration.apiKeys = keys
            configuration.requestLog = ServerLog(format) { [lines] in lines.add($0) }
            api = try TestAPI(answering: Script.bytes("ok"), configuration: configuration, template: template)
        }

        /// The line that a request leaves behind.
        func line(
            _ method: String,
            _ target: String,
            _ body: String = "",
            headers: Headers = ["x-api-key": "sk-ant-api-1"]
        ) async throws -> String {
            let started = ContinuousClock.now
            let reply = try await api.send(method, target, body, headers: headers)
            let head = RequestHead(method: method, target: target, headers: headers)
            let request = FinishedRequest(
                head: head,
                requestID: head.requestID,
                peer: "192.0.2.7",
                status: reply.status,
                started: started,
                seconds: 1.25,
                record: reply.record
            )
            api.api.finished(request)
            return try #require(lines.last)
        }

        /// The same, read as JSON by another reader.
        func fields(
            _ method: String,
            _ target: String,
            _ body: String = "",
            headers: Headers = ["x-api-key": "sk-ant-api-1"]
        ) async throws -> [String: Any] {
            let line = try await line(method, target, body, headers: headers)
            #expect(!line.contains("\n"))
            return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    private final class Lines: Sendable {
        private let all = Mutex<[String]>([])
        var last: String? { all.withLock { $0.last } }
        func add(_ line: String) { all.withLock { $0.append(line) } }
    }

    @Test("However many keys a client presents, what stands for them in a line is no text to look for keys in")
    func manyKeys() async throws {
        let log = try Logged(.text)
        var headers: Headers = ["host": "localhost"]
        for index in 0..<95 { headers.add("x-api-key", ["k", "e", "y", "[", "]"][index % 5]) }
        #expect(try await log.line("GET", "/k/x/key", headers: headers).contains("path=/[key]/x/[key] "))
        // One that begins before the cut is found whole; one behind it is not shown.
        let path = "/" + String(repeating: "a", count: 190) + "secret-" + String(repeating: "b", count: 300)
        let line = try await log.line(
            "GET",
            path,
            headers: ["x-api-key": "secret-" + String(repeating: "b", count: 300)]
        )
        #expect(line.contains("a[key] ") && !line.contains("secret"))
    }

    @Test("A request's line tells who asked what, its tokens and its times", arguments: [true, false])
    func line(_ streams: Bool) async throws {
        let log = try Logged(.json)
        for cached in [0, 0] {
            let fields = try await log.fields("POST", "/v1/messages?beta=true", TestAPI.body(#","stream":\#(streams)"#))
            #expect(fields["status"] as? Int == 200 && fields["method"] as? String == "POST")
            #expect(fields["path"] as? String == "/v1/messages" && fields["request_id"] as? String == "req_test")
            #expect(fields["client"] as? String == "192.0.2.7" && fields["peer"] as? String == "192.0.2.7")
            #expect(fields["model"] as? String == "m" && fields["prompt_tokens"] as? Int == 8)
            #expect(fields["cached_tokens"] as? Int == cached && fields["output_tokens"] as? Int == 3)
            #expect(fields["duration_ms"] as? Double == 1250 && fields["error"] == nil && fields["reason"] == nil)
            #expect(try #require(fields["first_token_ms"] as? Double) >= 0)
            let time = try #require(fields["time"] as? String)
            #expect(time.contains(#/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/#))
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            #expect(abs(try Date(time, strategy: style).timeIntervalSinceNow) < 60)
        }
        let count = try await log.fields("POST", "/v1/messages/count_tokens", TestAPI.body())
        #expect(
            count["prompt_tokens"] as? Int == 8 && count["output_tokens"] == nil && count["model"] as? String == "m"
        )
    }

    @Test("As text, a line is of pairs, with quotes where a value needs them")
    func text() async throws {
        let log = try Logged(.text, keys: ["first-key", "second-key"])
        let line = try await log.line(
            "POST",
            "/v1/messages",
            TestAPI.body(#","model":"a b=\"c\"""#),
            headers: ["authorization": "Bearer second-key"]
        )
        #expect(
            line.contains(#/^time=\S+Z status=200 method=POST path=\/v1\/messages client=key#2 peer=192\.0\.2\.7 /#)
        )
        #expect(line.contains(#" model="a b=\"c\"" prompt_tokens=8 cached_tokens=0 output_tokens=3 first_token_ms="#))
        #expect(line.hasSuffix(" duration_ms=1250.0 request_id=req_test"))
    }

    @Test("A refusal's line tells the reason")
    func reasons() async throws {
        let log = try Logged(.json, keys: ["right-key"])
        let key: Headers = ["x-api-key": "right-key"]
        for (method, target, body, headers, status, error, reason) in [
            ("POST", "/v1/messages", "", [:], 401, "authentication_error", "Missing request header \"authorization\""),
            ("GET", "/v1/nothing", "", key, 404, "not_found_error", "there is nothing at this path"),
            ("PUT", "/health", "", key, 405, "invalid_request_error", "the method is not allowed here"),
            ("POST", "/v1/messages", "{", key, 400, "invalid_request_error", "the request body is not valid JSON"),
            (
                "POST", "/v1/messages", TestAPI.body(#","max_tokens":-1"#), key, 400, "invalid_request_error",
                "max_tokens: "
            ),
            ("POST", "/v1/messages/count_tokens", "[]", key, 400, "invalid_request_error", "the request body must be"),
        ] as [(String, String, String, Headers, Int, String, String)] {
            let fields = try await log.fields(method, target, body, headers: headers)
            #expect(fields["status"] as? Int == status && fields["error"] as? String == error, "\(target)")
            #expect((fields["reason"] as? String ?? "").hasPrefix(reason), "\(target): \(fields)")
            #expect(fields["client"] as? String == (headers.count > 0 ? "key#1" : "192.0.2.7"), "\(target)")
        }
        let fault = log.api.api.response(to: .unsupportedTransferCoding("zq-marker"), requestID: "req_1")
        #expect((fault.record as? RequestRecord)?.facts.error?.logMessage == "the transfer coding is not supported")
    }

    @Test("No line holds a key, right or wrong, wherever a client put it")
    func keysStayOut() async throws {
        let right = "right-key-0123456789"
        let log = try Logged(.json, keys: [right])
        let wrong = "zq-wrong-9876"
        for (key, name, value) in [
            (right, "x-api-key", right), (right, "authorization", "Bearer " + right), (right, "accept", "*/*"),
            (wrong, "x-api-key", wrong), (wrong, "authorization", "Bearer " + wrong),
        ] {
            var headers = Headers()
            headers.set(name, value)
            for target in ["/v1/messages", "/v1/models/\(key)", "/\(key)?key=\(key)", "/v1/messages?\(key)"] {
                let body = target.hasPrefix("/v1/messages") ? TestAPI.body(#","model":"\#(key)""#) : ""
                let line = try await log.line(body.isEmpty ? "GET" : "POST", target, body, headers: headers)
                #expect(!line.contains(key), "\(line)")
            }
        }
    }

    @Test("Each line is one line of JSON, whatever a client sends, and not a long one")
    func hostileTexts() async throws {
        let log = try Logged(.json)
        let path = "/\\\"\u{7F}\u{1B}[31m\r\n\u{2028}\u{85}\u{202E}\t" + String(repeating: "é", count: 4000)
        let fields = try await log.fields("GET", path)
        let shown = try #require(fields["path"] as? String)
        #expect(shown.hasPrefix("/\\\"\u{FFFD}\u{FFFD}[31m\u{FFFD}") && shown.hasSuffix("é…") && shown.utf8.count < 250)
        #expect(!shown.unicodeScalars.contains { $0.properties.generalCategory == .control })
        let model = String(repeating: #"\"\u0000\u001b\n"#, count: 100)
        let line = try await log.line("POST", "/v1/messages", TestAPI.body(#","model":"\#(model)""#))
        _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
        #expect(line.utf8.count < 1500)
        #expect(line.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
        let text = try Logged(.text)
        #expect(try await text.line("GET", path).utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
    }

    @Test("No reason repeats what a client said")
    func textsStayOut() async throws {
        let log = try Logged(.json)
        let bodies =
            ValidationRows.fields.map { TestAPI.body("," + $0.json) }
            + ValidationRows.messages.map { TestAPI.body(#","messages":[\#($0.json)]"#) }
            + ValidationRows.userBlocks.map { TestAPI.body(#","messages":[{"role":"user","content":[\#($0.json)]}]"#) }
            + (ValidationRows.assistantBlocks + ValidationRows.toolPairs).map {
                TestAPI.body(#","messages":[{"role":"user","content":"a"},\#($0.json)]"#)
            }
        let marker = "zq-marker"
        var refused = 0
        for body in bodies {
            // A row may stand in a place that is not its own: all the more errors.
            guard let json = try? JSONValue(parsing: Array(body.utf8)) else { continue }
            for variant in json.variants(with: .string(marker)) {
                let line = try await log.fields(
                    "POST",
                    "/v1/messages/count_tokens",
                    String(decoding: variant.bytes, as: UTF8.self)
                )
                guard let reason = line["reason"] as? String else { continue }
                refused += 1
                #expect(!reason.contains(marker), "\(reason)")
            }
        }
        #expect(refused > 100)
        let encoding = try await log.line(
            "POST",
            "/v1/messages",
            headers: ["content-encoding": marker, "x-api-key": "sk-ant-api-1"]
        )
        #expect(encoding.contains("content-encoding") && !encoding.contains(marker))
    }

    @Test("What a model's template says of a conversation stays out of the log")
    func templates() async throws {
        let template = """
            {% for m in messages %}{% if 'zq' in m.content %}{{ raise_exception('not: ' + m.content) }}{% endif %}\
            <|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}<|assistant|>\n
            """
        let log = try Logged(.json, template: template)
        let line = try await log.fields(
            "POST",
            "/v1/messages",
            TestAPI.body(#","messages":[{"role":"user","content":"zq secret"}]"#)
        )
        #expect(line["status"] as? Int == 400)
        #expect(line["reason"] as? String == "messages: the model's chat template refuses this conversation")
        #expect(line["model"] as? String == "m")
    }

    @Test("An answer that breaks off says why, though its status was 200")
    func brokenStream() async throws {
        var configuration = APIConfiguration()
        let lines = Lines()
        configuration.requestLog = ServerLog(.json) { lines.add($0) }
        let engine = GatedEngine(answering: Script.bytes("okay"))
        let api = try TestAPI(engine, configuration: configuration)
        async let reply = api.ask(#","stream":true"#)
        engine.open(2)
        #expect(await eventually { await api.scheduler.statistics().stepsTotal == 2 })
        await engine.fail()
        let head = RequestHead(method: "POST", target: "/v1/messages")
        api.api.finished(FinishedRequest(head: head, status: 200, seconds: 1, record: try await reply.record))
        let line = try #require(lines.last)
        #expect(line.contains(#""error":"api_error","reason":"internal server error""#), "\(line)")
        #expect(line.contains(#""output_tokens":2"#), "\(line)")
    }
}

extension JSONValue {
    /// The value with one of its strings in place of another, for each of them.
    fileprivate func variants(with replacement: JSONValue) -> [JSONValue] {
        switch self {
        case .string: return [replacement]
        case .array(let elements):
            return elements.indices.flatMap { index in
                elements[index].variants(with: replacement).map { variant in
                    var copy = elements
                    copy[index] = variant
                    return .array(copy)
                }
            }
        case .object(let members):
            return members.indices.flatMap { index in
                members[index].value.variants(with: replacement).map { variant in
                    var copy = members
                    copy[index].value = variant
                    return .object(copy)
                }
            }
        default: return []
        }
    }
}
