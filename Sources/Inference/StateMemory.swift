import EngineContract
import ModelFiles

/// The states of recurrent layers: slots of one size, each for one session or one snapshot, in one piece of memory that is
/// allocated once and touched as it is used.
///
/// A slot holds the state of all recurrent layers, float32, one after another. Used from the engine's thread only; slot
/// indices are checked before a step begins.
final class StateMemory {
    let shape: StateShape
    let slotCount: Int
    private let memory: ReservedMemory

    init(shape: StateShape, slotCount: Int) throws(ModelError) {
        self.shape = shape
        self.slotCount = slotCount
        memory = try ReservedMemory(count: slotCount, of: shape.slotBytes, "slots", for: "state memory")
    }

    /// The floats of a slot.
    func state(_ slot: StateSlot) -> UnsafeMutablePointer<Float>? {
        precondition(0..<slotCount ~= Int(slot), "no such slot")
        return memory.bytes.baseAddress.map { ($0 + Int(slot) * shape.slotBytes).assumingMemoryBound(to: Float.self) }
    }

    /// The bytes of a slot.
    func contents(of slot: StateSlot) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: state(slot), count: shape.slotBytes)
    }

    /// Gives the memory of slots back to the system, whole pages of it.
    func release(_ slots: [StateSlot]) {
        for slot in slots {
            precondition(0..<slotCount ~= Int(slot), "no such slot")
            memory.release(Int(slot) * shape.slotBytes..<(Int(slot) + 1) * shape.slotBytes)
        }
    }
}

extension TransformerDescription {
    /// Bytes of state memory that each session takes; nil if no layer is recurrent.
    package var stateBytesPerSession: Int? { StateShape(self)?.slotBytes }
}

/// Where in a slot the state of each recurrent layer is.
struct StateShape: Sendable, Equatable {
    /// A slot begins at a page.
    static let alignment = 4096

    /// The first float of each layer's state, in the order of the recurrent layers.
    let offsets: [Int]
    let slotBytes: Int

    /// - Returns: nil if no layer has a state.
    init?(_ model: TransformerDescription) {
        var offsets: [Int] = []
        var floats = 0
        for layer in model.layers where layer.stateFloats > 0 {
            offsets.append(floats)
            floats += (layer.stateFloats + 15) / 16 * 16
        }
        guard floats > 0 else { return nil }
        self.offsets = offsets
        slotBytes = (4 * floats + Self.alignment - 1) / Self.alignment * Self.alignment
    }
}
