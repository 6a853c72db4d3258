import EngineContract
import Scheduling
import Tokenization

/// A vocabulary in which every byte is a token, and engines that follow a script in it.
enum Script {
    /// Some tokens of several bytes.
    private static let words = ["EN", "D and", " EN", "héllo"]
    private static let specials = ["<|end|>", "<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>"]
    static let end = Token(256)
    static let assistant = Token(260)

    /// - Parameter stripsFirstSpace: whether a text loses the space it begins with, as SentencePiece's do.
    static func tokenizer(stripsFirstSpace: Bool = false) throws -> Tokenizer {
        var vocabulary = (0..<256).map { "\"<0x\(hex($0 >> 4))\(hex($0 & 15))>\":\($0)" }
        vocabulary += specials.indices.map { "\"\(specials[$0])\":\(256 + $0)" }
        vocabulary += words.indices.map { "\"\(words[$0])\":\(261 + $0)" }
        let added = specials.indices.map {
            "{\"id\":\(256 + $0),\"content\":\"\(specials[$0])\",\"special\":true,\"normalized\":false}"
        }
        let strip = stripsFirstSpace ? ",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}" : ""
        let file = """
            {"added_tokens":[\(added.joined(separator: ","))],"normalizer":null,"pre_tokenizer":null,
             "decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"}\(strip)]},
             "model":{"type":"BPE","byte_fallback":true,"vocab":{\(vocabulary.joined(separator: ","))},"merges":[]}}
            """
        return try Tokenizer(tokenizerJSON: Array(file.utf8))
    }

    private static func hex(_ nibble: Int) -> String { String(nibble, radix: 16, uppercase: true) }

    /// Each byte of a text as a token.
    static func bytes(_ text: String) -> [Token] { text.utf8.map { Token($0) } }

    static func word(_ text: String) -> Token { Token(261 + (words.firstIndex(of: text) ?? 0)) }

    /// The reply's next token: what comes after the last turn's head and its line break.
    static func next(in reply: [Token], after prefix: [Token]) -> Token {
        let head = prefix.lastIndex(of: assistant) ?? 0
        let answered = prefix.count - head - 2
        return reply.indices.contains(answered) ? reply[answered] : end
    }

    static func description(contextLength: Int = 4096, vocabularySize: Int? = nil) -> EngineDescription {
        EngineDescription(
            modelID: "test/model",
            displayName: "A script",
            architecture: "none",
            parameterCount: 0,
            quantization: "none",
            contextLength: contextLength,
            vocabularySize: vocabularySize ?? 261 + words.count,
            blockSize: 16,
            blockCount: 1024,
            kvBytesPerToken: 4,
            weightBytes: 0,
            threads: 1,
            kernelVariant: "none",
            isMock: true
        )
    }
}

/// An engine that answers with one text and takes no step before it is told to.
actor GatedEngine: InferenceEngine {
    nonisolated let description = Script.description()
    private let engine: ScriptedEngine
    private let steps: AsyncStream<Void>
    private let gate: AsyncStream<Void>.Continuation

    init(answering reply: [Token]) {
        engine = ScriptedEngine(description: description) { Script.next(in: reply, after: $0) }
        (steps, gate) = AsyncStream.makeStream()
    }

    /// Lets so many steps pass.
    nonisolated func open(_ count: Int = 1) { for _ in 0..<count { gate.yield() } }

    /// Makes the step that waits fail.
    func fail() async {
        await engine.failNextStep(EngineError("the script says so"))
        open()
    }

    func step(_ step: Step) async throws(EngineError) -> StepResult {
        for await _ in steps { break }
        return try await engine.step(step)
    }
}
