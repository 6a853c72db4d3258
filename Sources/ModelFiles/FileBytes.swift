import CKernels
import Platform

/// The bytes of one file: mapped, read, or compiled in.
///
/// `@unchecked Sendable`: the memory is readable and never written for as long as `owner` lives (or, without an owner,
/// as long as the process), and every copy of the value keeps `owner` alive.
package struct FileBytes: @unchecked Sendable {
    /// Readable while this value, or another of the same memory, lives.
    package let bytes: UnsafeRawBufferPointer
    private let owner: Mapping?
    /// The file that the bytes are mapped from; nil if they are in memory.
    package var mappedFile: MappedFile? { owner?.file }

    /// Wraps memory that stays as it is until the process ends, such as a constant of the program.
    package init(permanent bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        owner = nil
    }

    /// Copies bytes into memory of its own.
    package init<Bytes: Collection<UInt8>>(copying bytes: Bytes) {
        self.init(count: bytes.count) { $0.copyBytes(from: bytes) }
    }

    /// Memory of its own, which `fill` must give its contents; in huge pages, where it is long and the system has them.
    package init(count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) {
        let hugePage = 2 << 20
        let isHuge = count >= hugePage
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: isHuge ? hugePage : 64)
        #if os(Linux)
            if isHuge { madvise(memory.baseAddress, count, MADV_HUGEPAGE) }
        #endif
        fill(memory)
        bytes = UnsafeRawBufferPointer(memory)
        owner = Mapping(memory: memory, file: nil)
    }

    /// Files up to this size are read, not mapped.
    package static let maxReadBytes = 64 << 20

    /// The bytes of the file at `path`; nil if there is no such file.
    ///
    /// Weights are mapped: they may be larger than memory, and other processes share them. The price is that whoever
    /// shortens such a file in place takes bytes away that this process still reads, which `MappedFile` tells; replacing
    /// it by another of its name does no harm. Smaller files are read into memory, so that an edited tokenizer.json never
    /// reaches a running server.
    package init?(contentsOf path: String) throws(ModelError) {
        try self.init(contentsOf: path, maxReadBytes: Self.maxReadBytes)
    }

    init?(contentsOf path: String, maxReadBytes: Int) throws(ModelError) {
        // Without O_NONBLOCK, opening a named pipe would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            if code == ENOENT { return nil }
            throw ModelError("\(path): cannot be opened: \(String(cString: strerror(code)))")
        }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            throw ModelError("\(path): not a regular file")
        }
        let count = Int(information.st_size)
        guard count > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            owner = nil
            return
        }
        guard count > maxReadBytes else {
            self = try Self.reading(descriptor, count: count, path: path)
            return
        }
        guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw ModelError("\(path): cannot be mapped: \(String(cString: strerror(errno)))")
        }
        let memory = UnsafeMutableRawBufferPointer(start: start, count: count)
        bytes = UnsafeRawBufferPointer(memory)
        owner = Mapping(memory: memory, file: MappedFile(path: path, descriptor: descriptor, memory: bytes))
    }

    private static func reading(_ descriptor: Int32, count: Int, path: String) throws(ModelError) -> FileBytes {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
        let owner = Mapping(memory: memory, file: nil)
        var end = 0
        while end < count {
            let got = read(descriptor, memory.baseAddress.map { $0 + end }, count - end)
            if got < 0, errno == EINTR { continue }
            guard got > 0 else {
                let reason = got < 0 ? String(cString: strerror(errno)) : "it became shorter meanwhile"
                throw ModelError("\(path): cannot be read: \(reason)")
            }
            end += got
        }
        return FileBytes(bytes: UnsafeRawBufferPointer(memory), owner: owner)
    }

    private init(bytes: UnsafeRawBufferPointer, owner: Mapping?) {
        self.bytes = bytes
        self.owner = owner
    }

    /// A part of the bytes, which must contain `range`.
    package func slice(_ range: Range<Int>) -> FileBytes {
        FileBytes(bytes: UnsafeRawBufferPointer(rebasing: bytes[range]), owner: owner)
    }

    /// Has the system begin to read the bytes, if they are of a file.
    package func prefetch() { advise(MADV_WILLNEED) }

    /// Gives back the memory of bytes that are not needed any more; whoever reads them again has them read again from the
    /// file. Without effect on bytes that are not of a file.
    package func release() { advise(MADV_DONTNEED) }

    private func advise(_ advice: Int32) {
        guard let owner, owner.file != nil, let start = bytes.baseAddress else { return }
        // Whole pages within the bytes: the neighbours' are not ours to give.
        let page = sysconf(Int32(_SC_PAGESIZE))
        let first = (Int(bitPattern: start) + page - 1) / page * page
        let count = (Int(bitPattern: start) + bytes.count) / page * page - first
        if count > 0 { madvise(UnsafeMutableRawPointer(bitPattern: first), count, advice) }
    }

    package var count: Int { bytes.count }
    package var array: [UInt8] { [UInt8](bytes) }
}

/// Returns memory when the last user of it is gone. `@unchecked Sendable`: immutable, and released exactly once.
private final class Mapping: @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer
    /// Nil if the memory is no file's.
    let file: MappedFile?

    init(memory: UnsafeMutableRawBufferPointer, file: MappedFile?) {
        self.memory = memory
        self.file = file
    }

    deinit {
        if let file {
            file.forget(UnsafeRawBufferPointer(memory))
            munmap(memory.baseAddress, memory.count)
        } else {
            memory.deallocate()
        }
    }
}
