import ModelFiles
import Platform

/// Memory of fixed size that the system gives page by page, as it is used: zeros until then, and again after `release`.
///
/// Owned and used by one memory of the engine, on the engine's thread only; whoever takes addresses from it checks places.
final class ReservedMemory {
    let bytes: UnsafeMutableRawBufferPointer

    /// - Parameter name: of what it is for, in messages.
    /// - Throws: `ModelError` if the size is out of range, or the system has no address space for it.
    init(count: Int, of size: Int, _ unit: String, for name: String) throws(ModelError) {
        let (total, overflow) = size.multipliedReportingOverflow(by: count)
        guard count > 0, total > 0, !overflow, count <= Int32.max else {
            throw ModelError("\(name) of \(count) \(unit) of \(size) bytes is out of range")
        }
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let start = mmap(nil, total, PROT_READ | PROT_WRITE, flags, -1, 0), start != MAP_FAILED else {
            throw ModelError("\(name) of \(total) bytes cannot be allocated: \(String(cString: strerror(errno)))")
        }
        // What belongs together lies far apart: with small pages, nearly each access would cost a walk through their tables.
        madvise(start, total, MADV_HUGEPAGE)
        bytes = UnsafeMutableRawBufferPointer(start: start, count: total)
    }

    deinit { munmap(bytes.baseAddress, bytes.count) }

    /// Gives the whole pages of a part back to the system.
    func release(_ part: Range<Int>) {
        precondition(part.lowerBound >= 0 && part.upperBound <= bytes.count, "no such part")
        let page = sysconf(Int32(_SC_PAGESIZE))
        let start = (part.lowerBound + page - 1) / page * page
        let end = part.upperBound / page * page
        if end > start { madvise(bytes.baseAddress.map { $0 + start }, end - start, MADV_DONTNEED) }
    }
}
