import EngineContract
import Foundation
import HTTPFront
import JSON
import Support
import Testing

@testable import MessagesAPI

@Suite("Mutated requests") struct MutatedRequestTests {
    /// How many are sent: more by `PENSIEVE_MUTATIONS`.
    private static let count =
        ProcessInfo.processInfo.environment["PENSIEVE_MUTATIONS"].flatMap { Int($0) } ?? 1000

    private static let replies = [
        "ok", "I look.\n" + ToolAnswerTests.call("get_weather", #"{"city": "Lyon"}"#), "<think>\nHm.\n</think>\n\nSo.",
        "<tool_call>\n{\"name\": \"no", #"{"city": "a", "days": 3}"#,
    ]

    @Test("Every one is answered or refused by an error that says why, and none is the server's fault")
    func mutated() async throws {
        var mutator = RequestMutator(generator: SeededGenerator(seed: 20))
        let apis = try Self.replies.map { try TestAPI(answering: Script.bytes($0)) }
        var statuses: [Int: Int] = [:]
        for index in 0..<Self.count {
            let body = mutator.body()
            let api = apis[index % apis.count]
            let started = ContinuousClock.now
            let reply = try await api.send("POST", "/v1/messages", body)
            #expect(ContinuousClock.now - started < .seconds(60), "\(String(decoding: body, as: UTF8.self))")
            statuses[reply.status, default: 0] += 1
            try check(reply, body)
            if index % 4 == 0 {
                let count = try await api.send("POST", "/v1/messages/count_tokens", body)
                #expect(count.status == reply.status || reply.status == 400, "\(String(decoding: body, as: UTF8.self))")
            }
        }
        // Both kinds are there, or the mutations say nothing.
        #expect(
            statuses[200, default: 0] > Self.count / 20 && statuses[400, default: 0] > Self.count / 20,
            "\(statuses)"
        )
        if Self.count > 1000 { print("mutated requests by status: \(statuses)") }
    }

    private func check(_ reply: Reply, _ body: [UInt8]) throws {
        let text = Comment(rawValue: String(decoding: body, as: UTF8.self))
        guard reply.status == 200 else {
            #expect(reply.status == 400, text)
            #expect(try reply.errorType() == "invalid_request_error", text)
            return
        }
        guard reply.headers[first: "content-type"] == "text/event-stream" else {
            let calls = try reply.json["content"]?.array().filter { $0["type"] == "tool_use" } ?? []
            for call in calls { if case .object = call["input"] {} else { Issue.record(text) } }
            return
        }
        _ = try StreamedMessage(try reply.events)
    }
}
