import Foundation
import Testing

@testable import ModelFiles

/// Files of a folder, good and bad.
@Suite struct FileBytesTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path)
    }

    @Test("What was read stays as it was, whatever becomes of the file")
    func truncated() throws {
        try withFolder { folder in
            let content = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0) })
            try content.write(to: URL(fileURLWithPath: folder + "/a"))
            let bytes = try #require(try FileBytes(contentsOf: folder + "/a"))
            #expect(truncate(folder + "/a", 0) == 0)
            #expect(Data(bytes.array) == content)
            #expect(try FileBytes(contentsOf: folder + "/a")?.count == 0)
        }
    }

    @Test("Bytes of a mapped file that are cut off while it is in use are zeros, and the file counts as damaged")
    func cutShort() throws {
        try withFolder { folder in
            let content = Data(repeating: 7, count: 1_000_000)
            for name in ["/a", "/b"] { try content.write(to: URL(fileURLWithPath: folder + name)) }
            let bytes = try #require(try FileBytes(contentsOf: folder + "/a", maxReadBytes: 1000))
            let other = try #require(try FileBytes(contentsOf: folder + "/b", maxReadBytes: 1000))
            let file = try #require(bytes.mappedFile)
            #expect(bytes.array.allSatisfy { $0 == 7 } && !file.isDamaged)
            // The rest of the last page reads as zeros without a fault.
            #expect(truncate(folder + "/b", 999_900) == 0)
            #expect(other.mappedFile?.isDamaged == true && [file].damagedPath == nil)
            #expect(truncate(folder + "/a", 10_000) == 0)
            // Far behind the new end, before it, and in another thread.
            #expect(bytes.bytes[900_000] == 0 && file.isDamaged)
            #expect(bytes.bytes[0] == 7)
            let zeros = DispatchQueue.global().sync { bytes.bytes[20_000..<1_000_000].allSatisfy { $0 == 0 } }
            #expect(zeros && [file].damagedPath == folder + "/a")
        }
    }

    @Test("What is no file is an error and no hang; what is not there is nil")
    func others() throws {
        try withFolder { folder in
            #expect(mkfifo(folder + "/pipe", 0o600) == 0)
            for name in ["", "/pipe", "/pipe/x"] {
                #expect(throws: ModelError.self) { try FileBytes(contentsOf: folder + name) }
            }
            #expect(throws: ModelError.self) { try FileBytes(contentsOf: "/dev/zero") }
            let missing = try FileBytes(contentsOf: folder + "/missing")
            #expect(missing == nil)
        }
    }
}
