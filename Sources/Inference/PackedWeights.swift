import CKernels
import Dispatch
import Glibc
import ModelFiles

/// The memory of a packed matrix: written once, by its initialiser, and only read after.
///
/// `@unchecked Sendable`: nobody can write to `start` once the initialiser has returned, and the memory lives as long as
/// the object.
final class PackedWeights: @unchecked Sendable {
    let form: ck_matrix
    private let memory: UnsafeMutableRawBufferPointer

    /// Packs an affine matrix on all cores.
    /// - Returns: nil if that would lose anything, or if the form has no packed twin.
    init?(_ matrix: ck_matrix) throws(ModelError) {
        var (form, bytes) = (ck_matrix(), 0)
        guard withUnsafePointer(to: matrix, { ck_packed_form($0, &form, &bytes) }) else { return nil }
        // The kernels prefetch, and never read, a little behind the end.
        guard
            let start = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            start != MAP_FAILED
        else { throw ModelError("no memory for \(bytes) bytes of weights: \(String(cString: strerror(errno)))") }
        madvise(start, bytes, MADV_HUGEPAGE)
        form.weights = UnsafeRawPointer(start)
        self.form = form
        memory = UnsafeMutableRawBufferPointer(start: start, count: bytes)
        let job = PackingJob(from: matrix, to: form, memory: start)
        DispatchQueue.concurrentPerform(iterations: Int(ck_panel_count(&form))) { panel in job.pack(panel) }
    }

    deinit { munmap(memory.baseAddress, memory.count) }

    var byteCount: Int { memory.count }
}

/// `@unchecked Sendable`: each panel is a part of `memory` of its own, and the source is only read.
private struct PackingJob: @unchecked Sendable {
    let from: ck_matrix
    let to: ck_matrix
    let memory: UnsafeMutableRawPointer

    func pack(_ panel: Int) {
        withUnsafePointer(to: from) { from in
            withUnsafePointer(to: to) { to in ck_pack_panel(from, to, Int32(panel), memory) }
        }
    }
}
