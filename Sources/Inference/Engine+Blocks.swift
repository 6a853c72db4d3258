import CKernels
package import EngineContract
import Hashing
import ModelFiles
import Platform

/// KV blocks and states out of the engine and in again.
extension Engine: BlockTransfer {
    package func contents(of block: BlockIndex) throws(EngineError) -> [UInt8] {
        guard 0..<description.blockCount ~= Int(block) else { throw EngineError("no block \(block)") }
        return Array(pass.kv.contents(of: Int(block)))
    }

    package func restore(_ blocks: [RestoredBlock]) throws(EngineError) {
        for restored in blocks {
            guard 0..<description.blockCount ~= Int(restored.block), restored.contents.count == blockBytes else {
                throw EngineError("block \(restored.block) cannot hold \(restored.contents.count) bytes")
            }
        }
        for restored in blocks { pass.kv.contents(of: Int(restored.block)).copyBytes(from: restored.contents) }
    }

    package func contents(ofState slot: StateSlot) throws(EngineError) -> [UInt8] {
        guard let states = pass.states, 0..<states.slotCount ~= Int(slot) else { throw EngineError("no state \(slot)") }
        return Array(states.contents(of: slot))
    }

    package func restore(state slot: StateSlot, _ contents: [UInt8]) throws(EngineError) {
        guard let states = pass.states, 0..<states.slotCount ~= Int(slot), contents.count == states.shape.slotBytes
        else { throw EngineError("state \(slot) cannot hold \(contents.count) bytes") }
        states.contents(of: slot).copyBytes(from: contents)
    }

    package func release(_ blocks: [BlockIndex]) {
        pass.kv.release(blocks.filter { 0..<description.blockCount ~= Int($0) }.map { Int($0) })
    }

    package func release(states slots: [StateSlot]) {
        guard let states = pass.states else { return }
        states.release(slots.filter { 0..<states.slotCount ~= Int($0) })
    }

    package func trim() {
        pass.releaseBuffers()
        draftModel?.pass.releaseBuffers()
        masks = []
        returnFreeHeapMemory()
    }

    /// Everything that what a block or a state holds depends on besides the tokens, and the layout of it.
    static func blockIdentity(
        _ model: LoadedModel,
        draft: LoadedModel?,
        _ options: EngineOptions,
        _ plan: KVPlan,
        variant: String
    ) -> String {
        // Whatever an option is, it may change the numbers; but for these, which do not.
        var options = options
        options.threads = nil
        options.kvMemoryBytes = nil
        options.stateSlots = nil
        options.kernels = nil
        let drafting = draft.map { " draft \($0.identity)" } ?? ""
        return "\(model.identity)\(drafting) \(options) context \(plan.contextLength) \(variant)"
    }
}

extension TensorDirectory {
    /// A digest of the description and of the tensors' names, types, shapes and some of their bytes. Models that differ have
    /// different ones, unless they differ in a few rows alone that no piece lies in.
    func identity(_ description: TransformerDescription) -> String {
        var hash = SHA256()
        Array("\(description)\n".utf8).withUnsafeBytes { hash.update($0) }
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            let line = "\(name) \(tensor.type) \(tensor.shape) \(tensor.bytes.count)\n"
            Array(line.utf8).withUnsafeBytes { hash.update($0) }
            // Of large ones, pieces from all over: reading the whole would take as long as loading it.
            let bytes = tensor.bytes.bytes
            let piece = min(256, bytes.count)
            for place in 0..<32 {
                let start = (bytes.count - piece) * place / 31
                hash.update(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + piece)]))
            }
        }
        return hash.finish()
    }
}
