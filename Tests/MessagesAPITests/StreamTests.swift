import EngineContract
import Foundation
import HTTPFront
import JSON
import Scheduling
import Synchronization
import Testing

@testable import MessagesAPI

@Suite("A stream", .timeLimit(.minutes(1))) struct StreamTests {
    /// What was written to a stream so far.
    private final class Written: Sendable {
        private let bytes = Mutex<[UInt8]>([])

        var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }
        var sink: BodyWriter.Sink { { [self] more in bytes.withLock { $0 += more } } }

        func count(_ event: String) -> Int { text.components(separatedBy: "event: \(event)\n").count - 1 }
    }

    @Test("Has its events in the order and shape that the official clients rely on")
    func events() async throws {
        let reply = Script.bytes("Hé") + [Script.word(" EN")]
        let stream = try await TestAPI(answering: reply).ask(#","stream":true"#)
        #expect(stream.headers[first: "content-type"] == "text/event-stream")
        #expect(stream.headers[first: "cache-control"] == "no-cache")
        #expect(stream.headers[first: "x-accel-buffering"] == "no")
        let id = try #require(try stream.events.first?["message"]?["id"]?.string())
        #expect(
            stream.body == #"""
                event: message_start
                data: {"type":"message_start","message":{"id":"\#(id)","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":8,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}

                event: ping
                data: {"type":"ping"}

                event: content_block_start
                data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

                event: content_block_delta
                data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"H"}}

                event: content_block_delta
                data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"é"}}

                event: content_block_delta
                data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" EN"}}

                event: content_block_stop
                data: {"type":"content_block_stop","index":0}

                event: message_delta
                data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":8,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":5}}

                event: message_stop
                data: {"type":"message_stop"}


                """#
        )
    }

    @Test("Is asked for by the body, or by a header where the body does not say")
    func selection() async throws {
        let api = try TestAPI(answering: Script.bytes("ok"))
        for (field, header, streams) in [
            ("", nil, false), ("", "true", true), ("", "True", true), ("", "false", false), ("", "1", false),
            (#","stream":true"#, nil, true), (#","stream":true"#, "false", true), (#","stream":false"#, "true", false),
        ] {
            var headers: Headers = ["x-api-key": "sk-ant-api-1", "accept": "application/json"]
            if let header { headers.add("X-Stream", header) }
            let reply = try await api.send("POST", "/v1/messages", TestAPI.body(field), headers: headers)
            #expect(
                (reply.headers[first: "content-type"] == "text/event-stream") == streams,
                "\(field) \(header ?? "")"
            )
            #expect(try reply.text == "ok")
        }
    }

    @Test("Begins before anything is computed, and says something while nothing comes")
    func pings() async throws {
        var configuration = APIConfiguration()
        configuration.pingInterval = .milliseconds(2)
        let engine = GatedEngine(answering: Script.bytes("ab"))
        let api = try TestAPI(engine, configuration: configuration)
        let written = Written()
        async let reply = api.send("POST", "/v1/messages", TestAPI.body(#","stream":true"#), sink: written.sink)
        #expect(await eventually { written.count("ping") >= 4 })
        #expect(written.text.hasPrefix("event: message_start\n") && written.count("content_block_start") == 0)
        engine.open()
        #expect(await eventually { written.count("content_block_delta") == 1 })
        let before = written.count("ping")
        #expect(await eventually { written.count("ping") > before })
        engine.open(2)
        _ = try await reply
        let whole = written.text
        #expect(whole.hasSuffix("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"))
        try await Task.sleep(for: .milliseconds(20))
        #expect(written.text == whole)
    }

    @Test("Says something in time also while tokens come that make no text yet")
    func pingsBetweenSilentTokens() async throws {
        var configuration = APIConfiguration()
        configuration.pingInterval = .milliseconds(20)
        // Every token may be the beginning of the stop sequence, so that none is certain before the end.
        let reply = Script.bytes(String(repeating: "a", count: 90))
        let description = Script.description()
        let engine = ScriptedEngine(description: description, stepDuration: .milliseconds(4)) {
            Script.next(in: reply, after: $0)
        }
        var scheduling = SchedulerConfiguration()
        scheduling.speculates = false
        let api = try TestAPI(engine, scheduling: scheduling, configuration: configuration)
        let stop = String(repeating: "a", count: 200)
        let stream = try await api.ask(#","stream":true,"stop_sequences":["\#(stop)"]"#)
        #expect(try stream.text == String(repeating: "a", count: 90))
        #expect(try stream.eventNames.count { $0 == "content_block_delta" } == 1)
        // 91 steps take 364 ms at least, 18 times a ping's interval; the first ping is part of the beginning.
        #expect(try stream.eventNames.count { $0 == "ping" } >= 9)
    }

    @Test("Waits for its tokens without pings as long as events come in time")
    func noNeedlessPings() async throws {
        var configuration = APIConfiguration()
        configuration.pingInterval = .seconds(3600)
        let stream = try await TestAPI(answering: Script.bytes("some text"), configuration: configuration)
            .ask(#","stream":true"#)
        #expect(try stream.eventNames.count { $0 == "ping" } == 1)
    }

    @Test("Ends at once when its client leaves while no token comes, and writes nothing more")
    func clientLeavesSilently() async throws {
        for pingInterval in [Duration.milliseconds(2), .seconds(3600)] {
            var configuration = APIConfiguration()
            configuration.pingInterval = pingInterval
            let engine = GatedEngine(answering: Script.bytes("ab"))
            let api = try TestAPI(engine, configuration: configuration)
            let written = Written()
            let task = Task {
                try await api.send("POST", "/v1/messages", TestAPI.body(#","stream":true"#), sink: written.sink)
            }
            engine.open()
            #expect(await eventually { written.count("content_block_delta") == 1 })
            task.cancel()
            await #expect(throws: (any Error).self) { try await task.value }
            // The engine still holds the step back.
            #expect(await eventually { api.api.metrics.current.finished == ["cancelled": 1] })
            #expect(await api.scheduler.statistics().blocksInUse == 0)
            let text = written.text
            engine.open(100)
            try await Task.sleep(for: .milliseconds(20))
            #expect(written.text == text && written.count("message_stop") == 0 && written.count("error") == 0)
        }
    }

    @Test("Ends with an error event when the engine fails or the server ends, and with nothing after it")
    func errors() async throws {
        for (isShutdown, type) in [(false, "api_error"), (true, "overloaded_error")] {
            let engine = GatedEngine(answering: Script.bytes("abc"))
            let api = try TestAPI(engine)
            let written = Written()
            async let reply = api.send("POST", "/v1/messages", TestAPI.body(#","stream":true"#), sink: written.sink)
            engine.open()
            #expect(await eventually { written.count("content_block_delta") == 1 })
            if isShutdown {
                async let stopped: Void = api.scheduler.stop(within: .zero)
                #expect(await eventually { await api.isStopping })
                // The step that runs must end first.
                engine.open()
                await stopped
            } else {
                await engine.fail()
            }
            var stream = try await reply
            stream.body = written.text
            let last = try #require(try stream.events.last)
            #expect(last["type"] == "error" && last["error"]?["type"] == .string(type))
            #expect(last["request_id"] == "req_test" && last["error"]?["message"] != nil)
            #expect(written.count("message_stop") == 0 && written.count("message_delta") == 0)
        }
    }

    @Test("A stream that loses its place before its turn gets a status; one that has begun to wait aloud, an event")
    func displaced() async throws {
        for waitsAloud in [false, true] {
            var scheduling = SchedulerConfiguration()
            (scheduling.maxRunningSessions, scheduling.maxWaitingSessions) = (1, 1)
            var configuration = APIConfiguration()
            configuration.apiKeys = ["greedy", "modest"]
            configuration.pingInterval = waitsAloud ? .milliseconds(5) : .seconds(3600)
            let engine = GatedEngine(answering: Script.bytes("ok"))
            let api = try TestAPI(engine, scheduling: scheduling, configuration: configuration)
            let body = TestAPI.body(#","stream":true"#)
            async let first = api.send("POST", "/v1/messages", body, headers: ["x-api-key": "greedy"])
            #expect(await eventually { await api.scheduler.statistics().sessionsRunning == 1 })
            let written = Written()
            async let second = api.send(
                "POST",
                "/v1/messages",
                body,
                headers: ["x-api-key": "greedy"],
                sink: written.sink
            )
            #expect(await eventually { await api.scheduler.statistics().sessionsWaiting == 1 })
            if waitsAloud { #expect(await eventually { written.count("ping") >= 2 }) }
            async let third = api.send("POST", "/v1/messages", body, headers: ["x-api-key": "modest"])
            var loser = try await second
            if waitsAloud {
                loser.body = written.text
                #expect(loser.status == 200)
                #expect(try loser.events.last?["error"]?["type"] == "overloaded_error")
            } else {
                #expect(try loser.status == 529 && loser.errorType() == "overloaded_error")
                #expect(loser.headers[first: "retry-after"] == "2" && written.text.isEmpty)
            }
            engine.open(20)
            #expect(try await [first.text, third.text] == ["ok", "ok"])
        }
    }

    @Test("A failure before the first byte is an ordinary error, and plain answers fail with a status")
    func plainErrors() async throws {
        let engine = GatedEngine(answering: [])
        let api = try TestAPI(engine)
        async let reply = api.ask()
        #expect(await eventually { await api.scheduler.statistics().sessionsRunning == 1 })
        await engine.fail()
        let failed = try await reply
        #expect(try failed.status == 500 && failed.errorType() == "api_error")
        #expect(!failed.body.contains("script"))
        await api.scheduler.stop(within: .zero)
        let ending = try await api.ask(#","stream":true"#)
        #expect(try ending.status == 503 && ending.errorType() == "overloaded_error")
        #expect(ending.headers[first: "retry-after"] == "5")
    }

    @Test("A client that leaves ends its session and frees its blocks")
    func clientLeaves() async throws {
        struct Gone: Error {}
        // Longer than a session may be ahead of its reader, so it cannot end by itself.
        let reply = Script.bytes(String(repeating: "x", count: 3000))
        let streaming = try TestAPI(answering: reply)
        let writes = Mutex(0)
        await #expect(throws: Gone.self) {
            let body = TestAPI.body(#","stream":true,"max_tokens":4000"#)
            _ = try await streaming.send("POST", "/v1/messages", body) { _ in
                writes.withLock { $0 += 1 }
                if writes.withLock({ $0 }) == 3 { throw Gone() }
            }
        }
        #expect(await eventually { await streaming.scheduler.statistics().blocksInUse == 0 })
        #expect(streaming.api.metrics.current.finished == ["cancelled": 1])

        let engine = GatedEngine(answering: reply)
        let plain = try TestAPI(engine)
        let task = Task { try await plain.ask(#","max_tokens":4000"#) }
        #expect(await eventually { await plain.scheduler.statistics().sessionsRunning == 1 })
        task.cancel()
        #expect(try await task.value.status == 499)
        engine.open(1000)
        #expect(await eventually { await plain.scheduler.statistics().blocksInUse == 0 })
        #expect(plain.api.metrics.current.finished == ["cancelled": 1])
    }
}
