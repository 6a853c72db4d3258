package import EngineContract

/// Owns every session's state and composes the engine's steps.
package actor Scheduler {
    private let engine: any InferenceEngine
    package nonisolated let engineDescription: EngineDescription

    package init(
        engine: any InferenceEngine,
        configuration: SchedulerConfiguration = .init(),
        observer: (any SchedulerObserver)? = nil
    ) {
        self.engine = engine
        engineDescription = engine.description
    }

    package func submit(_ request: GenerationRequest) throws(AdmissionError) -> Generation {
        throw .shuttingDown
    }

    package func cancel(_ id: SessionID) {}

    package func statistics() -> SchedulerStatistics { SchedulerStatistics() }

    /// Nil if the accounting of blocks adds up, else what is wrong.
    package func checkIntegrity() -> String? { nil }

    /// Takes no more requests, lets the sessions finish for `limit`, then ends them with `.shutdown`.
    package func stop(within limit: Duration) async {}

    func wake() {}
}
