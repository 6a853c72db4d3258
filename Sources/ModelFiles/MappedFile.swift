import CKernels

/// A file that is or was mapped, and whether bytes of it were gone when they were read.
///
/// Whoever shortens a mapped file takes its bytes away from those that have it mapped, too: a read there would end the
/// process. It gives zeros instead, and this value remembers it, so that what came of them can be thrown away.
///
/// `@unchecked Sendable`: `flag` points to memory of this object alone, which is written by the handler of the fault and
/// read, both atomically.
package final class MappedFile: @unchecked Sendable {
    package let path: String
    private let flag = UnsafeMutablePointer<Int32>.allocate(capacity: 1)

    /// - Parameter memory: where it is mapped.
    init(path: String, memory: UnsafeRawBufferPointer) {
        self.path = path
        flag.initialize(to: 0)
        _ = ck_guard_mapping(memory.baseAddress, memory.count, flag)
    }

    deinit { flag.deallocate() }

    /// Must come before the memory is unmapped.
    func forget(_ memory: UnsafeRawBufferPointer) { ck_forget_mapping(memory.baseAddress) }

    /// Whether bytes were read that the file had not any more.
    package var isDamaged: Bool { ck_flag_is_set(flag) }
}

extension Sequence<MappedFile> {
    /// The path of one that is damaged; nil if all are well.
    package var damagedPath: String? { first(where: \.isDamaged)?.path }
}
