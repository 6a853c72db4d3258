package import Templates

package enum ChatRole: String, Sendable { case system, user, assistant, tool }

/// One turn of a conversation, in plain text.
package struct ChatTurn: Sendable, Equatable {
    package var role: ChatRole
    package var text: String
    /// What else a template may want to know of it, by the names that Hugging Face templates use: `tool_calls`,
    /// `tool_call_id`, `reasoning_content`. Formats without a template leave it out.
    package var details: [TemplateValue.Member]

    package init(role: ChatRole, text: String, details: [TemplateValue.Member] = []) {
        self.role = role
        self.text = text
        self.details = details
    }

    /// With more text at the end.
    func appending(_ more: String, separator: String) -> ChatTurn {
        var turn = self
        turn.text += text.isEmpty || more.isEmpty ? more : separator + more
        return turn
    }
}
