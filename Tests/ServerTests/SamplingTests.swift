import Foundation
import Support
import Testing

/// Default sampling parameters: the operator's, the model files', the API's.
@Suite struct SamplingTests {
    private static let text = "Tell me something."

    /// The set of answers to several equal requests.
    private func answers(_ server: ServerProcess, _ fields: String = "", count: Int = 6) async throws -> Set<String> {
        var answers: Set<String> = []
        for _ in 0..<count {
            let response = try await server.message(Self.text, maxTokens: 24, fields)
            #expect(response.status == "200", "\(response.body)")
            answers.insert(response.text ?? "")
        }
        return answers
    }

    private func server(_ generation: String?, _ arguments: [String] = []) throws -> (ServerProcess, ModelFolder) {
        let folder = try ModelFolder(["generation_config.json": generation])
        try folder.flatten()
        return (try ServerProcess(["--model", folder.path] + arguments), folder)
    }

    @Test("Without any setting, a request has the API's temperature of 1", .timeLimit(.minutes(3)))
    func nobody() async throws {
        let (server, folder) = try server(nil)
        defer { withExtendedLifetime(folder) {} }
        #expect(server.said.contains("temperature 1, where a request"))
        #expect(try await answers(server).count > 1)
        // top_k alone counts as well.
        let greedy = try await answers(server, #","temperature":0"#)
        #expect(greedy.count == 1)
        #expect(try await answers(server, #","top_k":1"#) == greedy)
        #expect(try await answers(server, #","top_p":0"#) == greedy)
    }

    @Test("A model's generation_config.json applies, and a request overrides it", .timeLimit(.minutes(3)))
    func model() async throws {
        let greedyModel = try server(#"{"do_sample": false, "temperature": 1.5}"#)
        #expect(greedyModel.0.said.contains("greedy, where a request"))
        let greedy = try await answers(greedyModel.0)
        #expect(greedy.count == 1)
        #expect(try await answers(greedyModel.0, #","temperature":1"#).count > 1)
        let topK = try server(#"{"top_k": 1, "temperature": 1.5, "min_p": NaN}"#)
        #expect(topK.0.said.contains("generation_config.json: min_p is nan; 0.0 to 1.0 is expected; it is ignored"))
        #expect(try await answers(topK.0) == greedy)
        #expect(try await answers(topK.0, #","top_k":0"#).count > 1)
        let penalty = try server(#"{"do_sample": false, "repetition_penalty": 100}"#)
        let other = try await answers(penalty.0)
        #expect(other.count == 1 && other != greedy)
        withExtendedLifetime([greedyModel.1, topK.1, penalty.1]) {}
    }

    @Test("The operator's settings override the model's, and a request overrides both", .timeLimit(.minutes(3)))
    func operatorSettings() async throws {
        let (server, folder) = try server(#"{"temperature": 1.5}"#, ["--temperature", "0"])
        defer { withExtendedLifetime(folder) {} }
        #expect(try await answers(server).count == 1)
        #expect(try await answers(server, #","temperature":1"#).count > 1)
        // The built-in model's file makes it greedy.
        let builtin = try ServerProcess()
        #expect(builtin.said.contains("greedy, where a request"))
        let warm = try ServerProcess(
            ["--model", folder.path],
            environment: ["PENSIEVE_TEMPERATURE": "1.2", "PENSIEVE_TOP_P": "0.99"]
        )
        #expect(warm.said.contains("temperature 1.2, top-p 0.99, where"))
        #expect(try await answers(warm).count > 1)
        #expect(try await answers(warm, #","temperature":0"#).count == 1)
    }

    @Test("generate samples as a server does", .timeLimit(.minutes(3)))
    func generate() async throws {
        let folder = try ModelFolder(["generation_config.json": #"{"temperature": 1.3}"#])
        try folder.flatten()
        func answers(_ arguments: [String]) async throws -> Set<String> {
            var answers: Set<String> = []
            for _ in 0..<4 {
                let outcome = try await Program.run(["generate", "--max-tokens", "24"] + arguments + [Self.text])
                #expect(outcome.status == 0, "\(outcome.errors)")
                answers.insert(outcome.output)
            }
            return answers
        }
        #expect(try await answers([]).count == 1)
        #expect(try await answers(["--model", folder.path]).count > 1)
        #expect(try await answers(["--model", folder.path, "--seed", "3"]).count == 1)
        #expect(try await answers(["--model", folder.path, "--temperature", "0"]).count == 1)
        #expect(try await answers(["--model", folder.path, "--top-k", "1"]).count == 1)
    }

    @Test("inspect and validate show the effective parameters")
    func said() async throws {
        let folder = try ModelFolder(["generation_config.json": #"{"temperature": 0.6, "top_k": 20, "top_p": 7}"#])
        let inspected = try await Program.run(["inspect", folder.path])
        #expect(inspected.output.contains("temperature 0.6, top-k 20, where a request does not say"))
        #expect(inspected.output.contains("ignored: \(folder.path)/generation_config.json: top_p is 7.0"))
        #expect(inspected.output.contains("on this machine by default"))
        let file = folder.path + "/c.json"
        try Data(#"{"model": "\#(folder.path)", "top_k": 5, "min_p": 0.1}"#.utf8).write(to: URL(fileURLWithPath: file))
        let validated = try await Program.run(["validate", "--config", file])
        #expect(validated.status == 0)
        #expect(validated.output.contains("does not say: temperature 0.6, top-k 5, min-p 0.1"))
        #expect(validated.errors.contains("top_p is 7.0"))
    }
}
