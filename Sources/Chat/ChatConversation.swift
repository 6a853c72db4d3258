/// All that a prompt is made of.
package struct ChatConversation: Sendable {
    package var turns: [ChatTurn]
    /// The tools that the model may know of.
    package var tools: [ToolDefinition] = []
    package var thinking = ThinkingMode.off
    /// Whether the thinking of all earlier answers stays in the prompt, also where the template would drop it.
    package var keepsThinking = false

    package init(turns: [ChatTurn], tools: [ToolDefinition] = []) {
        self.turns = turns
        self.tools = tools
    }
}

/// Whether a model is to think before it answers. One that cannot answers without.
package enum ThinkingMode: Sendable, Equatable {
    case off
    /// With an effort, of `ThinkingEffort`, where the client says.
    case on(ThinkingEffort?)
}

package enum ThinkingEffort: String, Sendable, CaseIterable { case low, medium, high, xhigh, max }

/// A conversation as the model reads it.
package struct ChatPrompt: Sendable {
    package var tokens: [Int32]
    /// Whether the prompt's end is inside a block of thinking: the template begins it.
    package var isInsideThinking = false
    /// The prompt's name, by which what was answered to it can be found again; nil if it does not end where an answer begins.
    package var key: PromptKey?

    package init(tokens: [Int32], isInsideThinking: Bool = false) {
        self.tokens = tokens
        self.isInsideThinking = isInsideThinking
    }
}
