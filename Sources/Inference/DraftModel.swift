import EngineContract
import ModelFiles

/// A smaller model of the same vocabulary, which drafts what a larger one will sample (Leviathan et al., "Fast Inference from
/// Transformers via Speculative Decoding", arXiv 2211.17192; here a draft is right only if it is the very token that is sampled,
/// so that answers do not depend on it).
///
/// Its keys and values lie in the sessions' blocks behind the larger model's, of the same positions: they are shared, moved and
/// given back with these.
struct DraftModel {
    let transformer: Transformer
    let pass: ForwardPass

    init(_ model: LoadedModel, compute: Compute, kv: KVMemory, contextLength: Int) {
        transformer = model.transformer
        let own = KVShape(transformer.description, blockSize: kv.shape.blockSize, type: kv.shape.type).layers.count
        pass = ForwardPass(
            transformer.description,
            compute: compute,
            kv: kv,
            firstLayer: kv.shape.layers.count - own,
            contextLength: contextLength
        )
    }

    /// - Throws: `ModelError` if a model cannot draft for another one.
    static func check(_ draft: LoadedModel, for model: LoadedModel) throws(ModelError) {
        let (own, other) = (draft.transformer.description, model.transformer.description)
        guard own.layers.allSatisfy({ $0.stateFloats == 0 }) else {
            throw ModelError(
                "\(draft.displayName) has recurrent layers: as a draft model it could not take back what was wrong"
            )
        }
        guard own.draftHead == nil, other.draftHead == nil else {
            throw ModelError("a draft model beside a draft head is not supported")
        }
        guard own.vocabularySize <= other.vocabularySize else {
            throw ModelError(
                "\(draft.displayName) has \(own.vocabularySize) tokens, \(model.displayName) \(other.vocabularySize): a draft "
                    + "model needs the same vocabulary"
            )
        }
    }

    /// What the model takes in of a step, and where it drafts: after the samples of entries that want it.
    /// - Returns: entries with the tokens that count and, where drafts are wanted, the one that was sampled after them; and
    ///   which of the step's each is. Those that it cannot take in are missing.
    func followed(_ step: Step, _ result: StepResult) -> [(index: Int, entry: StepEntry)] {
        step.entries.indices.compactMap { index in
            var entry = step.entries[index]
            guard entry.isFollowed || !entry.unfollowed.isEmpty, !overlapsOthers(index, of: step) else { return nil }
            if entry.isFollowed {
                let samples = result.samples[index]
                let right = StepResult.rightDrafts(samples, of: entry)
                let known = entry.tokens.count - entry.draftCount + right
                let sampled = entry.wantedDrafts > 0 ? samples.dropFirst(right).prefix(1) : []
                entry.tokens = Array(entry.unfollowed + entry.tokens.prefix(known) + sampled)
                entry.startPosition -= entry.unfollowed.count
            } else {
                (entry.tokens, entry.startPosition) = (Array(entry.unfollowed), entry.unfollowedStart)
            }
            entry.state = nil
            let model = transformer.description
            let end = entry.startPosition + entry.tokens.count + entry.wantedDrafts
            guard end <= model.contextLength, entry.tokens.allSatisfy({ Int($0) < model.vocabularySize }) else {
                return nil
            }
            return (index, entry)
        }
    }

    /// Whether what an entry makes up for would be written to blocks that others have as well.
    private func overlapsOthers(_ index: Int, of step: Step) -> Bool {
        let entry = step.entries[index]
        guard !entry.unfollowed.isEmpty else { return false }
        let (size, start) = (pass.kv.shape.blockSize, entry.unfollowedStart)
        let written = Set(entry.blocks[start / size...(start + entry.unfollowed.count - 1) / size])
        return step.entries.indices.contains { $0 != index && !written.isDisjoint(with: step.entries[$0].blocks) }
    }
}
