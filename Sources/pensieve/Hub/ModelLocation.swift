import Console
import Foundation
import ModelFiles
import ModelHub

/// The location of a model's files, and the name under which it is served.
struct ModelLocation: Sendable {
    /// A folder, or a GGUF file.
    let path: String
    /// Such as `ORG/NAME`; nil: the folder's name.
    let id: String?

    var source: ModelSource {
        get throws(ModelError) { try .at(path) }
    }

    /// Finds a model by a user's name for it: a path, or a model of the hub.
    /// - Parameter fetches: whether a model that is not in the cache may be pulled.
    /// - Throws: `HubError` if there is no such model or it cannot be pulled.
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

    /// Checks that a name is one that a model may have, and what is known of a local model without loading it.
    /// - Throws: `HubError` or `ConfigurationError`, as finding or loading it would.
    static func check(_ name: String) throws {
        if FileManager.default.fileExists(atPath: name) {
            try Model.check(name)
        } else if (try? ModelReference(name)) == nil {
            throw HubError(nothing(called: name, in: HubCache(root: try HubModels.settings().cache)))
        }
    }

    /// The message for a name that is neither a path nor a valid reference.
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

    /// The names of the models in the cache, as `--model` takes them.
    static func models(in cache: HubCache) -> [String] {
        cache.repositories().flatMap(\.revisions).flatMap(\.models).map(\.name)
    }

    /// A name reduced to lower-case letters and digits, for fuzzy comparison.
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
    /// `ORG/NAME`, with the quantisation for GGUF.
    var name: String {
        switch selection.format {
        case .folder: repository.description
        case .gguf(let quantization): "\(repository):\(quantization ?? selection.entry.description)"
        }
    }
}
