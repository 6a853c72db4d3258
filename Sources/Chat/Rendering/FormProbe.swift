import JSON
import Templates

/// Short conversations whose texts are all different, by which it is found out what a template does.
enum Probe {
    static func turns(_ roles: [ChatRole]) -> [ChatTurn] {
        roles.enumerated().map { ChatTurn(role: $1, text: text($0)) }
    }

    static func text(_ number: Int) -> String { "Probe\(number)text" }

    static let thinking = "ProbeThought"
    static let result = "ProbeResult"
    static let toolName = "probe_tool"
    static let otherToolName = "other_probe"
    static let callID = "toolu_probe01"
    static let otherCallID = "toolu_probe02"
    static let key = "probe_key"
    static let value = "ProbeValue"

    static func call(_ arguments: String = "{\"\(key)\": \"\(value)\"}") -> ToolCall {
        ToolCall(id: callID, name: toolName, arguments: arguments)
    }

    static func otherCall(_ arguments: String = "{\"\(key)\": \"\(value)\"}") -> ToolCall {
        ToolCall(id: otherCallID, name: otherToolName, arguments: arguments)
    }

    static func result(of call: ToolCall, _ text: String = result) -> ChatTurn {
        var turn = ChatTurn(role: .tool, text: text)
        turn.answeredCall = .init(id: call.id, name: call.name)
        return turn
    }

    static func answer(_ text: String = "", thinking: String? = nil, calls: [ToolCall] = []) -> ChatTurn {
        var turn = ChatTurn(role: .assistant, text: text)
        turn.thinking = thinking
        turn.calls = calls
        return turn
    }

    static let user = ChatTurn(role: .user, text: text(0))

    /// Two tools with one parameter; nil never.
    static let tools: [ToolDefinition] = [toolName, otherToolName].compactMap { name in
        let schema =
            "{\"type\": \"object\", \"properties\": {\"\(key)\": {\"type\": \"string\", \"description\": \"ProbeParameter\"}}, "
            + "\"required\": [\"\(key)\"]}"
        guard let document = try? JSONDocument(Array(schema.utf8)) else { return nil }
        return ToolDefinition(name: name, description: "ProbeDescription", inputSchema: document.root)
    }
}

/// What a template supports, and the forms that it wants.
extension TemplateFormat {
    /// Chooses the form of users' texts for which they appear in the output.
    mutating func findUserForm() throws(TemplateError) {
        var reason: String?
        // Without tools, most templates know none; some, an empty list.
        for noTools: TemplateValue in [.null, .array([])] {
            forms.noTools = noTools
            for form in ContentForms.Form.allCases {
                forms.contents = ContentForms(user: form, system: form, assistant: form, tool: form)
                for roles: [ChatRole] in [[.user], [.system, .user], [.user, .assistant, .user]] {
                    do throws(TemplateError) {
                        if try lostRoles(roles).isDisjoint(with: [.user]) { return }
                    } catch {
                        reason = reason ?? error.description
                    }
                }
            }
        }
        throw TemplateError(
            .operation,
            "no user's text comes out of the template, given as a string or as a list of parts: "
                + (reason ?? "its text is not in what the template writes")
        )
    }

    /// Chooses the forms of the other roles' texts: the user's, unless only another one makes them appear.
    mutating func findOtherForms() {
        choose(\.assistant, .assistant, in: [[.user, .assistant, .user]])
        choose(\.system, .system, in: [[.system, .user], [.system, .user, .assistant, .user]])
        let earlier = (try? lostRoles([.user, .assistant, .user])) ?? []
        if earlier.contains(.user) {
            notes.append("the chat template leaves out what a user said before: only the last message is read")
        }
        if earlier.contains(.assistant) {
            notes.append("the chat template leaves out what an assistant said before: earlier answers are lost")
        }
        if (try? lostRoles([.system, .user]))?.contains(.system) == true {
            notes.append("the chat template leaves out a system's text: it goes before the first user's")
        }
    }

