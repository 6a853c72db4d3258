/// Float memory that grows, and shrinks only to nothing: activations of a step. Contents are undefined after growing.
final class FloatBuffer {
    private var memory: UnsafeMutableBufferPointer<Float>

    init() { memory = UnsafeMutableBufferPointer(start: nil, count: 0) }

    deinit { memory.deallocate() }

    /// The memory, which has room for `count` floats then.
    func ensureCapacity(_ count: Int) -> UnsafeMutablePointer<Float> {
        if count > memory.count || memory.baseAddress == nil {
            memory.deallocate()
            let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 16) * 4, alignment: 64)
            memory = raw.bindMemory(to: Float.self)
        }
        return start
    }

    /// The memory as it is, which must have room for `count` floats.
    func buffer(_ count: Int) -> UnsafeMutablePointer<Float> {
        precondition(count <= memory.count, "activation buffer too small")
        return start
    }

    /// Gives the memory back.
    func release() {
        memory.deallocate()
        memory = UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    private var start: UnsafeMutablePointer<Float> {
        guard let address = memory.baseAddress else { preconditionFailure("activation buffer without memory") }
        return address
    }
}
