import EngineContract
import Foundation
import Scheduling
import Testing

@testable import BlockFiles

/// Block files: found again by the next process, bounded in size, and verified when read.
@Suite final class BlockFilesTests {
    private let folder = NSTemporaryDirectory() + "block-files-" + UUID().uuidString
    private static let contentBytes = 5000
    private static let stateBytes = 9000

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func files(maxBytes: Int = 1 << 20, identity: String = "a model") throws -> BlockFiles {
        try BlockFiles(
            folder: folder,
            maxBytes: maxBytes,
            identity: identity,
            blockTokens: 4,
            blockBytes: Self.contentBytes,
            stateBytes: Self.stateBytes
        )
    }

    /// A chain of blocks.
    private func chain(_ count: Int, in files: BlockFiles) -> [StoredBlock] {
        var blocks: [StoredBlock] = []
        for index in 0..<count {
            let tokens = (0..<4).map { Token(10 * index + $0) }
            let parent = blocks.last?.name
            blocks.append(StoredBlock(name: files.name(after: parent, tokens[...]), parent: parent, tokens: tokens))
        }
        return blocks
    }

    private func contents(_ index: Int) -> [UInt8] { (0..<Self.contentBytes).map { UInt8(($0 * 7 + index) % 251) } }

    private func write(_ blocks: [StoredBlock], to files: BlockFiles) async {
        for (index, block) in blocks.enumerated() { #expect(await files.write(block, contents(index))) }
    }

    private func path(_ block: StoredBlock) -> String { "\(folder)/\(block.name).kvblock" }

    private var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] }

    @Test("One process reads what another has written")
    func nextProcess() async throws {
        let first = try files()
        let blocks = chain(3, in: first)
        #expect(!first.contains(.block, of: blocks[0].name))
        await write(blocks, to: first)
        let second = try files()
        #expect(chain(3, in: second) == blocks)
        #expect(blocks.allSatisfy { second.contains(.block, of: $0.name) })
        #expect(await second.read(blocks) == (0..<3).map(contents))
        #expect(names.count == 3)
        let attributes = try FileManager.default.attributesOfItem(atPath: path(blocks[0]))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test("Names depend on the identity and all tokens up to the block's end, and on nothing else")
    func naming() throws {
        let files = try files()
        let first = files.name(after: nil, [1, 2, 3, 4])
        let again = try self.files().name(after: nil, [9, 1, 2, 3, 4].dropFirst())
        #expect(first.count == 64 && first == again)
        let others = [
            files.name(after: nil, [1, 2, 3, 5]), files.name(after: first, [1, 2, 3, 4]),
            try self.files(identity: "another").name(after: nil, [1, 2, 3, 4]),
        ]
        #expect(Set(others + [first]).count == 4)
    }

    @Test("A file that is torn, modified or of something else is not read, and removed")
    func broken() async throws {
        let files = try files()
        let blocks = chain(3, in: files)
        await write(blocks, to: files)
        let good = try Data(contentsOf: URL(fileURLWithPath: path(blocks[1])))
        let foreign = try self.files(identity: "another model")
        let other = chain(1, in: foreign)[0]
        #expect(await foreign.write(other, contents(1)))
        var damaged: [Data] = [
            Data(), good.prefix(7), good.prefix(good.count / 2), good.dropLast(), good + [0],
            try Data(contentsOf: URL(fileURLWithPath: path(blocks[0]))),
            try Data(contentsOf: URL(fileURLWithPath: path(other))), Data(count: good.count),
        ]
        // Each part: magic, parent, counts, tokens, contents, hash.
        for place in [0, 7, 8, 71, 72, 76, 84, 99, 100, 2000, good.count - 65, good.count - 64, good.count - 1] {
            var copy = good
            copy[place] ^= 1
            damaged.append(copy)
        }
        for (index, bytes) in damaged.enumerated() {
            try bytes.write(to: URL(fileURLWithPath: path(blocks[1])))
            let files = try self.files()
            #expect(await files.read(blocks) == [contents(0)], "\(index)")
            #expect(!FileManager.default.fileExists(atPath: path(blocks[1])), "\(index)")
            #expect(
                !files.contains(.block, of: blocks[1].name) && files.contains(.block, of: blocks[2].name),
                "\(index)"
            )
        }
        try good.write(to: URL(fileURLWithPath: path(blocks[1])))
        #expect(await (try self.files()).read(blocks) == (0..<3).map(contents))
    }

    @Test("A state has a file of its own beside that of the block at whose end it is, and is refused like it")
    func states() async throws {
        let files = try files()
        let blocks = chain(2, in: files)
        await write(blocks, to: files)
        var state = blocks[1]
        state.part = .state
        let contents = (0..<Self.stateBytes).map { UInt8($0 % 253) }
        #expect(!files.contains(.state, of: state.name))
        #expect(await files.write(state, contents))
        let next = try self.files()
        #expect(next.contains(.state, of: state.name) && !next.contains(.state, of: blocks[0].name))
        #expect(await next.read([state]) == [contents])
        #expect(await next.read(blocks) == (0..<2).map(self.contents))
        let file = URL(fileURLWithPath: "\(folder)/\(state.name).kvstate")
        let good = try Data(contentsOf: file)
        // That of another text, and a block's in the place of a state's.
        var other = blocks[0]
        other.part = .state
        try good.write(to: URL(fileURLWithPath: "\(folder)/\(other.name).kvstate"))
        #expect(await (try self.files()).read([other]).isEmpty)
        var damaged = [
            Data(), good.dropLast(), good + [0], try Data(contentsOf: URL(fileURLWithPath: path(blocks[1]))),
        ]
        for place in [0, 7, 8, 71, 72, 76, 84, 99, 100, 8000, good.count - 65, good.count - 64, good.count - 1] {
            var copy = good
            copy[place] ^= 1
            damaged.append(copy)
        }
        for (index, bytes) in damaged.enumerated() {
            try bytes.write(to: file)
            let files = try self.files()
            #expect(await files.read([state]).isEmpty, "\(index)")
            #expect(!files.contains(.state, of: state.name) && files.contains(.block, of: state.name), "\(index)")
        }
        #expect(names.count == 2)
    }

    @Test("States count toward the folder's bound, and go when they were not used for longest")
    func boundWithStates() async throws {
        let sizes = (block: try self.files().bytes(of: .block), state: try self.files().bytes(of: .state))
        let files = try files(maxBytes: 3 * sizes.block + sizes.state)
        let blocks = chain(6, in: files)
        var state = blocks[0]
        state.part = .state
        #expect(await files.write(state, Array(repeating: 1, count: Self.stateBytes)))
        await write(Array(blocks[..<3]), to: files)
        #expect(names.count == 4)
        #expect(await files.write(blocks[3], contents(3)))
        #expect(!files.contains(.state, of: state.name) && names.count == 4)
        #expect(files.contains(.block, of: blocks[0].name) && names.allSatisfy { $0.hasSuffix(".kvblock") })
    }

    @Test("A link or a folder in place of a block's file is not followed")
    func noFile() async throws {
        let files = try files()
        let blocks = chain(2, in: files)
        await write(blocks, to: files)
        let elsewhere = folder + "/elsewhere"
        try FileManager.default.moveItem(atPath: path(blocks[0]), toPath: elsewhere)
        try FileManager.default.createSymbolicLink(atPath: path(blocks[0]), withDestinationPath: elsewhere)
        #expect(await files.read(blocks).isEmpty)
        #expect(FileManager.default.fileExists(atPath: elsewhere))
        try FileManager.default.createDirectory(atPath: path(blocks[0]), withIntermediateDirectories: false)
        #expect(!(try self.files()).contains(.block, of: blocks[0].name))
    }

    @Test("The folder stays within its bound and evicts the least recently used files, also in the next process")
    func bound() async throws {
        let size = try self.files().bytes(of: .block)
        let files = try files(maxBytes: 3 * size + 10)
        #expect(files.capacity == 3 * size + 10)
        let blocks = chain(6, in: files)
        await write(Array(blocks[..<3]), to: files)
        #expect(await files.use(.block, of: blocks[0].name))
        #expect(await !files.use(.block, of: blocks[5].name))
        #expect(await files.write(blocks[3], contents(3)))
        #expect(blocks.map { files.contains(.block, of: $0.name) } == [true, false, true, true, false, false])
        // Modification times, as the next process sees them.
        for (age, index) in [(30, 2), (20, 0), (10, 3)] {
            let time = Date(timeIntervalSinceNow: -Double(age))
            try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: path(blocks[index]))
        }
        let next = try self.files(maxBytes: 3 * size)
        _ = await next.read([blocks[2]])
        #expect(await next.write(blocks[4], contents(4)))
        #expect(blocks.map { next.contains(.block, of: $0.name) } == [false, false, true, true, true, false])
        #expect(names.count == 3)
        let smaller = try self.files(maxBytes: size)
        #expect(names.count == 1 && smaller.contains(.block, of: blocks[4].name))
        let none = try self.files(maxBytes: size - 1)
        #expect(await none.write(blocks[5], contents(5)) == false)
        #expect(names.isEmpty)
    }

    @Test("Of other files in the folder, only our old temporary files are removed")
    func strangers() async throws {
        let first = try files()
        let name = chain(1, in: first)[0].name
        let strangers = ["notes.txt", "x.kvblock", "x.kvstate", name, String(repeating: "Z", count: 64) + ".kvblock"]
        let drafts = ["\(name).kvblock.1.draft", "\(name).kvstate.2.draft"]
        for stranger in strangers + drafts { try Data([1]).write(to: URL(fileURLWithPath: folder + "/" + stranger)) }
        let old = Date(timeIntervalSinceNow: -7200)
        for entry in strangers + drafts.prefix(1) {
            try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: folder + "/" + entry)
        }
        _ = try files(maxBytes: 1)
        #expect(Set(names) == Set(strangers + drafts.suffix(1)))
    }

    @Test("A folder that cannot be created is refused with its name")
    func noFolder() throws {
        try Data().write(to: URL(fileURLWithPath: folder))
        let error = #expect(throws: BlockFilesError.self) { try files() }
        #expect(error?.description.contains(folder) == true)
    }

    @Test("Contents of another size are not written")
    func wrongSize() async throws {
        let files = try files()
        var block = chain(1, in: files)[0]
        #expect(await files.write(block, [1, 2, 3]) == false)
        block.part = .state
        #expect(await files.write(block, contents(0)) == false)
        let stateless = try BlockFiles(folder: folder, maxBytes: 1 << 20, identity: "", blockTokens: 4, blockBytes: 9)
        #expect(await stateless.write(block, []) == false)
        #expect(names.isEmpty)
    }
}