    private mutating func choose(
        _ form: WritableKeyPath<ContentForms, ContentForms.Form>,
        _ role: ChatRole,
        in conversations: [[ChatRole]]
    ) {
        let usual = forms.contents
        for other in [usual.user] + ContentForms.Form.allCases {
            forms.contents[keyPath: form] = other
            for roles in conversations where (try? lostRoles(roles))?.contains(role) == false { return }
        }
        forms.contents = usual
    }

    /// The roles whose texts are missing from the output, in a conversation of these roles.
    private func lostRoles(_ roles: [ChatRole]) throws(TemplateError) -> Set<ChatRole> {
        let turns = Probe.turns(roles)
        let rendered = try renderAsIs(turns)
        // A template that prints the list itself shows the text too, but does not support parts.
        let isPrinted =
            turns.contains { forms.contents[$0.role] == .parts } && Self.showsParts(rendered)
        let out = turns.filter { !isPrinted && !rendered.offsets(of: $0.text).isEmpty }
        let lost = turns.filter { turn in !out.contains { $0.text == turn.text } }
        return Set(lost.map(\.role))
    }

    private static func showsParts(_ text: RenderedText) -> Bool {
        [#"'type': 'text'"#, #""type": "text""#].contains { !text.offsets(of: $0).isEmpty }
    }

    /// Whether the template writes turns of these roles, each text once and in their order.
    func keepsOrder(_ roles: [ChatRole]) -> Bool {
        let turns = Probe.turns(roles)
        guard let rendered = try? renderAsIs(turns) else { return false }
        let places = turns.map { rendered.offsets(of: $0.text) }
        guard places.allSatisfy({ $0.count == 1 }) else { return false }
        let order = places.flatMap(\.self)
        return order == order.sorted()
    }

    /// Whether the template takes the first system turn along to the last user's, as Mistral's do, or leaves it out of
    /// longer conversations. The prompt of the next turn would then not go on from the last one's.
    var movesSystem: Bool {
        let turns = Probe.turns([.system, .user, .assistant, .user])
        guard let rendered = try? renderAsIs(turns), let first = rendered.offsets(of: turns[1].text).first else {
            return false
        }
        return rendered.offsets(of: turns[0].text).first.map { $0 > first } ?? true
    }

    // MARK: Tools

    /// Finds how tools, calls and results are given, each by itself.
    mutating func findToolForms() {
        findToolForm()
        findCallForm()
        findThinkingMember()
        forms.splitsText = !writesTextWithCalls(splits: false) && writesTextWithCalls(splits: true)
    }

    /// What conversations with tools are rendered with.
    var probeSettings: Settings {
        Settings(tools: forms.tools == nil ? [] : Probe.tools.map { forms.value($0) })
    }

    private mutating func findToolForm() {
        // A form that the template does not know may lose what it says of parameters.
        for parts in [[Probe.toolName, Probe.otherToolName, Probe.key], [Probe.toolName]] {
            for form in MessageForms.ToolForm.allCases {
                forms.tools = form
                guard let text = try? renderAsIs([Probe.user], probeSettings),
                    parts.allSatisfy({ !text.offsets(of: $0).isEmpty })
                else { continue }
                return
            }
        }
        forms.tools = nil
    }

    private mutating func findCallForm() {
        for tool in MessageForms.ToolForm.allCases {
            for naming in MessageForms.Naming.allCases {
                for arguments in MessageForms.CallForm.Arguments.allCases {
                    forms.naming = naming
                    forms.calls = .init(tool: tool, arguments: arguments)
                    guard let noText = bestNoText() else { continue }
                    forms.calls?.noText = noText
                    findResultForm()
                    forms.writesSeveralCalls = writesSeveralCalls()
                    return
                }
            }
        }
        forms.naming = .own
        forms.calls = nil
        findResultForm()
    }

    /// What the content is of an answer that only calls: that with which the call comes out, and least beside it.
    private mutating func bestNoText() -> MessageForms.CallForm.NoText? {
        var best: (form: MessageForms.CallForm.NoText, length: Int)?
        for form in MessageForms.CallForm.NoText.allCases {
            forms.calls?.noText = form
            guard let length = lengthOfCall(), length < best?.length ?? .max else { continue }
            best = (form, length)
        }
        return best?.form
    }

    /// The length of what the template writes of a call; nil if it does not come out as one.
    private func lengthOfCall() -> Int? {
        for after in [[Probe.result(of: Probe.call())], [ChatTurn(role: .user, text: Probe.text(2))]] {
            let turns = [Probe.user, Probe.answer(calls: [Probe.call()])] + after
            guard let text = try? renderAsIs(turns, probeSettings),
                let user = text.offsets(of: Probe.user.text).last
            else { continue }
            func isOut(_ part: String) -> Bool { text.offsets(of: part).contains { $0 > user } }
            let isMangled = [
                // An object as Python prints it, and JSON inside a string of JSON.
                "{'\(Probe.key)'", "{\\\"\(Probe.key)",
            ].contains(where: isOut)
            if isOut(Probe.toolName), isOut(Probe.key), isOut(Probe.value), !isMangled { return text.bytes.count }
        }
        return nil
    }

    /// Whether two calls of an answer come out, each once.
    private func writesSeveralCalls() -> Bool {
        let calls = [Probe.call(), Probe.otherCall()]
        let turns =
            [Probe.user, Probe.answer(calls: calls)] + (forms.writesResults ? calls.map { Probe.result(of: $0) } : [])
        guard let text = try? renderAsIs(turns, probeSettings), let user = text.offsets(of: Probe.user.text).last else {
            return false
        }
        return text.offsets(of: Probe.value).count { $0 > user } == 2
            && text.offsets(of: Probe.otherToolName).contains { $0 > user }
    }

    /// Whether an answer's text comes out before its call, and its thinking does no harm.
    /// - Parameter splits: whether the text has a turn of its own.
    private func writesTextWithCalls(splits: Bool) -> Bool {
        guard forms.calls != nil else { return true }
        let call = Probe.call()
        var answer = [Probe.answer(Probe.text(1), thinking: Probe.thinking, calls: [call])]
        if splits { answer = answer.withTextApart }
        let turns = [Probe.user] + answer + (forms.writesResults ? [Probe.result(of: call)] : [])
        guard let text = try? renderAsIs(turns, probeSettings), let user = text.offsets(of: Probe.user.text).last,
            let place = text.offsets(of: Probe.text(1)).first(where: { $0 > user }),
            text.offsets(of: Probe.value).contains(where: { $0 > place })
        else { return false }
        return true
    }

    /// Finds how results are given, if the template writes any.
    mutating func findResultForm() {
        forms.writesResults = false
        // One that writes any role, but no calls, does not know of results.
        guard forms.calls != nil || toolTemplate.contains("tool") else { return }
        let usual = forms.contents.tool
        let call = Probe.call()
        for form in [usual] + ContentForms.Form.allCases {
            forms.contents.tool = form
            let turns = [
                Probe.user, Probe.answer(calls: [call]), Probe.result(of: call),
            ]
            guard let text = try? renderAsIs(turns, probeSettings), !Self.showsParts(text) || form == .text,
                let result = text.offsets(of: Probe.result).last, let user = text.offsets(of: Probe.user.text).last,
                result > user
            else { continue }
            forms.writesResults = true
            return
        }
        forms.contents.tool = usual
        forms.writesResults = false
    }

    /// Finds the member in which the template looks for an answer's thinking.
    private mutating func findThinkingMember() {
        let call = Probe.call()
        let conversations: [[ChatTurn]] = [
            [Probe.user, Probe.answer(Probe.text(1), thinking: Probe.thinking)],
            [Probe.user, Probe.answer(thinking: Probe.thinking, calls: [call]), Probe.result(of: call)],
            [
                Probe.user, Probe.answer(Probe.text(1), thinking: Probe.thinking),
                ChatTurn(role: .user, text: Probe.text(2)),
            ],
        ]
        for name in ["reasoning_content", "reasoning", "thinking", "thought"] {
            forms.thinking = name
            for turns in conversations {
                let isWhole = turns.last?.role == .assistant
                for switches in [[], ThinkingSwitch.all] {
                    var settings = probeSettings
                    settings.switches = switches
                    guard let text = try? renderAsIs(turns, settings, opensAnswer: !isWhole),
                        text.offsets(of: Probe.thinking).count == 1
                    else { continue }
                    return
                }
            }
        }
        forms.thinking = nil
    }
}
