/// Names a prompt by its text and by the origin of each part of it.
package struct PromptKey: Sendable, Hashable {
    /// In bytes.
    package let length: Int
    /// Keyed anew in each process, so that nobody can make two prompts of one name.
    let hash: Int
}

/// Answers that the model gave, by the prompts that they followed.
package protocol AnswerRecall: Sendable {
    /// The lengths in bytes of all prompts that are known, ascending.
    var promptLengths: [Int] { get }

    /// The sampled tokens of the answers to a prompt, without the ones that ended them.
    func answers(to prompt: PromptKey) -> [[Int32]]
}
