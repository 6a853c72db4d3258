import APIClient
import Foundation
import Testing

@testable import LoadTest

/// Complete load tests against a server whose replies the test chooses.
@Suite struct VerificationTests {
    private func verify(_ server: TestServer, requests: Int = 48, clients: Int = 6) throws -> Results {
        var options = server.options
        options.verify = true
        options.requests = requests
        options.pace = .concurrency(clients)
        return try LoadTest.measure(options).results
    }

    @Test("A server whose answers are all correct passes, over kept-alive connections")
    func honest() throws {
        let server = try TestServer { _, request in request.right }
        let results = try verify(server)
        let verification = try #require(results.verification)
        #expect(results.isGood && results.answered == 48 && results.errors.isEmpty)
        #expect(verification.wrong == 0 && verification.differing == 0 && verification.cases.isEmpty)
        // Each question was asked four times under load and once alone.
        #expect(
            verification.compared == 48 + verification.repeatedAlone
                && verification.repeatedAlone == verification.questions
        )
        #expect(verification.judged > 20)
        #expect(verification.withTools >= 12 && verification.invalid == 0)
        // Six clients, and the connection that checked that the server can be reached.
        #expect(server.connectionCount <= 7)
    }

    @Test("A single altered reply is found, and not taken for a mistake of the model", arguments: [0, 17, 47, 50])
    func liar(_ altered: Int) throws {
        // The last index is a question repeated alone: then the replies under load differ from it.
        let server = try TestServer { index, request in
            guard index == altered else { return request.right }
            // A call in another order is valid, and another text.
            guard let call = request.rightCall else { return .text(request.rightReply + "!") }
            return .call(call.name, call.arguments.replacing("{", with: "{ "))
        }
        let results = try verify(server)
        let verification = try #require(results.verification)
        #expect(!results.isGood)
        #expect(verification.wrong == 0 && verification.invalid == 0)
        #expect(verification.differing >= 1 && verification.cases.count == 1)
        #expect(verification.cases[0].replies.count == 2)
    }

    @Test("A model that is always wrong is distinguished from a server whose replies differ")
    func wrongModel() throws {
        let server = try TestServer { _, request in
            request.rightCall == nil ? .text(request.rightReply.replacing(/[0-9]+/, with: "7")) : request.right
        }
        let results = try verify(server)
        let verification = try #require(results.verification)
        #expect(!results.isGood)
        #expect(verification.wrong > 0 && verification.differing == 0)
        #expect(verification.families["copy"].map { $0.wrong == $0.judged && $0.judged > 0 } == true)
        #expect(!verification.cases.isEmpty)
        #expect(verification.cases.allSatisfy { $0.replies.count == 1 && $0.replies[0].isWrong })
    }

    @Test(
        "A forced call that no tool takes is the server's fault, one that max_tokens cut is not",
        arguments: [
            (#"{"location":"Lyon"}"#, "end_turn", true), (#"{"location":""}"#, "tool_use", true),
            (#"{"location":7}"#, "tool_use", true), (#"{"location":"Lyon","x":1}"#, "tool_use", true),
            (#"{"location""#, "tool_use", true), ("[]", "tool_use", true), (#"{"location":"Ly"#, "max_tokens", false),
            (#"{"location":"Lyon"}"#, "tool_use", false),
        ]
    )
    func invalidCalls(_ arguments: String, _ stopReason: String, _ isInvalid: Bool) throws {
        let server = try TestServer { _, request in
            guard request.tool_choice?.name == "get_weather" else { return request.right }
            return .call("get_weather", arguments, stopReason: stopReason)
        }
        let results = try verify(server)
        let verification = try #require(results.verification)
        #expect((verification.invalid > 0) == isInvalid && results.isGood != isInvalid)
        #expect(verification.wrong == 0 && verification.differing == 0)
    }

    @Test("A text where a call was forced, and a call of another tool, are invalid")
    func otherAnswers() throws {
        for reply in [TestServer.Reply.text("Sunny."), .call("set_lights", #"{"room":"garden","state":"on"}"#)] {
            let server = try TestServer { _, request in
                request.tool_choice?.name == "get_weather" ? reply : request.right
            }
            let results = try verify(server)
            #expect(!results.isGood && results.verification?.invalid ?? 0 > 0)
        }
    }

    @Test("Errors are counted by kind, with the server's message")
    func errors() throws {
        let server = try TestServer { index, request in
            switch index % 5 {
            case 0: .response(status: 502, type: "text/html", body: "<h1>Bad gateway</h1>")
            case 1:
                .response(
                    status: 400,
                    type: "application/json",
                    body: #"{"type":"error","error":{"type":"invalid_request_error","message":"no such thing"}}"#
                )
            case 2: .response(status: 200, type: "application/json", body: "{}")
            case 3: .cutOff
            default: request.right
            }
        }
        var options = server.options
        options.requests = 50
        options.pace = .concurrency(1)
        let results = try LoadTest.measure(options).results
        #expect(results.answered == 10 && results.failed == 40 && !results.isGood)
        #expect(results.errors.values.allSatisfy { $0.count == 10 } && results.errors.count == 4, "\(results.errors)")
        #expect(results.errors["HTTP 400 invalid_request_error"]?.example == "no such thing")
        #expect(results.errors["HTTP 502, text/html without an error object"] != nil)
    }

    @Test("A server that closes kept-alive connections without notice causes no failure")
    func staleConnections() throws {
        let server = try TestServer { index, request in
            index % 3 == 0 ? .textThenClose(request.rightReply) : request.right
        }
        var options = server.options
        options.requests = 60
        options.pace = .rate(2000)
        let results = try LoadTest.measure(options).results
        #expect(results.isGood && results.answered == 60, "\(results.errors)")
    }

    @Test("An unreachable server is reported with a single error")
    func absent() throws {
        var options = LoadOptions()
        options.target = Target(host: "127.0.0.1", port: 1)
        let error = #expect(throws: SocketFailure.self) { try LoadTest.measure(options) }
        #expect(error?.description.contains("is the server running?") == true)
    }
}
