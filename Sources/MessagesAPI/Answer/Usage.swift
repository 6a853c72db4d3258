import JSON
import Scheduling

/// Token counts of an answer. The whole prompt, as `count_tokens` gives it, is the sum of the first three.
struct Usage: Sendable, Equatable {
    /// Tokens of the prompt that were not found in the cache.
    var input: Int
    var cacheRead: Int
    /// Every sampled token.
    var output: Int
    /// Those of them that the model thought with.
    var thinking = 0

    init(promptTokens: Int, cachedTokens: Int, output: Int) {
        input = max(promptTokens - cachedTokens, 0)
        cacheRead = min(cachedTokens, promptTokens)
        self.output = output
    }

    var json: JSONValue {
        let details: JSONValue? = thinking > 0 ? ["thinking_tokens": .integer(thinking)] : nil
        return JSONValue(omittingNil: [
            "input_tokens": .integer(input), "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": .integer(cacheRead), "output_tokens": .integer(output),
            "output_tokens_details": details,
        ])
    }
}
