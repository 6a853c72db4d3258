import ModelHub

/// `pensieve pull ORG/NAME`: fetches a model, or brings it up to date, and prints where it is.
enum PullCommand {
    static func run(_ raw: [String]) async throws -> Int32 {
        let arguments = try Arguments(raw, of: "pull", valued: [], toggles: [])
        if arguments.wantsHelp {
            Terminal.print(HubHelp.pull)
            return 0
        }
        guard let name = arguments.positional.first, arguments.positional.count == 1 else {
            throw ConfigurationError("which model? pensieve pull ORG/NAME[@revision][:QUANT]")
        }
        let reference: ModelReference
        do {
            reference = try ModelReference(name)
        } catch {
            throw ConfigurationError("\(error)")
        }
        let model = try await HubModels.pull(reference, settings: HubModels.settings())
        Terminal.print(model.path)
        return 0
    }
}
