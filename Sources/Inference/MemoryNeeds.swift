import CKernels
package import EngineContract
package import ModelFiles

/// What a model's steps need besides weights and KV memory.
extension WorkingMemory {
    init(_ model: TransformerDescription, threads: Int) {
        self.init()
        let (hidden, inner, experts) = (model.hiddenSize, model.widestFeedForward, model.mostExperts)
        // Floats of each buffer of `ForwardPass` for a token.
        let attention =
            model.latentAttention?.stepFloats(heads: model.heads.count)
            ?? (model.headKinds.map { 2 * $0.querySize + 2 * $0.keySize }.max() ?? 0)
        let feedForward = 3 * inner + (experts > 0 ? experts + 2 * hidden : 0)
        let both = model.layers.contains { if case .both = $0.feedForward { true } else { false } } ? 2 * hidden : 0
        let perLayer = 2 * model.layers.count * (model.perLayerEmbedding?.size ?? 0)
        let rotary = model.rotary.reduce(0) { $0 + $1.dimensions }
        bytesPerStepToken = 4 * (3 * hidden + attention + feedForward + both + perLayer + rotary)
        bytesPerSample = 4 * (model.vocabularySize + 2 * hidden)
        // Scratch of each thread, and inputs of integer kernels in two planes.
        let columns = model.maxColumns
        fixedBytes = threads * 4 * BLASMatmul.scratchCount(columns: columns) + 4 * 256 * columns
    }
}

/// What an engine takes by default on this machine.
package struct MemoryPlan: Sendable {
    package var kvBytes: Int
    package var kvTokens: Int
    package var working: WorkingMemory

    package init(_ model: TransformerDescription, options: EngineOptions) throws(ModelError) {
        let shape = KVShape(model, blockSize: options.blockSize, type: options.chosenKVType)
        let plan = try KVPlan(
            contextLength: model.contextLength,
            shape: shape,
            options: options,
            freeMemory: SystemMemory.freeBytes()
        )
        kvBytes = plan.blockCount * shape.blockBytes
        kvTokens = plan.blockCount * shape.blockSize
        working = WorkingMemory(model, threads: options.threads ?? SystemCores.count)
    }
}
