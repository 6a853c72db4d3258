import Console
import Foundation
import ModelFiles
import ModelHub

/// Where a model's files are, and what it is served as.
struct ModelLocation: Sendable {
    /// A folder, or a GGUF file.
    let path: String
    /// As in `ORG/NAME`; nil is the folder's own name.
    let id: String?

    var source: ModelSource {
        get throws(ModelError) { try .at(path) }
    }

    /// Finds what a user calls a model: a path, else a model of the hub.
    /// - Parameter fetches: whether a model that is not in the cache may be fetched.
    /// - Throws: `HubError` if it is neither and cannot become one.
    static func find(_ name: String, fetches: Bool = true) async throws -> ModelLocation {
        if FileManager.default.fileExists(atPath: name) { return ModelLocation(path: name, id: nil) }
        let settings = try HubModels.settings()
        guard let reference = try? ModelReference(name) else {
            throw HubError(nothing(called: name, in: HubCache(root: settings.cache)))
        }
        if let model = HubCache(root: settings.cache).model(reference) { return ModelLocation(model) }
        guard fetches else {
            throw HubError("\(name) is no folder here and not in \(settings.cache): pensieve pull \(name) fetches it")
        }
        do {
            return ModelLocation(try await HubModels.pull(reference, settings: settings))
        } catch let error as HubError {
            throw HubError("\(name) is no folder here, and the hub does not give it: \(error)")
        }
    }

    /// What to tell who named a model that is neither here nor could be on a hub.
    private static func nothing(called name: String, in cache: HubCache) -> String {
        let shown = String(name.prefix(200)).printable
        guard !name.contains("/"), !name.hasSuffix(".gguf"), !name.hasPrefix("~") else {
            return "there is no file or folder \(shown)"
        }
        let near = models(in: cache).filter { letters($0).contains(letters(name)) }.prefix(3)
        let here = near.isEmpty ? "pensieve models lists what is here" : "here is " + near.joined(separator: ", ")
        return
            "there is no model '\(shown)': a model is named by its folder, by a .gguf file, or as ORG/NAME of a hub, "
            + "such as mlx-community/Phi-3-mini-4k-instruct-4bit (\(here))"
    }

    /// The names of what is in the cache, as `--model` takes them.
    static func models(in cache: HubCache) -> [String] {
        cache.repositories().flatMap(\.revisions).flatMap(\.models).map(\.name)
    }

    /// What counts of a name when people write it their own way.
    private static func letters(_ name: String) -> String { name.lowercased().filter { $0.isLetter || $0.isNumber } }

    private init(path: String, id: String?) {
        self.path = path
        self.id = id
    }

    init(_ model: LocalModel) {
        self.init(path: model.path, id: model.name)
    }
}

extension LocalModel {
    /// `ORG/NAME`, and which quantisation of it if there may be several.
    var name: String {
        switch selection.format {
        case .folder: repository.description
        case .gguf(let quantization): "\(repository):\(quantization ?? selection.entry.description)"
        }
    }
}
