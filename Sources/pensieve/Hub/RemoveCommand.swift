import Foundation
import ModelHub

/// `pensieve remove ORG/NAME`: removes a model from the cache.
enum RemoveCommand {
    static func run(_ raw: [String]) async throws -> Int32 {
        let arguments = try Arguments(raw, of: "remove", valued: [], toggles: ["yes"])
        if arguments.wantsHelp {
            Terminal.print(HubHelp.remove)
            return 0
        }
        guard let name = arguments.positional.first, arguments.positional.count == 1 else {
            throw ConfigurationError("which model? pensieve remove ORG/NAME[@revision][:QUANT]")
        }
        let cache = HubCache(root: try HubModels.settings().cache)
        let removal = try removal(of: name, in: cache)
        guard try await isAgreed(name, removal, arguments.flags.contains { $0.name == "yes" && $0.text == "true" })
        else {
            Terminal.error("Nothing was removed.")
            return 1
        }
        let freed = try removal.run()
        Terminal.print("Removed \(name): \(Format.bytes(freed)) are free.")
        return 0
    }

    /// A plain name removes the whole model; with a revision or quantisation only that is removed.
    private static func removal(of name: String, in cache: HubCache) throws -> CacheRemoval {
        guard name.contains("@") || name.contains(":") else {
            return try CacheRemoval(all: RepositoryName(name), in: cache)
        }
        return try CacheRemoval(ModelReference(name), in: cache)
    }

    private static func isAgreed(_ name: String, _ removal: CacheRemoval, _ isSure: Bool) async throws -> Bool {
        if isSure { return true }
        guard Terminal.canAsk else {
            throw ConfigurationError("nobody can be asked here: add --yes to remove \(name)")
        }
        let answer = await Terminal.ask("Remove \(name), \(Format.bytes(removal.bytes))? [y/N] ")
        return ["y", "yes"].contains(answer.lowercased())
    }
}
