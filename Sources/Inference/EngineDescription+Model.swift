import EngineContract

extension EngineDescription {
    /// Of a model, and one that drafts for it, with the memory and the kernels that an engine has for them.
    init(_ model: LoadedModel, draft: LoadedModel?, _ plan: EnginePlan, shape: KVShape, _ compute: Compute) {
        let (transformer, drafting) = (model.transformer.description, draft?.transformer.description)
        self.init(
            modelID: model.modelID,
            displayName: model.displayName,
            architecture: model.configuration.modelType,
            parameterCount: model.parameterCount,
            quantization: model.quantization,
            contextLength: plan.kv.contextLength,
            vocabularySize: transformer.vocabularySize,
            blockSize: shape.blockSize,
            blockCount: plan.kv.blockCount,
            kvBytesPerToken: shape.bytesPerToken,
            weightBytes: model.weightBytes + (draft?.weightBytes ?? 0),
            threads: compute.threads,
            kernelVariant: compute.variant.name,
            isMock: false,
            maxStepTokens: StepChecks.maxTokens,
            window: Self.widestWindow(transformer, drafting)
        )
        working = WorkingMemory(transformer, threads: compute.threads)
        stateMemory = plan.stateMemory
        drafter = transformer.draftHead != nil ? .head : nil
        guard let draft, let drafting else { return }
        var working = WorkingMemory(drafting, threads: compute.threads)
        // Besides the step's tokens it takes in some that it has missed.
        working.fixedBytes += StepEntry.mostUnfollowed * working.bytesPerStepToken
        self.working = self.working + working
        drafter = .model
        draftModel = draft.displayName
        draftContextLength = drafting.contextLength
    }

    /// How many positions a token sees, in the layer of either model that sees the most; nil: all.
    private static func widestWindow(_ model: TransformerDescription, _ draft: TransformerDescription?) -> Int? {
        guard let draft, let own = model.widestWindow else { return model.widestWindow }
        return draft.widestWindow.map { max($0, own) }
    }
}
