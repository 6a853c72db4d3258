import CKernels
package import EngineContract
package import ModelFiles

/// What a model's steps need besides weights and KV memory.
extension WorkingMemory {
    init(_ model: TransformerDescription, threads: Int) {
        self.init()
        let (hidden, inner, experts) = (model.hiddenSize, model.widestFeedForward, model.mostExperts)
        // Floats of each buffer of `ForwardPass` for a token.
        let attention = model.allLayers.map { model.attentionFloats(of: $0.mixer) }.max() ?? 0
        let recurrent = model.layers.map { model.recurrentFloats(of: $0.mixer) }.max() ?? 0
        let feedForward = 3 * inner + (experts > 0 ? experts + 2 * hidden + 2 * model.widestLatent : 0)
        // The last hidden states, those that the head sees, and the input of its projection, which is twice as wide.
        let drafting = model.draftHead == nil ? 0 : 4 * hidden
        let both = model.layers.contains { if case .both = $0.feedForward { true } else { false } } ? 2 * hidden : 0
        let perLayer = 2 * model.layers.count * (model.perLayerEmbedding?.size ?? 0)
        let rotary = model.rotary.reduce(0) { $0 + $1.dimensions }
        bytesPerStepToken = 4 * (3 * hidden + attention + recurrent + feedForward + both + perLayer + rotary + drafting)
        bytesPerSample = 4 * (model.vocabularySize + 2 * hidden)
        // Scratch of each thread, and inputs of integer kernels in two planes, or in one and with lists.
        let columns = model.maxColumns
        fixedBytes = threads * 4 * BLASMatmul.scratchCount(columns: columns) + 4 * 256 * columns
        // Experts that are computed together, in steps of few tokens too.
        if experts > 0 { fixedBytes += 4 * Int(CK_GROUPED_TOKENS) * (3 * inner + 2 * hidden) }
    }
}

extension TransformerDescription {
    /// Floats that a token takes in the buffers of attention.
    fileprivate func attentionFloats(of mixer: Mixer?) -> Int {
        switch mixer {
        case .attention(let attention):
            let (q, k) = (self.heads(of: attention).querySize, self.heads(of: attention).keySize)
            return 2 * q + 2 * k + (attention.hasOutputGate ? 3 * q + 2 * k : 0)
        case .latentAttention(let attention): return attention.stepFloats(heads: heads.count)
        case .gatedDeltaNet, .shortConvolution, .stateSpace, nil: return 0
        }
    }

    /// The same of recurrent layers.
    fileprivate func recurrentFloats(of mixer: Mixer?) -> Int {
        switch mixer {
        case .attention, .latentAttention, nil: 0
        case .gatedDeltaNet(let net): 2 * net.channels + 2 * net.valueFloats + 4 * net.valueHeads
        case .shortConvolution(let convolution): 4 * convolution.channels
        case .stateSpace(let space): space.rowFloats + space.channels + 2 * space.heads + space.innerFloats
        }
    }
}

/// What an engine takes by default on this machine.
package struct MemoryPlan: Sendable {
    package var kvBytes: Int
    package var kvTokens: Int
    /// Nil if the model keeps nothing but keys and values.
    package var states: StateMemoryDescription?
    package var working: WorkingMemory

    package init(_ model: TransformerDescription, options: EngineOptions) throws(ModelError) {
        let shape = KVShape(model, blockSize: options.blockSize, type: options.chosenKVType)
        let plan = try EnginePlan(model, shape: shape, options: options)
        kvBytes = plan.kv.blockCount * shape.blockBytes
        kvTokens = plan.kv.blockCount * shape.blockSize
        states = plan.stateMemory
        working = WorkingMemory(model, threads: options.threads ?? SystemCores.count)
    }
}

/// What an engine keeps of its sessions: keys and values, and states where a model has them.
struct EnginePlan {
    var kv: KVPlan
    private let stateShape: StateShape?
    private let stateSlots: Int

    init(_ model: TransformerDescription, shape: KVShape, options: EngineOptions) throws(ModelError) {
        let freeMemory = SystemMemory.freeBytes()
        var options = options
        stateShape = StateShape(model)
        if let stateShape {
            let plan = try StatePlan(slotBytes: stateShape.slotBytes, options: options, freeMemory: freeMemory)
            options.kvMemoryBytes = plan.kvMemoryBytes
            stateSlots = plan.slotCount
        } else {
            stateSlots = 0
        }
        kv = try KVPlan(contextLength: model.contextLength, shape: shape, options: options, freeMemory: freeMemory)
    }

    var stateMemory: StateMemoryDescription? {
        stateShape.map { StateMemoryDescription(slotCount: stateSlots, slotBytes: $0.slotBytes) }
    }

    func makeStateMemory() throws(ModelError) -> StateMemory? {
        guard let stateShape else { return nil }
        return try StateMemory(shape: stateShape, slotCount: stateSlots)
    }
}
