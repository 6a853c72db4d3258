import Chat
import EngineContract
import Foundation
import HTTPFront
import JSON
import Scheduling
import Support
import Synchronization
import Testing
import Tokenization

@testable import MessagesAPI

/// The API over a real scheduler, in memory.
struct TestAPI: Sendable {
    let api: MessagesAPI
    let scheduler: Scheduler

    init(
        _ engine: any InferenceEngine,
        scheduling: SchedulerConfiguration = SchedulerConfiguration(),
        configuration: APIConfiguration = APIConfiguration(),
        stripsFirstSpace: Bool = false,
        template: String? = nil
    ) throws {
        let tokenizer = try Script.tokenizer(stripsFirstSpace: stripsFirstSpace)
        let files = TokenizerConfiguration(templates: template.map { ["default": $0] } ?? [:])
        let metrics = Metrics()
        scheduler = Scheduler(engine: engine, configuration: scheduling, observer: metrics)
        let model = ServedModel(
            id: "test/model",
            displayName: "A script",
            createdAt: "2026-01-02T03:04:05Z",
            tokenizer: tokenizer,
            chatFormat: try ChatFormat(files, architecture: "phi3", endTokens: [], tokenizer: tokenizer)
        )
        api = MessagesAPI(model: model, scheduler: scheduler, configuration: configuration, metrics: metrics)
    }

    /// An API whose model answers every prompt with the same tokens, then ends its turn.
    init(
        answering reply: [Token],
        contextLength: Int = 4096,
        configuration: APIConfiguration = APIConfiguration(),
        stripsFirstSpace: Bool = false,
        template: String? = nil
    ) throws {
        let engine = ScriptedEngine(description: Script.description(contextLength: contextLength)) { prefix in
            Script.next(in: reply, after: prefix)
        }
        try self.init(
            engine,
            configuration: configuration,
            stripsFirstSpace: stripsFirstSpace,
            template: template
        )
    }

    /// What a client gets who passes the door.
    func send(
        _ method: String,
        _ target: String,
        _ body: String = "",
        headers: Headers = ["x-api-key": "sk-ant-api-1"],
        isLoopback: Bool = true,
        sink: BodyWriter.Sink? = nil
    ) async throws -> Reply {
        try await send(method, target, Array(body.utf8), headers: headers, isLoopback: isLoopback, sink: sink)
    }

    func send(
        _ method: String,
        _ target: String,
        _ body: [UInt8],
        headers: Headers = ["x-api-key": "sk-ant-api-1"],
        isLoopback: Bool = true,
        sink: BodyWriter.Sink? = nil
    ) async throws -> Reply {
        switch api.admit(RequestHead(method: method, target: target, headers: headers, peerIsLoopback: isLoopback)) {
        case .refused(let response): return try await Reply(response)
        case .accepted(let request):
            return try await Reply(await request.respond(with: body), sink: sink)
        }
    }

    func messages(_ body: String) async throws -> Reply { try await send("POST", "/v1/messages", body) }

    func count(_ body: String) async throws -> Reply { try await send("POST", "/v1/messages/count_tokens", body) }

    /// Asks `hi`; `fields` are members of the body, each with a comma before it.
    func ask(_ fields: String = "") async throws -> Reply { try await messages(Self.body(fields)) }

    /// Whether the scheduler takes nothing on any more.
    var isStopping: Bool {
        get async {
            let nothing = GenerationRequest(client: "", prompt: [], maxTokens: 0, stopTokens: [])
            do throws(AdmissionError) {
                _ = try await scheduler.submit(nothing)
            } catch {
                return error == .shuttingDown
            }
            return false
        }
    }

    static func body(_ fields: String = "") -> String {
        #"{"model":"m","max_tokens":99,"messages":[{"role":"user","content":"hi"}]\#(fields)}"#
    }
}

/// A whole response.
struct Reply: Sendable {
    var status: Int
    var headers: Headers
    var body: String
    /// What was noted of the request.
    var record: RequestRecord?

    /// - Parameter sink: takes the writes of a stream in place of this reply.
    init(_ response: Response, sink: BodyWriter.Sink? = nil) async throws {
        status = response.status
        headers = response.headers
        record = response.record as? RequestRecord
        switch response.body {
        case .bytes(let bytes): body = String(decoding: bytes, as: UTF8.self)
        case .stream(let produce):
            let written = Mutex<[UInt8]>([])
            try await produce(BodyWriter(sink: sink ?? { bytes in written.withLock { $0 += bytes } }))
            body = String(decoding: written.withLock { $0 }, as: UTF8.self)
        }
    }

    /// The body, which Foundation must take for JSON too.
    var json: JSONValue {
        get throws {
            _ = try JSONSerialization.jsonObject(with: Data(body.utf8))
            return try JSONValue(parsing: Array(body.utf8))
        }
    }

    var errorMessage: String { (try? json["error"]?["message"]?.string()) ?? "" }

    /// The events of a stream: each a name and one line of JSON of that type.
    var events: [JSONValue] { get throws { try Self.events(body) } }

    static func events(_ body: String) throws -> [JSONValue] {
        try body.components(separatedBy: "\n\n").dropLast().map { event in
            let lines = event.split(whereSeparator: \.isNewline)
            try #require(lines.count == 2 && lines[0].hasPrefix("event: ") && lines[1].hasPrefix("data: "))
            let data = try JSONValue(parsing: Array(lines[1].dropFirst(6).utf8))
            #expect(data["type"] == .string(String(lines[0].dropFirst(7))))
            return data
        }
    }

    var eventNames: [String] { get throws { try events.compactMap { try $0["type"]?.string() } } }

    /// The text of a plain answer or of a stream's deltas.
    var text: String {
        get throws {
            guard headers[first: "content-type"] == "text/event-stream" else {
                return try json["content"]?.array().compactMap { try $0["text"]?.string() }.joined() ?? ""
            }
            return try events.compactMap { try $0["delta"]?["text"]?.string() }.joined()
        }
    }

    /// The error envelope's type, if it is as it must be: complete, and named as the response is.
    func errorType(requestID: String = "req_test") throws -> String? {
        let error = try json
        guard error["type"] == "error", error["request_id"] == .string(requestID), !errorMessage.isEmpty else {
            return nil
        }
        guard headers[first: "content-type"] == "application/json" else { return nil }
        return try error["error"]?["type"]?.string()
    }
}

extension JSONValue {
    /// The value of a text with up to a million values.
    init(parsing text: [UInt8]) throws(JSONError) {
        try self.init(JSONDocument(text, limits: JSONLimits(depth: 200)).root, atMost: 1_000_000)
    }

    /// The member of an object; nil for anything but an object.
    subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    func string() throws -> String {
        guard case .string(let text) = self else { throw SupportError("no string: \(self)") }
        return text
    }

    func integer() throws -> Int {
        guard case .integer(let number) = self else { throw SupportError("no integer: \(self)") }
        return number
    }

    func array() throws -> [JSONValue] {
        guard case .array(let elements) = self else { throw SupportError("no array: \(self)") }
        return elements
    }
}

/// A value that several tasks change.
final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    var current: Value { value.withLock { $0 } }

    func change(_ body: (inout Value) -> Void) { value.withLock { body(&$0) } }
}

/// Waits until the condition holds; false if it does not within a time that no machine needs.
func eventually(_ condition: () async -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return await condition()
}
