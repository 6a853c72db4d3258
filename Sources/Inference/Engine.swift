package import EngineContract
package import ModelFiles

/// How an engine uses the machine.
package struct EngineOptions: Sendable {
    /// Compute threads; nil is one for each core.
    package var threads: Int?
    /// Bytes of KV memory; nil is chosen from free memory.
    package var kvMemoryBytes: Int?
    /// Float32 products by OpenBLAS, whatever the weights' form: slower, for comparison.
    package var precise: Bool
    /// Tokens in a KV block: a multiple of 16.
    package var blockSize: Int
    /// The most tokens a session may hold, if less than what the model can.
    package var contextLimit: Int?

    package init(
        threads: Int? = nil,
        kvMemoryBytes: Int? = nil,
        precise: Bool = false,
        blockSize: Int = 16,
        contextLimit: Int? = nil
    ) {
        self.threads = threads
        self.kvMemoryBytes = kvMemoryBytes
        self.precise = precise
        self.blockSize = blockSize
        self.contextLimit = contextLimit
    }
}

/// The owner of weights and KV memory; computes steps on a thread of its own.
package actor Engine: InferenceEngine {
    package nonisolated let description: EngineDescription

    package init(model: LoadedModel, options: EngineOptions = EngineOptions()) throws(ModelError) {
        throw ModelError("models cannot be loaded yet")
    }

    package func step(_ step: Step) throws(EngineError) -> StepResult {
        throw EngineError("not there yet")
    }
}
