import CKernels
import Platform

/// A file that is or was mapped, and whether bytes of it were gone when they were read.
///
/// Whoever shortens a mapped file takes its bytes away from those that have it mapped, too: a read there would end the
/// process. It gives zeros instead, and this value remembers it, so that what came of them can be thrown away. What was
/// cut off within a page reads as zeros without a fault; so the file's size counts too.
///
/// `@unchecked Sendable`: `flag` points to memory of this object alone, which is written by the handler of the fault and
/// read, both atomically; all else is immutable.
package final class MappedFile: @unchecked Sendable {
    package let path: String
    private let flag = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
    /// Of the mapped file itself, whatever has its name meanwhile; below 0 if there was no descriptor to have.
    private let descriptor: Int32
    private let size: Int

    /// - Parameters:
    ///   - descriptor: the open file, which stays the caller's.
    ///   - memory: where all of it is mapped.
    init(path: String, descriptor: Int32, memory: UnsafeRawBufferPointer) {
        self.path = path
        self.descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        size = memory.count
        flag.initialize(to: 0)
        _ = ck_guard_mapping(memory.baseAddress, memory.count, flag)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        flag.deallocate()
    }

    /// Must come before the memory is unmapped.
    func forget(_ memory: UnsafeRawBufferPointer) { ck_forget_mapping(memory.baseAddress) }

    /// Whether bytes were read that the file had not any more, or may be read from now on.
    package var isDamaged: Bool {
        if ck_flag_is_set(flag) { return true }
        var now = stat()
        return descriptor >= 0 && fstat(descriptor, &now) == 0 && Int(now.st_size) < size
    }
}

extension Sequence<MappedFile> {
    /// The path of one that is damaged; nil if all are well.
    package var damagedPath: String? { first(where: \.isDamaged)?.path }
}
