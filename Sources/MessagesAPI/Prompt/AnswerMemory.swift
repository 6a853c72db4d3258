import Chat
import EngineContract
import JSON
import Synchronization

/// Remembers what the model wrote, so that a conversation's next turn has the same tokens and is found in the cache.
///
/// Clients send an answer back as text and JSON values. Tokenizing that anew may give other tokens than those sampled, and
/// their JSON libraries change white space, the order of members and how numbers and strings are written. What is kept
/// changes nothing of what a prompt says, and it may be forgotten at any time.
final class AnswerMemory: AnswerRecall {
    private struct State {
        var answers = RecentTable<PromptKey, [[Token]]>(maxBytes: AnswerMemory.maxBytes / 2)
        var calls = RecentTable<String, String>(maxBytes: AnswerMemory.maxBytes / 2)
        /// Of the prompts of all answers, ascending; may have some that are forgotten.
        var lengths: [Int] = []
        /// The table's losses when `lengths` was made.
        var seenLosses = 0

        mutating func noteLength(_ length: Int) {
            if answers.losses != seenLosses {
                seenLosses = answers.losses
                lengths = Set(answers.keys.map(\.length)).sorted()
            }
            let index = lengths.partition { $0 < length }
            if index == lengths.count || lengths[index] != length { lengths.insert(length, at: index) }
        }
    }

    private static let maxBytes = 32 << 20
    /// Of answers to one prompt the latest are kept.
    private static let maxAnswers = 4
    /// Values in a call's arguments beyond which they are not compared.
    private static let limits = JSONLimits(depth: 256, values: 100_000)

    private let state = Mutex(State())

    // MARK: Answers

    /// - Parameter tokens: as sampled, without the token that ended the answer.
    func keep(_ tokens: [Token], after prompt: PromptKey) {
        guard !tokens.isEmpty else { return }
        state.withLock { state in
            var answers = state.answers.value(of: prompt) ?? []
            answers.removeAll { $0 == tokens }
            answers.append(tokens)
            if answers.count > Self.maxAnswers { answers.removeFirst() }
            let bytes = answers.reduce(0) { $0 + $1.count * MemoryLayout<Token>.stride }
            state.answers.set(prompt, to: answers, bytes: bytes)
            state.noteLength(prompt.length)
        }
    }

    var promptLengths: [Int] { state.withLock { $0.lengths } }

    func answers(to prompt: PromptKey) -> [[Token]] { state.withLock { $0.answers.value(of: prompt) ?? [] } }

    // MARK: Calls

    /// - Parameter arguments: the text of a JSON object, as it went to the client.
    func keep(arguments: String, ofCall id: String) {
        state.withLock { $0.calls.set(id, to: arguments, bytes: id.utf8.count + arguments.utf8.count) }
    }

    /// The arguments of a call as the model wrote them, if they say the same as those that a client sent back.
    func arguments(of call: ToolCall) -> String? {
        // Most calls of a long conversation may be forgotten, and reading a client's input costs the most.
        guard let kept = state.withLock({ $0.calls.value(of: call.id) }), let input = call.value else { return nil }
        // What went out empty stands for an object without members.
        let text = kept.utf8.isEmpty ? "{}" : kept
        guard let document = try? JSONDocument(Array(text.utf8), limits: Self.limits),
            document.root.hasSameValue(as: input)
        else { return nil }
        return text
    }
}

extension [Int] {
    /// The number of elements before the first for which `isBelow` is false, in an ascending array.
    fileprivate func partition(_ isBelow: (Int) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBelow(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
