/// Float memory that grows, and shrinks only to nothing: activations of a step. Contents are undefined after growing.
final class FloatBuffer {
    private(set) var memory: UnsafeMutableBufferPointer<Float>

    init() { memory = UnsafeMutableBufferPointer(start: nil, count: 0) }

    deinit { memory.deallocate() }

    /// The memory, at least `count` floats long.
    func reserving(_ count: Int) -> UnsafeMutablePointer<Float> {
        if count > memory.count || memory.baseAddress == nil {
            memory.deallocate()
            let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 16) * 4, alignment: 64)
            memory = raw.bindMemory(to: Float.self)
        }
        return start
    }

    /// Gives the memory back.
    func release() {
        memory.deallocate()
        memory = UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    /// The memory as it is; `count` floats must have been reserved.
    func holding(_ count: Int) -> UnsafeMutablePointer<Float> {
        precondition(count <= memory.count, "activation buffer too small")
        return start
    }

    private var start: UnsafeMutablePointer<Float> {
        guard let address = memory.baseAddress else { preconditionFailure("activation buffer not reserved") }
        return address
    }
}
