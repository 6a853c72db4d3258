import Foundation
import ModelHub

/// The hub and the cache as the environment describes them.
enum HubModels {
    static func settings() throws(HubError) -> HubSettings {
        try HubSettings(environment: ProcessInfo.processInfo.environment, home: NSHomeDirectory())
    }

    /// Brings a model up to date and shows how; what was chosen among several is said first.
    static func pull(_ reference: ModelReference, settings: HubSettings) async throws -> LocalModel {
        PullInterruption.begin()
        defer { PullInterruption.end() }
        let progress = PullProgress()
        let pull = ModelPull(reference, settings: settings)
        let origin = settings.isOffline ? settings.cache : settings.endpoint.absoluteString
        Terminal.error("Pulling \(reference) from \(origin)")
        let start = ContinuousClock.now
        let model = try await PullDisplay.showing(progress) {
            try await pull.run(progress: progress) { tell($0) }
        }
        let received = progress.files.reduce(0) { $0 + $1.size - $1.found }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        Terminal.error(
            received == 0
                ? "\(reference) is up to date: \(Format.bytes(model.bytes)) at commit \(model.commit.prefix(12))"
                : "Pulled \(Format.bytes(received)) in \(PullLines.duration(seconds)), checked: commit "
                    + model.commit.prefix(12)
        )
        return model
    }

    private static func tell(_ selection: FileSelection) {
        guard !selection.alternatives.isEmpty, case .gguf(let quantization) = selection.format else { return }
        Terminal.error(
            "  chosen: \(quantization ?? selection.entry.description); there are also "
                + selection.alternatives.joined(separator: ", ") + " (ORG/NAME:QUANT)"
        )
    }
}
