import Foundation
import Testing

@testable import ModelHub

/// Caches written by hand, as other programs leave them.
@Suite final class CacheTests {
    private let root = FileManager.default.temporaryDirectory.appendingPathComponent("pensieve-\(UUID())").path
    private let commit = String(repeating: "c", count: 40)

    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func write(_ text: String, to path: String) throws {
        let file = URL(fileURLWithPath: "\(root)/\(path)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    private func link(_ target: String, at path: String) throws {
        let folder = URL(fileURLWithPath: "\(root)/\(path)").deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: "\(root)/\(path)", withDestinationPath: target)
    }

    @Test("A snapshot is complete when its weights and a tokenizer are, also without links")
    func completeness() throws {
        let cache = HubCache(root: root)
        let reference = try ModelReference("a/b")
        let snapshot = "models--a--b/snapshots/\(commit)"
        #expect(cache.model(reference) == nil)
        try write(commit, to: "models--a--b/refs/main")
        try write("{}", to: "\(snapshot)/config.json")
        let index =
            #"{"weight_map": {"x": "model-00001-of-00002.safetensors", "y": "model-00002-of-00002.safetensors"}}"#
        try write(index, to: "\(snapshot)/model.safetensors.index.json")
        try write("x", to: "\(snapshot)/model-00001-of-00002.safetensors")
        try link("../../blobs/gone", at: "\(snapshot)/model-00002-of-00002.safetensors")
        try write("{}", to: "\(snapshot)/tokenizer.json")
        #expect(cache.model(reference) == nil)
        try write("yy", to: "models--a--b/blobs/gone")
        let model = try #require(cache.model(reference))
        #expect(model.path == "\(root)/\(snapshot)" && model.bytes == index.utf8.count + 7)
        #expect(cache.repositories().map(\.name.description) == ["a/b"])
        try write("../../../etc", to: "models--a--b/refs/main")
        #expect(cache.model(reference) == nil)
    }

    @Test("Shards without an index are complete if there are as many as their names say")
    func shardsWithoutIndex() throws {
        let cache = HubCache(root: root)
        let reference = try ModelReference("a/b")
        let snapshot = "models--a--b/snapshots/\(commit)"
        try write(commit, to: "models--a--b/refs/main")
        for name in ["config.json", "tokenizer.json"] { try write("{}", to: "\(snapshot)/\(name)") }
        try write("x", to: "\(snapshot)/model-00001-of-00002.safetensors")
        #expect(cache.model(reference) == nil)
        try write("x", to: "\(snapshot)/model-00002-of-00002.safetensors")
        #expect(cache.model(reference) != nil)
        for number in [1, 2] {
            try FileManager.default.removeItem(atPath: "\(root)/\(snapshot)/model-0000\(number)-of-00002.safetensors")
        }
        try write("x", to: "\(snapshot)/model-00001-of-00001.safetensors")
        #expect(cache.model(reference) != nil)
    }

    @Test("A content that models share is removed with the last of them")
    func sharedContents() throws {
        let cache = HubCache(root: root)
        let hash = String(repeating: "ab", count: 32)
        try write("12345", to: "blobs/ab/\(hash)")
        try write("models--a--a/blobs/x\nmodels--a--b/blobs/x\n", to: "blobs/ab/\(hash).refs")
        for name in ["a", "b"] {
            try link("../../blobs/ab/\(hash)", at: "models--a--\(name)/blobs/x")
            try link("../../blobs/x", at: "models--a--\(name)/snapshots/\(commit)/config.json")
        }
        #expect(try CacheRemoval(all: RepositoryName("a/a"), in: cache).run() == 0)
        #expect(
            try String(contentsOfFile: "\(root)/models--a--b/snapshots/\(commit)/config.json", encoding: .utf8)
                == "12345"
        )
        #expect(try CacheRemoval(all: RepositoryName("a/b"), in: cache).run() == 5)
        #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/blobs/ab") == ["\(hash).lock"])
        #expect(cache.repositories().isEmpty)
    }

    @Test("A model that is being downloaded is not removed")
    func lockedModel() throws {
        let cache = HubCache(root: root)
        let name = try RepositoryName("a/b")
        try cache.prepare(name)
        try write("x", to: "models--a--b/blobs/y.incomplete")
        let lock = try #require(try FileLock.attempt("\(cache.locks(name))/y.lock"))
        #expect(throws: HubError.self) { try CacheRemoval(all: name, in: cache).run() }
        withExtendedLifetime(lock) {}
        #expect(FileSystem.size("\(root)/models--a--b/blobs/y.incomplete") == 1)
    }

    @Test("Free space is that of the nearest existing folder")
    func freeSpace() throws {
        let here = try #require(FileSystem.freeBytes("/"))
        #expect(here > 0)
        #expect(FileSystem.freeBytes(root + "/not/yet/there") != nil)
    }
}
