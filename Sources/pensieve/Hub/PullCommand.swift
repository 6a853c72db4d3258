import Foundation
import Inference
import ModelFiles
import ModelHub

/// `pensieve pull ORG/NAME`: downloads or updates a model, and prints its path.
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

/// Pulls models as the environment configures the hub.
enum HubModels {
    static func settings() throws(HubError) -> HubSettings {
        try HubSettings(environment: ProcessInfo.processInfo.environment, home: NSHomeDirectory())
    }

    /// Pulls a model with progress on standard error; first prints what was chosen among several quantisations.
    static func pull(_ reference: ModelReference, settings: HubSettings) async throws -> LocalModel {
        let handled = PullInterruption.begin()
        defer { PullInterruption.end(handled) }
        let progress = PullProgress()
        let pull = ModelPull(reference, settings: settings)
        let origin = settings.isOffline ? settings.cache : settings.endpoint.absoluteString
        Terminal.error("Pulling \(reference) from \(origin)")
        let start = ContinuousClock.now
        let model = try await PullDisplay.showing(progress) {
            try await pull.run(progress: progress, check: { (folder) throws(HubError) in try check(folder, reference) })
            {
                printChoice($0)
            }
        }
        let received = progress.files.map { $0.size - $0.found }.saturatedSum
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        Terminal.error(
            received == 0
                ? "\(reference) is up to date: \(Format.bytes(model.bytes)) at commit \(model.commit.prefix(12))"
                : "Pulled \(Format.bytes(received)) in \(PullProgressLines.duration(seconds)), checked: commit "
                    + model.commit.prefix(12)
        )
        return model
    }

    /// Checks the small files of a model before its weights are fetched.
    /// - Throws: `HubError` for a model that cannot be loaded.
    private static func check(_ folder: String, _ reference: ModelReference) throws(HubError) {
        do {
            _ = try ModelConfiguration(source: .folder(folder))
        } catch {
            let reason = "\(error)".replacing(folder + "/", with: "")
            throw HubError("\(reference): the weights are not fetched, as they could not be loaded: \(reason)")
        }
    }

    private static func printChoice(_ selection: FileSelection) {
        guard !selection.alternatives.isEmpty, case .gguf(let quantization) = selection.format else { return }
        Terminal.error(
            "  chosen: \(quantization ?? selection.entry.description); there are also "
                + selection.alternatives.joined(separator: ", ") + " (ORG/NAME:QUANT)"
        )
    }
}

/// Signal handling during a pull: the program ends immediately, as by default, but with a message that the download can
/// be resumed.
enum PullInterruption {
    private static let numbers = [SIGINT, SIGTERM]

    /// Not where signals are handled already, as in a conversation.
    /// - Returns: what is to be ended.
    static func begin() -> [Int32] {
        guard !Signals.areHandled else { return [] }
        for number in numbers { signal(number, endByPullInterruption) }
        return numbers
    }

    /// Restores the default action.
    static func end(_ handled: [Int32]) { for number in handled { signal(number, SIG_DFL) } }
}

/// A plain signal handler suffices, as what was received is in the cache already. It calls only async-signal-safe
/// functions.
private func endByPullInterruption(_ number: Int32) {
    let message: StaticString =
        "\npensieve: interrupted; what has come is kept, and the same command goes on from there\n"
    _ = write(STDERR_FILENO, message.utf8Start, message.utf8CodeUnitCount)
    _exit(128 + number)
}
