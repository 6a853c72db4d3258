import Foundation
import Testing

@testable import ModelHub

@Suite struct NameTests {
    @Test("A reference names repository, revision and quantisation")
    func references() throws {
        let plain = try ModelReference("microsoft/Phi-3-mini-4k-instruct")
        #expect(plain.revision == "main" && plain.variant == nil)
        #expect(plain.repository.folder == "models--microsoft--Phi-3-mini-4k-instruct")
        let full = try ModelReference("a/b.c@refs/pr/1:Q4_K_M")
        #expect(full.repository.description == "a/b.c" && full.revision == "refs/pr/1" && full.variant == "Q4_K_M")
        #expect(full.description == "a/b.c@refs/pr/1:Q4_K_M")
    }

    @Test(
        "A name that could leave the cache, or means nothing, is refused",
        arguments: [
            "", "phi", "a/b/c", "../b", "a/..", "a/b..c", "/a/b", "a/b\n", "a//b", "a/b--c", "-a/b", "a/b.", "a/b.git",
            "a/b@", "a/b@../x", "a/b@/x", "a/b@x//y", "a/b@.x", "a/b@x.lock", "a/b@x y", "a/b:", "a/b:../x", "ä/b",
            "~/b",
        ]
    )
    func badReferences(_ text: String) {
        #expect(throws: HubError.self) { try ModelReference(text) }
    }

    @Test("Only models' folders have repository names")
    func folders() {
        #expect(RepositoryName(folder: "models--a--b")?.description == "a/b")
        #expect(RepositoryName(folder: "models--gpt2")?.description == "gpt2")
        for folder in ["datasets--a--b", "models--", "models--a--..", "version.txt", "models--a--b--c"] {
            #expect(RepositoryName(folder: folder) == nil, "\(folder)")
        }
    }

    @Test(
        "A file's name from a listing stays below its folder, or is refused",
        arguments: [
            "", "/etc/passwd", "..", "../x", "a/../x", "a/./x", "a//x", "a/", "a\\x", "a\u{0}b", "a\nb", "a\u{1b}[2J",
            "a\u{202e}b", String(repeating: "x", count: 256), String(repeating: "x/", count: 600) + "x",
            "a/\u{301}/../x",
        ]
    )
    func hostilePaths(_ text: String) {
        #expect(throws: HubError.self) { try RepositoryPath(text) }
    }

    @Test("Folders, token and endpoint come from the same variables as in huggingface_hub")
    func settings() throws {
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("pensieve-\(UUID())").path
        try FileManager.default.createDirectory(atPath: home + "/hf", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: home) }
        func settings(_ environment: [String: String]) throws -> HubSettings {
            try HubSettings(environment: environment, home: home)
        }
        #expect(try settings([:]).cache == home + "/.cache/huggingface/hub")
        #expect(try settings(["XDG_CACHE_HOME": "/x"]).cache == "/x/huggingface/hub")
        #expect(try settings(["HF_HOME": "~/hf"]).cache == home + "/hf/hub")
        #expect(try settings(["HF_HOME": "/x", "HF_HUB_CACHE": "$BASE/y/${N}z", "BASE": "/b"]).cache == "/b/y/${N}z")
        #expect(
            try settings(["HF_ENDPOINT": "http://127.0.0.1:8080/"]).endpoint.absoluteString == "http://127.0.0.1:8080"
        )
        #expect(throws: HubError.self) { try settings(["HF_ENDPOINT": "ftp://x"]) }
        #expect(try settings(["HF_HUB_OFFLINE": "yes"]).isOffline)
        #expect(try settings(["HF_HUB_OFFLINE": "0"]).isOffline == false)

        #expect(try settings([:]).token == nil)
        try "hf_file\n".write(toFile: home + "/hf/token", atomically: true, encoding: .utf8)
        #expect(try settings(["HF_HOME": home + "/hf"]).token == "hf_file")
        #expect(try settings(["HF_HOME": home + "/hf", "HF_TOKEN": "hf_variable"]).token == "hf_variable")
        #expect(throws: HubError.self) { try settings(["HF_TOKEN": "a\r\nHost: b"]) }
    }

    @Test(
        "The name of a GGUF file says its quantisation and its part",
        arguments: [
            ("Phi-3-mini-4k-instruct-q4.gguf", "q4", 4, 1, 1), ("a/Llama-3.1-8B.Q4_K_M.gguf", "Q4_K_M", 4, 1, 1),
            ("Qwen3-8B-IQ2_XXS.gguf", "IQ2_XXS", 2, 1, 1), ("m-UD-Q4_K_XL-00002-of-00003.gguf", "UD-Q4_K_XL", 4, 2, 3),
            ("m-fp16.gguf", "fp16", 16, 1, 1), ("gpt-oss-20b-MXFP4.GGUF", "MXFP4", 4, 1, 1),
            ("m-BF16.gguf", "BF16", 16, 1, 1),
        ]
    )
    func quantisations(_ path: String, _ label: String, _ bits: Int, _ part: Int, _ count: Int) throws {
        let name = try #require(GGUFName(RepositoryPath(path)))
        #expect(name.quantization == label && name.bits == bits && name.part == part && name.partCount == count)
    }

    @Test(
        "Projectors and importance matrices are no models",
        arguments: ["mmproj-F16.gguf", "a-imatrix.gguf", "a.bin", "Qwen2-Audio-7B.mmproj-Q8_0.gguf"]
    )
    func noModels(_ path: String) throws {
        #expect(try GGUFName(RepositoryPath(path)) == nil)
    }
}
