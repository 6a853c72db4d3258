/// The owner of weights and KV memory, seen from the Scheduler.
///
/// The Scheduler owns the accounting (which block belongs to whom), the engine owns the bytes. A step is atomic: the
/// engine runs it on its own thread and returns when every entry is computed.
package protocol InferenceEngine: Actor {
    nonisolated var description: EngineDescription { get }

    /// Computes one step. What concerns one session only is among the result's failures.
    /// - Throws: `EngineError` if the step is malformed; the engine stays usable.
    func step(_ step: Step) async throws(EngineError) -> StepResult

    /// Gives the memory of blocks back to the system; what they hold is lost. Whoever has one of them next writes before
    /// reading, as always.
    func release(_ blocks: [BlockIndex]) async

    /// The same for slots of state memory.
    func release(states: [StateSlot]) async

    /// Gives back what the engine keeps between steps only to be quick.
    func trim() async
}

extension InferenceEngine {
    package func release(_ blocks: [BlockIndex]) async {}
    package func release(states: [StateSlot]) async {}
    package func trim() async {}
}

/// What a loaded model is and how it is held: for the banner, `/health` and `/v1/models`.
package struct EngineDescription: Sendable {
    /// The model's identifier, as in `/v1/models`.
    package var modelID: String
    package var displayName: String
    package var architecture: String
    package var parameterCount: Int
    /// For people: "MLX 8-bit, group 64", "float32", "none".
    package var quantization: String
    /// Tokens a session may hold: prompt and answer.
    package var contextLength: Int
    package var vocabularySize: Int
    /// Tokens in one KV block.
    package var blockSize: Int
    package var blockCount: Int
    /// A token sees this many positions, itself included, in the layer that sees the most; nil: all.
    package var window: Int?
    /// The most tokens of all sessions together in one step.
    package var maxStepTokens: Int
    /// What the engine drafts tokens with where a step wants it to; nil: it drafts none.
    package var drafter: EngineDrafter?
    /// For people: the draft model's name.
    package var draftModel: String?
    /// Behind so many tokens the engine drafts nothing.
    package var draftContextLength = Int.max
    package var kvBytesPerToken: Int
    /// Nil if the model keeps nothing but keys and values.
    package var stateMemory: StateMemoryDescription?
    package var weightBytes: Int
    package var threads: Int
    /// The kernels chosen for this CPU: "avx512", "avx2", "scalar".
    package var kernelVariant: String
    /// What steps need besides.
    package var working = WorkingMemory()
    /// True for a scripted engine without a model.
    package var isMock: Bool

    package init(
        modelID: String,
        displayName: String,
        architecture: String,
        parameterCount: Int,
        quantization: String,
        contextLength: Int,
        vocabularySize: Int,
        blockSize: Int,
        blockCount: Int,
        kvBytesPerToken: Int,
        weightBytes: Int,
        threads: Int,
        kernelVariant: String,
        isMock: Bool,
        maxStepTokens: Int = .max,
        window: Int? = nil
    ) {
        self.modelID = modelID
        self.displayName = displayName
        self.architecture = architecture
        self.parameterCount = parameterCount
        self.quantization = quantization
        self.contextLength = contextLength
        self.vocabularySize = vocabularySize
        self.blockSize = blockSize
        self.blockCount = blockCount
        self.window = window
        self.maxStepTokens = maxStepTokens
        self.kvBytesPerToken = kvBytesPerToken
        self.weightBytes = weightBytes
        self.threads = threads
        self.kernelVariant = kernelVariant
        self.isMock = isMock
    }
}

/// What an engine drafts tokens with.
package enum EngineDrafter: Sendable {
    /// The model's own head for several tokens, which sees all tokens of every step.
    case head
    /// A smaller model, which sees what a step's entries say.
    case model
}

/// Memory that steps need besides weights and KV memory.
package struct WorkingMemory: Sendable, Equatable {
    package var fixedBytes = 0
    package var bytesPerStepToken = 0
    package var bytesPerSample = 0

    package init() {}

    /// What both of two models need.
    package static func + (one: Self, other: Self) -> Self {
        var sum = one
        sum.fixedBytes += other.fixedBytes
        sum.bytesPerStepToken += other.bytesPerStepToken
        sum.bytesPerSample += other.bytesPerSample
        return sum
    }

    /// - Parameters:
    ///   - stepTokens: the most tokens of a step.
    ///   - samples: the most tokens sampled in a step.
    package func bytes(stepTokens: Int, samples: Int) -> Int {
        fixedBytes + bytesPerStepToken * stepTokens + bytesPerSample * samples
    }
}

/// Why a step, or one session's share of it, could not be computed.
package struct EngineError: Error, Sendable, CustomStringConvertible {
    package let description: String
    /// Whether no later step can be computed either.
    package let isLasting: Bool

    package init(_ description: String, isLasting: Bool = false) {
        self.description = description
        self.isLasting = isLasting
    }

    /// The constraint of a session's answer has come to a point from which nothing leads on.
    package static let nothingAllowed = EngineError("the answer's constraint allows nothing more")
}
