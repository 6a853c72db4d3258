import EngineContract
import ModelFiles

extension Configuration {
    /// How answers to requests that say nothing are sampled: as the operator has it, else as the model's files recommend,
    /// else as the API does.
    func sampling(_ model: GenerationConfiguration) -> SamplingParameters {
        // Who does not want a model sampled does not mean its temperature.
        let recommended = model.samples == false ? 0 : model.temperature
        return SamplingParameters(
            temperature: Float(temperature ?? recommended ?? 1),
            // 0 keeps the most probable token alone; so does the smallest number that engines take for a share.
            topP: max(Float(topP ?? model.topP ?? 1), .leastNormalMagnitude),
            topK: topK ?? model.topK ?? 0,
            minP: Float(minP ?? model.minP ?? 0),
            repetitionPenalty: Float(repetitionPenalty ?? model.repetitionPenalty ?? 1)
        )
    }
}

extension SamplingParameters {
    /// For people: "temperature 0.6, top-p 0.95, top-k 20", "greedy".
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
