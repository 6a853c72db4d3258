import EngineContract
import Foundation

/// Steps of sessions whose answers are held to a form, in turn with steps of the same sessions at the same positions whose
/// answers are free: what constraints cost.
///
/// Every step computes the bench's own tokens, so both kinds of steps do the same but for the masks. What is sampled under
/// a constraint moves it on, and so do the tokens that it forces, as a scheduler has it; so each step is one at which
/// there is a choice. An answer that is whole begins anew.
struct ConstrainedRow {
    /// What is asked of the answers: values of all kinds, names that are forced, free strings, a choice, a list.
    static let schema = """
        {"type":"object","properties":{"title":{"type":"string"},"year":{"type":"integer","minimum":1900,"maximum":2100},\
        "genre":{"enum":["novel","drama","poetry","essay"]},"price":{"type":"number"},"in_print":{"type":"boolean"},\
        "authors":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string","maxLength":60},\
        "email":{"type":"string","format":"email"}},"required":["name"],"additionalProperties":false},"maxItems":9}},\
        "required":["title","year","genre","authors"],"additionalProperties":false}
        """

    private let engine: any InferenceEngine
    private let sessions: [BenchSession]
    private let start: any TokenConstraint
    private let stopTokens: Set<Token>
    private var constraints: [any TokenConstraint]
    private var steps = 0
    private var free: [Double] = []
    private var constrained: [Double] = []
    private var times = StepTimes()
    /// Of moving constraints on, outside the engine; and tokens sampled and forced.
    private var (acceptSeconds, longestAccept) = (0.0, 0.0)
    private var (sampled, forced) = (0, 0)

    init(
        _ engine: any InferenceEngine,
        _ sessions: [BenchSession],
        _ constraint: any TokenConstraint,
        stopTokens: Set<Token>
    ) {
        self.engine = engine
        self.sessions = sessions
        self.stopTokens = stopTokens
        start = constraint
        constraints = Array(repeating: constraint, count: sessions.count)
        for index in constraints.indices { skipForced(index) }
    }

    mutating func run(_ positions: Range<Int>) async throws {
        for position in positions {
            steps += 1
            // Which comes first alternates too.
            if steps % 2 == 0 { try await stepFree(position) }
            try await stepConstrained(position)
            if steps % 2 == 1 { try await stepFree(position) }
        }
    }

    private func entry(_ index: Int, _ position: Int) -> StepEntry {
        var entry = sessions[index].entry(position..<(position + 1), samples: true)
        entry.sampling = SamplingParameters(temperature: 1, seed: UInt64(index))
        entry.sampleIndex = steps
        return entry
    }

    private mutating func stepFree(_ position: Int) async throws {
        let step = Step(entries: sessions.indices.map { entry($0, position) })
        let begin = ContinuousClock.now
        _ = try await engine.step(step)
        free.append((ContinuousClock.now - begin) / .seconds(1))
    }

    private mutating func stepConstrained(_ position: Int) async throws {
        let entries = sessions.indices.map { index in
            var entry = entry(index, position)
            entry.constraint = constraints[index]
            return entry
        }
        let begin = ContinuousClock.now
        let result = try await engine.step(Step(entries: entries))
        constrained.append((ContinuousClock.now - begin) / .seconds(1))
        if let failure = result.failures.first?.value { throw failure }
        times = times + result.times
        for index in sessions.indices {
            guard let token = result.samples[index].first else { continue }
            let begin = ContinuousClock.now
            accept(token, index)
            let seconds = (ContinuousClock.now - begin) / .seconds(1)
            acceptSeconds += seconds
            longestAccept = max(longestAccept, seconds)
        }
    }

    private mutating func accept(_ token: Token, _ index: Int) {
        sampled += 1
        if stopTokens.contains(token) || !constraints[index].accept(token) { constraints[index] = start }
        skipForced(index)
    }

    private mutating func skipForced(_ index: Int) {
        for token in constraints[index].forced where constraints[index].accept(token) { forced += 1 }
        guard constraints[index].isFinished else { return }
        constraints[index] = start
        for token in start.forced where constraints[index].accept(token) { forced += 1 }
    }

    /// The row as text.
    func line(context: Int) -> String {
        let ratios = zip(constrained, free).map { $0 / max($1, 1e-9) }
        return String(
            format:
                "  %d sessions at %d: %.2f ms a step, %.2f without (medians), ratio %.3f; masks %.2f %% of the engine's "
                + "time; %.1f µs to move on by a sample, %.0f at most; %.2f tokens a sample",
            sessions.count,
            context,
            1000 * Self.median(constrained),
            1000 * Self.median(free),
            Self.median(ratios),
            100 * times.constraint / max(times.total, 1e-9),
            1e6 * acceptSeconds / Double(max(1, sampled)),
            1e6 * longestAccept,
            Double(sampled + forced) / Double(max(1, sampled))
        )
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
}
