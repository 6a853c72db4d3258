import EngineContract
import ModelFiles

/// The defaults of sampling parameters. Precedence: the request, then these settings, then the model's files, then the
/// API's defaults.
extension Setting {
    static var sampling: [Setting] {
        [
            Setting(
                name: "temperature",
                placeholder: "T",
                kind: .optionalNumber(\.temperature, 0...2),
                help: "of answers to requests without one; 0 is greedy; default: what the model recommends, else 1"
            ),
            Setting(
                name: "top-p",
                placeholder: "P",
                kind: .optionalNumber(\.topP, 0...1),
                help: "choose among the most probable tokens that together are so probable; default: what the model "
                    + "recommends, else 1, which is all"
            ),
            Setting(
                name: "top-k",
                placeholder: "N",
                kind: .optionalInteger(\.topK, 0...(1 << 24)),
                help: "choose among so many tokens; default: what the model recommends, else 0, which is all"
            ),
            Setting(
                name: "min-p",
                placeholder: "P",
                kind: .optionalNumber(\.minP, 0...1),
                help: "leave out tokens less probable than this share of the most probable one; default: what the "
                    + "model recommends, else 0"
            ),
            Setting(
                name: "repetition-penalty",
                placeholder: "X",
                kind: .optionalNumber(\.repetitionPenalty, 0.01...100),
                help: "above 1 makes tokens less probable that the prompt or the answer has; default: what the model "
                    + "recommends, else 1"
            ),
        ]
    }
}

extension Configuration {
    /// The sampling parameters of requests that set none: the operator's, else those that the model's files recommend,
    /// else the API's defaults.
    func sampling(_ model: GenerationConfiguration) -> SamplingParameters {
        // With `do_sample: false` the file's temperature does not apply.
        let recommended = model.samples == false ? 0 : model.temperature
        return SamplingParameters(
            temperature: Float(temperature ?? recommended ?? 1),
            // 0 means the most probable token only; so does the smallest positive number, the least that engines
            // accept.
            topP: max(Float(topP ?? model.topP ?? 1), .leastNormalMagnitude),
            topK: topK ?? model.topK ?? 0,
            minP: Float(minP ?? model.minP ?? 0),
            repetitionPenalty: Float(repetitionPenalty ?? model.repetitionPenalty ?? 1)
        )
    }
}

extension SamplingParameters {
    /// For display: "temperature 0.6, top-p 0.95, top-k 20", "greedy".
    var text: String {
        func number(_ value: Float) -> String { Format.number((Double(value) * 1000).rounded() / 1000) }
        var parts = [temperature == 0 ? "greedy" : "temperature \(number(temperature))"]
        if temperature != 0 {
            if topP < 1 { parts.append("top-p \(number(topP))") }
            if topK > 0 { parts.append("top-k \(Format.count(topK))") }
            if minP > 0 { parts.append("min-p \(number(minP))") }
        }
        if penalizesRepetition { parts.append("repetition penalty \(number(repetitionPenalty))") }
        return parts.joined(separator: ", ")
    }
}
