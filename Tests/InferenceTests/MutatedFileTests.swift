import EngineContract
import Foundation
import ModelFiles
import Support
import Testing

@testable import Inference

/// Files that someone has changed: an error or a model, never a crash, a hang, or much memory.
///
/// The environment variable `PENSIEVE_MUTATIONS` sets how many files of each format are tried, and of each architecture a
/// fifth of that.
@Suite struct MutatedFileTests {
    private static let count = ProcessInfo.processInfo.environment["PENSIEVE_MUTATIONS"].flatMap(Int.init) ?? 1000

    /// A model whose file `target` is to be changed: mostly in its first `headBytes`, where the numbers are.
    struct Format: Sendable, CustomTestStringConvertible {
        let name: String
        let files: [String: FileBytes]
        let target: String
        let headBytes: Int

        var testDescription: String { name }

        func source(_ bytes: [UInt8]) throws -> ModelSource {
            var files = files
            files[target] = FileBytes(copying: bytes)
            guard target.hasSuffix(".gguf") else { return .memory(files) }
            let parts = files.sorted { $0.key < $1.key }.map { (label: $0.key, bytes: $0.value) }
            return .gguf(try GGUFModel(path: target, files: parts))
        }
    }

    private static func formats() throws -> [Format] {
        func files(_ folder: String, _ suffixes: [String]) throws -> [String: FileBytes] {
            let path = try Fixture.path(folder)
            let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { name in
                suffixes.contains { name.hasSuffix($0) } && !name.contains("reference")
            }
            return try names.reduce(into: [:]) { $0[$1] = try FileBytes(contentsOf: "\(path)/\($1)") }
        }
        let mlx = try files("phi3-mlx", ["json", "safetensors"])
        let k = try files("phi3-gguf", ["k.gguf"])
        let split = try files("phi3-gguf", ["of-00003.gguf"])
        let shard = "model-00001-of-00002.safetensors"
        return [
            Format(name: "config.json", files: mlx, target: "config.json", headBytes: 1500),
            Format(name: "index.json", files: mlx, target: "model.safetensors.index.json", headBytes: 2500),
            Format(name: "safetensors", files: mlx, target: shard, headBytes: 1800),
            Format(name: "GGUF", files: k, target: "k.gguf", headBytes: 6000),
            Format(name: "part of a GGUF", files: split, target: "q4_0-00002-of-00003.gguf", headBytes: 600),
        ]
    }

    /// The configuration of an architecture's fixture in MLX form, and its GGUF file.
    private static func format(of architecture: String) throws -> Format {
        let path = try Fixture.path(architecture)
        guard !path.hasSuffix(".gguf") else {
            let file = try #require(try FileBytes(contentsOf: path))
            return Format(name: architecture, files: [architecture: file], target: architecture, headBytes: 6000)
        }
        let names = ["config.json", "model.safetensors", "tokenizer.json"]
        let files = try names.reduce(into: [String: FileBytes]()) {
            $0[$1] = try FileBytes(contentsOf: "\(path)/\($1)")
        }
        return Format(name: architecture, files: files, target: "config.json", headBytes: .max)
    }

    @Test("Mutated files give an error or a model that computes")
    func mutations() async throws {
        for format in try Self.formats() { try await expectNoHarm(format, count: Self.count) }
    }

    static let architectures =
        ArchitectureTests.names.map { "\($0)-4bit" } + FormatTests.architectures.map { "gguf/\($0).gguf" }

    @Test("So do those of each architecture", arguments: architectures)
    func mutations(of architecture: String) async throws {
        try await expectNoHarm(Self.format(of: architecture), count: max(20, Self.count / 5), computesEvery: 5)
    }

    private func expectNoHarm(_ format: Format, count: Int, computesEvery interval: Int = 20) async throws {
        var numbers = SeededGenerator(seed: 77)
        let original = try #require(format.files[format.target]).array
        var (models, errors) = (0, 0)
        for _ in 0..<count {
            let bytes = Self.mutated(original, headBytes: format.headBytes, using: &numbers)
            do throws(ModelError) {
                let model = try Self.load(format, bytes)
                models += 1
                if models % interval == 0 { await Self.compute(model) }
            } catch {
                errors += 1
            }
        }
        // Some changes are without effect, such as one in a text; most are not.
        #expect(models > 0 && errors > count / 10, "\(format.name): \(models) models, \(errors) errors")
    }

    private static func load(_ format: Format, _ bytes: [UInt8]) throws(ModelError) -> LoadedModel {
        do {
            return try loadModel(from: format.source(bytes))
        } catch let error as ModelError {
            throw error
        } catch {
            Issue.record("an error of another kind: \(error)")
            throw ModelError("")
        }
    }

    /// A step on the model: a result or an error.
    private static func compute(_ model: LoadedModel) async {
        guard let engine = try? Engine.make(model) else { return }
        _ = try? await engine.logits(of: [1, 2, 3])
    }

    /// One to three changes: bytes, words of special values, cuts, insertions, digits.
    private static func mutated(
        _ original: [UInt8],
        headBytes: Int,
        using numbers: inout SeededGenerator
    ) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...3, using: &numbers) {
            let head = Int.random(in: 0..<8, using: &numbers) > 0
            let at = Int.random(in: 0..<min(bytes.count, head ? headBytes : .max), using: &numbers)
            switch Int.random(in: 0..<10, using: &numbers) {
            case 0: bytes[at] = UInt8.random(in: .min ... .max, using: &numbers)
            case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
            case 2: bytes.remove(at: at)
            case 3: bytes.insert(UInt8.random(in: .min ... .max, using: &numbers), at: at)
            case 4: bytes.removeLast(min(bytes.count - 1, at))
            case 5, 6:
                let value: UInt64 =
                    [0, 1, .max, 1 << 63, 1 << 32, 1 << 31, 255, 1 << 62].randomElement(using: &numbers) ?? 0
                let word = withUnsafeBytes(of: value.littleEndian) {
                    $0.prefix([2, 4, 8].randomElement(using: &numbers) ?? 8)
                }
                for (index, byte) in word.enumerated() where at + index < bytes.count { bytes[at + index] = byte }
            case 7:
                let length = Int.random(in: 1...min(200, bytes.count - at), using: &numbers)
                bytes.insert(contentsOf: bytes[at..<(at + length)], at: Int.random(in: 0...at, using: &numbers))
            default:
                // Another digit for the next one, where numbers are written as text.
                guard let digit = bytes[at...].firstIndex(where: { 0x30...0x39 ~= $0 }) else { continue }
                let text =
                    ["0", "7", "-1", "99999999999", "1e9", "0.5", "null", "[]"].randomElement(using: &numbers) ?? ""
                bytes.replaceSubrange(digit...digit, with: Array(text.utf8))
            }
            if bytes.isEmpty { bytes = [0] }
        }
        return bytes
    }
}
