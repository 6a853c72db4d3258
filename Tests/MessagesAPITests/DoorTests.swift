import HTTPFront
import Scheduling
import Testing

@testable import MessagesAPI

@Suite("At the door", .timeLimit(.minutes(1))) struct DoorTests {
    @Test("Keys pass in either header, and only those that may; what was presented is never repeated")
    func keys() async throws {
        struct Attempt {
            var keys: [String] = []
            var headers: Headers
            var isLoopback = true
            var passes: Bool
        }
        let own = ["right-key", "other-key"]
        for attempt in [
            Attempt(headers: [:], passes: false), Attempt(headers: ["authorization": ""], passes: false),
            Attempt(headers: ["Authorization": "Bearer test-api-key-12345"], passes: true),
            Attempt(headers: ["authorization": "bEARER   test-api-key-12345"], passes: true),
            Attempt(headers: ["X-API-Key": "test-api-key-12345"], passes: true),
            Attempt(headers: ["x-api-key": "sk-ant-api-anything"], passes: true),
            Attempt(headers: ["x-api-key": "sk-ant-api-"], passes: false),
            Attempt(headers: ["x-api-key": "test-api-key-123456"], passes: false),
            Attempt(headers: ["x-api-key": "Test-api-key-12345"], passes: false),
            Attempt(headers: ["authorization": "test-api-key-12345"], passes: false),
            Attempt(headers: ["authorization": "Basic test-api-key-12345"], passes: false),
            Attempt(headers: ["x-api-key": "wrong", "authorization": "Bearer sk-ant-api-1"], passes: true),
            Attempt(headers: ["x-api-key": "sk-ant-api-1", "authorization": "Basic eDp5"], passes: true),
            Attempt(headers: ["x-api-key": "test-api-key-12345"], isLoopback: false, passes: false),
            Attempt(keys: own, headers: ["x-api-key": "other-key"], isLoopback: false, passes: true),
            Attempt(keys: own, headers: ["authorization": "Bearer right-key"], passes: true),
            Attempt(keys: own, headers: ["x-api-key": "right-ke"], passes: false),
            Attempt(keys: own, headers: ["x-api-key": "right-keyy"], passes: false),
            Attempt(keys: own, headers: ["x-api-key": "test-api-key-12345"], passes: false),
        ] {
            var configuration = APIConfiguration()
            configuration.apiKeys = attempt.keys
            let api = try TestAPI(answering: Script.bytes("ok"), configuration: configuration)
            for (method, path) in [
                ("POST", "/v1/messages"), ("POST", "/v1/messages/count_tokens"), ("GET", "/v1/models"),
            ] {
                let reply = try await api.send(
                    method,
                    path,
                    method == "POST" ? TestAPI.body() : "",
                    headers: attempt.headers,
                    isLoopback: attempt.isLoopback
                )
                #expect(reply.status == (attempt.passes ? 200 : 401), "\(attempt)")
                guard !attempt.passes else { continue }
                #expect(try reply.errorType() == "authentication_error" && reply.errorMessage.contains("authorization"))
                #expect(reply.headers[first: "x-should-retry"] == "false")
                #expect(reply.headers[first: "www-authenticate"] == "Bearer")
                for (_, value) in attempt.headers.pairs where value.count > 9 { #expect(!reply.body.contains(value)) }
            }
            for (method, path) in [("GET", "/health"), ("HEAD", "/"), ("HEAD", "/api/hello"), ("HEAD", "/health")] {
                #expect(try await api.send(method, path, headers: attempt.headers, isLoopback: false).status == 200)
            }
        }
    }

    @Test("A wrong key is refused before the body is read, and a bad body is no matter then")
    func keyBeforeBody() throws {
        let api = try TestAPI(answering: []).api
        func refusal(_ method: String, _ target: String, _ headers: Headers) -> Int? {
            guard case .refused(let response) = api.admit(RequestHead(method: method, target: target, headers: headers))
            else { return nil }
            return response.status
        }
        func refusal(_ headers: Headers) -> Int? { refusal("POST", "/v1/messages", headers) }
        #expect(refusal(["content-length": "99", "content-encoding": "gzip"]) == 401)
        #expect(refusal(["x-api-key": "sk-ant-api-1", "content-length": "99", "content-encoding": "gzip"]) == 400)
        #expect(refusal(["x-api-key": "sk-ant-api-1", "content-length": "99", "content-encoding": "Identity"]) == nil)
        // Nobody without a key can make the server hold a large body.
        for method in ["GET", "OPTIONS"] {
            for headers in [["content-length": "100000"], ["transfer-encoding": "chunked"]] as [Headers] {
                #expect(refusal(method, "/health", headers) == 413)
            }
            for headers in [["content-length": "100"], [:]] as [Headers] {
                #expect(refusal(method, "/health", headers) == nil)
            }
        }
    }

    @Test("Without configured keys only names that always mean this machine pass in Host, on every route")
    func hosts() async throws {
        let guarded = ["a-key"]
        for (host, passes) in [
            ("localhost", true), ("LocalHost:7777", true), ("localhost.", true), ("chat.localhost:80", true),
            ("127.0.0.1", true), ("127.0.0.1:7777", true), ("127.255.0.9", true), ("[::1]", true), ("[::1]:7777", true),
            ("evil.example", false), ("evil.example:7777", false), ("localhost.evil.example", false),
            ("notlocalhost", false), ("127.0.0.1.evil.example", false), ("127.0.0.1evil", false), ("127.1", false),
            ("127.0.0.256", false), ("127.0.0.+1", false), ("10.0.0.1", false), ("0.0.0.0", false),
            ("[::1]evil", false), ("[::2]", false), ("[::ffff:10.0.0.1]", false), ("[::1", false), ("::1", false),
            ("localhost:80:80", false), ("localhost:evil", false), ("", false),
        ] {
            for keys in [[], guarded] {
                var configuration = APIConfiguration()
                configuration.apiKeys = keys
                let api = try TestAPI(answering: Script.bytes("ok"), configuration: configuration)
                for (method, path) in [("GET", "/health"), ("OPTIONS", "/v1/messages"), ("GET", "/v1/models")] {
                    let headers: Headers = ["host": host, "x-api-key": keys.first ?? "sk-ant-api-1"]
                    let reply = try await api.send(method, path, headers: headers)
                    #expect((reply.status == 403) == (!passes && keys.isEmpty), "\(host) \(path)")
                    guard reply.status == 403 else { continue }
                    #expect(try reply.errorType() == "permission_error" && reply.errorMessage.contains("localhost"))
                }
            }
        }
    }

    @Test("Unknown paths are 404, known ones with another method 405 with what is allowed")
    func routes() async throws {
        let api = try TestAPI(answering: Script.bytes("ok"))
        for (method, target, status, allow) in [
            ("POST", "/", 405, "GET, HEAD, OPTIONS"), ("GET", "/v1/messages", 405, "OPTIONS, POST"),
            ("HEAD", "/v1/messages", 405, "OPTIONS, POST"), ("POST", "/health", 405, "GET, HEAD, OPTIONS"),
            ("get", "/health", 405, "GET, HEAD, OPTIONS"), ("DELETE", "/v1/models/x", 405, "GET, HEAD, OPTIONS"),
            ("OPTIONS", "/v1/messages", 204, "OPTIONS, POST"), ("OPTIONS", "*", 204, "GET, HEAD, OPTIONS, POST"),
            ("POST", "/v1/messages/batches", 404, nil), ("GET", "/v1/files", 404, nil),
            ("POST", "/v1/messages/", 404, nil),
            ("POST", "//v1/messages", 404, nil), ("GET", "/%zz", 404, nil), ("GET", "/v1/models/", 404, nil),
            ("POST", "http://elsewhere/v1/messages?beta=true", 200, nil),
            ("GET", "/v1/models/test%2Fmodel?x", 200, nil),
            ("GET", "/v1/models/test/model", 404, nil), ("HEAD", "/v1/models", 200, nil),
        ] as [(String, String, Int, String?)] {
            let reply = try await api.send(method, target, method == "POST" ? TestAPI.body() : "")
            #expect(reply.status == status && reply.headers[first: "allow"] == allow, "\(method) \(target)")
            switch status {
            case 404: #expect(try reply.errorType() == "not_found_error")
            case 405: #expect(try reply.errorType() == "invalid_request_error")
            case 204: #expect(reply.body.isEmpty)
            default: break
            }
        }
    }

    @Test("A path of another API, or with one /v1 too many, is told what there is")
    func nearPaths() async throws {
        let api = try TestAPI(answering: [])
        for (target, advice) in [
            ("/v1/v1/messages", "base_url without /v1"), ("/v1/v1", "base_url without /v1"),
            ("/v1/chat/completions", "POST /v1/messages"), ("/v1/completions", "POST /v1/messages"),
            ("/v1/responses", "POST /v1/messages"), ("/v1/embeddings", "POST /v1/messages"),
            ("/chat/completions", "POST /v1/messages"), ("/api/chat", "POST /v1/messages"),
            ("/api/generate", "POST /v1/messages"), ("/v1/messages/batches/x/y", "is not served"),
            ("/v1/files", "is not served"), ("/messages", "it is /v1/messages"),
            ("/v1/messages/", "it is /v1/messages"),
            ("/nothing", "see POST /v1/messages"), ("/" + String(repeating: "a/", count: 4000), "see POST"),
        ] {
            // Without a key: who configures a client should not have to look for two mistakes at once.
            for method in ["POST", "GET"] {
                let reply = try await api.send(method, target, headers: [:])
                #expect(try reply.status == 404 && reply.errorType() == "not_found_error", "\(target.prefix(80))")
                #expect(reply.errorMessage.contains(advice), "\(target.prefix(80)): \(reply.errorMessage)")
            }
        }
        for target in ["/v1/chat/completions", "/api/chat"] {
            #expect(try await api.send("POST", target).errorMessage.contains("not served"))
        }
    }

    @Test("A refusal names both headers and what to do")
    func adviceOnKeys() async throws {
        for (keys, isLoopback, advice) in [
            (["own"], true, "api_key_file"), (["own"], false, "api_key_file"), ([], true, "development key"),
            ([], false, "--api-key-file"),
        ] {
            var configuration = APIConfiguration()
            configuration.apiKeys = keys
            let api = try TestAPI(answering: [], configuration: configuration)
            for headers in [[:], ["x-api-key": "wrong"], ["authorization": "Basic eDp5"]] as [Headers] {
                let reply = try await api.send("GET", "/v1/models", headers: headers, isLoopback: isLoopback)
                #expect(reply.status == 401 && reply.errorMessage.contains(advice), "\(reply.errorMessage)")
                guard isLoopback else { continue }
                #expect(
                    reply.errorMessage.contains("x-api-key") && reply.errorMessage.contains("authorization: Bearer")
                )
            }
        }
    }

    @Test("A client is its key, whatever it presents beside it; without keys all of this machine are one")
    func clients() throws {
        let ring = KeyRing(["right-key", "other-key"])
        func client(_ ring: KeyRing, _ headers: Headers) -> String? {
            ring.owner(of: RequestHead(method: "POST", target: "/", headers: headers))?.clientName
        }
        let own = try #require(client(ring, ["authorization": "Bearer right-key"]))
        #expect(client(ring, ["x-api-key": "right-key"]) == own)
        for junk in ["a", "b"] {
            #expect(client(ring, ["x-api-key": junk, "authorization": "Bearer right-key"]) == own)
            #expect(client(ring, ["authorization": "Bearer \(junk)", "x-api-key": "right-key"]) == own)
        }
        #expect(client(ring, ["x-api-key": "other-key"]) != own)
        let open = KeyRing([])
        #expect(client(open, ["x-api-key": "sk-ant-api-1"]) == "local")
        #expect(client(open, ["x-api-key": "sk-ant-api-2"]) == "local" && client(open, [:]) == nil)
    }

    @Test("A client is known by its key only where the route needs one")
    func knownClients() throws {
        var configuration = APIConfiguration()
        configuration.apiKeys = ["one", "two"]
        let api = try TestAPI(answering: [], configuration: configuration).api
        for (method, target, client) in [
            ("POST", "/v1/messages", "key 2"), ("GET", "/v1/models", "key 2"), ("GET", "/health", nil),
            ("OPTIONS", "/v1/messages", nil), ("HEAD", "/", nil),
        ] as [(String, String, String?)] {
            let admission = api.admit(RequestHead(method: method, target: target, headers: ["x-api-key": "two"]))
            guard case .accepted(let request) = admission else {
                Issue.record("\(method) \(target): \(admission)")
                continue
            }
            #expect(request.client == client, "\(method) \(target)")
        }
    }

    @Test("A key with changing junk beside it takes its turn as one client")
    func junkGainsNothing() async throws {
        var scheduling = SchedulerConfiguration()
        scheduling.maxRunningSessions = 1
        var configuration = APIConfiguration()
        configuration.apiKeys = ["greedy", "modest"]
        let engine = GatedEngine(answering: Script.bytes("ok"))
        let api = try TestAPI(engine, scheduling: scheduling, configuration: configuration)
        let finished = Shared<[String]>([])
        let greedy = [nil, "1", "2", "3"].map { junk -> Headers in
            junk.map { ["authorization": "Bearer greedy", "x-api-key": $0] } ?? ["authorization": "Bearer greedy"]
        }
        let requests = greedy.map { ("greedy", $0) } + [("modest", ["x-api-key": "modest"])]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, (name, headers)) in requests.enumerated() {
                group.addTask {
                    let reply = try await api.send("POST", "/v1/messages", TestAPI.body(), headers: headers)
                    #expect(reply.status == 200)
                    finished.change { $0.append(name) }
                }
                #expect(
                    await eventually {
                        let state = await api.scheduler.statistics()
                        return state.sessionsRunning == 1 && state.sessionsWaiting == index
                    }
                )
            }
            // Three steps are an answer.
            for count in 1...5 {
                engine.open(3)
                #expect(await eventually { finished.current.count == count })
            }
            try await group.waitForAll()
        }
        #expect(finished.current == ["greedy", "greedy", "modest", "greedy", "greedy"])
    }

    @Test("A prompt that the model cannot take is the request's fault, for answers and for counts")
    func impossiblePrompts() async throws {
        // Fewer tokens than the tokenizer has.
        let engine = ScriptedEngine(description: Script.description(vocabularySize: 200)) { _ in 0 }
        let api = try TestAPI(engine)
        for reply in try await [api.ask(), api.ask(#","stream":true"#), api.count(TestAPI.body())] {
            #expect(try reply.status == 400 && reply.errorType() == "invalid_request_error")
            #expect(reply.errorMessage.hasPrefix("messages: a text spells token "))
        }
        #expect(APIError(.emptyPrompt).status == 400 && APIError(.invalidToken(5)).status == 400)
    }

    @Test("A full house answers 529 and says when to come back")
    func overload() async throws {
        var scheduling = SchedulerConfiguration()
        (scheduling.maxRunningSessions, scheduling.maxWaitingSessions) = (1, 1)
        let engine = GatedEngine(answering: Script.bytes("ok"))
        let api = try TestAPI(engine, scheduling: scheduling)
        async let first = api.ask()
        async let second = api.ask()
        #expect(await eventually { await api.scheduler.statistics().sessionsRunning == 1 })
        #expect(await eventually { await api.scheduler.statistics().sessionsWaiting == 1 })
        for fields in ["", #","stream":true"#] {
            let refusal = try await api.ask(fields)
            #expect(try refusal.status == 529 && refusal.errorType() == "overloaded_error")
            #expect(refusal.headers[first: "retry-after"] == "2" && refusal.headers[first: "x-should-retry"] == nil)
        }
        #expect(try await api.count(TestAPI.body()).status == 200)
        engine.open(20)
        let texts = try await [first.text, second.text]
        #expect(texts == ["ok", "ok"])
    }

    @Test("What the front refuses has the API's envelope, and no bad request is a 5xx")
    func faults() async throws {
        let api = try TestAPI(answering: []).api
        for (fault, status, type) in [
            (.badRequest("x"), 400, "invalid_request_error"), (.requestLineTooLong, 414, "invalid_request_error"),
            (.headersTooLarge, 431, "invalid_request_error"), (.versionNotSupported, 400, "invalid_request_error"),
            (.unsupportedTransferCoding("x"), 400, "invalid_request_error"),
            (.bodyTooLarge(limit: 9), 413, "request_too_large"), (.timeout("x"), 408, "timeout_error"),
            (.tooManyConnections, 503, "overloaded_error"), (.bodyMemoryFull, 503, "overloaded_error"),
            (.tooManyRequests, 429, "rate_limit_error"),
        ] as [(HTTPFault, Int, String)] {
            let reply = try await Reply(api.response(to: fault, requestID: "req_1"))
            #expect(try reply.status == status && reply.errorType(requestID: "req_1") == type, "\(fault)")
            #expect(
                (reply.headers[first: "x-should-retry"] == "false") == (status < 500 && ![408, 429].contains(status)),
                "\(fault)"
            )
            #expect((reply.headers[first: "retry-after"] != nil) == ([429, 503].contains(status)), "\(fault)")
        }
    }
}

extension Headers {
    /// Names and values, as far as these tests use them.
    fileprivate var pairs: [(String, String)] {
        ["authorization", "x-api-key"].flatMap { name in values(name).map { (name, $0) } }
    }
}
