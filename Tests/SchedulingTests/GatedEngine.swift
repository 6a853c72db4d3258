import EngineContract
import Scheduling

/// A scripted engine whose steps wait at a gate until the test opens it: what happens during a step, and before the first,
/// is then up to the test and not to the machine's speed.
actor GatedEngine: InferenceEngine {
    nonisolated let description: EngineDescription
    private let engine: ScriptedEngine
    private var isOpen = false
    private var atGate: [CheckedContinuation<Void, Never>] = []
    private var spectators: [CheckedContinuation<Void, Never>] = []

    init(_ description: EngineDescription, script: @escaping @Sendable ([Token]) -> Token = Script().next) {
        self.description = description
        engine = ScriptedEngine(description: description, keepsHistory: true, script: script)
    }

    /// The sessions of each step so far, with their numbers of tokens.
    var history: [[SessionID: Int]] {
        get async { await engine.history }
    }

    func open() {
        isOpen = true
        for step in atGate { step.resume() }
        atGate = []
    }

    /// Lets the step at the gate pass, and no other.
    func pass() {
        for step in atGate { step.resume() }
        atGate = []
    }

    /// Returns when a step is at the gate, which must be closed.
    func stepArrives() async {
        if atGate.isEmpty { await withCheckedContinuation { spectators.append($0) } }
    }

    func step(_ step: Step) async throws(EngineError) -> StepResult {
        if !isOpen {
            for spectator in spectators { spectator.resume() }
            spectators = []
            await withCheckedContinuation { atGate.append($0) }
        }
        return try await engine.step(step)
    }
}
