import CKernels
package import EngineContract
package import ModelFiles

/// What a model's steps need besides weights and KV memory.
extension WorkingMemory {
    init(_ configuration: ModelConfiguration, threads: Int) {
        self.init()
        let (heads, kvHeads, headSize) = (configuration.headCount, configuration.kvHeadCount, configuration.headSize)
        let (hidden, size) = (configuration.hiddenSize, configuration.intermediateSize)
        let inner = max(size, configuration.experts?.intermediateSize ?? 0)
        let columns = max(hidden, inner, heads * headSize)
        // Rows of floats: hidden, normed, gathered; projected; attended; cosines and sines.
        let projected = max((heads + 2 * kvHeads) * headSize, 2 * inner, hidden)
        let attended = max(heads * headSize, inner)
        bytesPerStepToken = 4 * (3 * hidden + projected + attended + headSize)
        bytesPerSample = 4 * (configuration.vocabularySize + 2 * hidden)
        // Scratch of each thread, and inputs of products in integers of two planes.
        fixedBytes = threads * 4 * BLASProduct.scratchCount(columns: columns) + 4 * 256 * columns
    }
}

/// What an engine takes by default on this machine.
package struct MemoryPlan: Sendable {
    package var kvBytes: Int
    package var kvTokens: Int
    package var working: WorkingMemory

    package init(_ configuration: ModelConfiguration, options: EngineOptions) throws(ModelError) {
        let shape = KVShape(configuration, options)
        let plan = try KVPlan(
            configuration: configuration,
            shape: shape,
            options: options,
            freeMemory: SystemMemory.freeBytes()
        )
        kvBytes = plan.blockCount * shape.blockBytes
        kvTokens = plan.blockCount * shape.blockSize
        working = WorkingMemory(configuration, threads: options.threads ?? SystemCores.count)
    }
}

extension KVShape {
    init(_ configuration: ModelConfiguration, _ options: EngineOptions) {
        self.init(
            layers: configuration.layerCount,
            heads: configuration.kvHeadCount,
            headSize: configuration.headSize,
            blockSize: options.blockSize,
            type: options.chosenKVType
        )
    }
}
