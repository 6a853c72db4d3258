import Templates

/// Finds how a model writes calls and thoughts, from how its template writes those of earlier answers.
///
/// What was put in is found again in what comes out; what stands around it are the markers. Where one text is several
/// markers in a row, they are told apart by what differs between one call and two, and between the first and the last.
struct SyntaxProbe {
    private let format: TemplateFormat

    init(_ format: TemplateFormat) { self.format = format }

    /// The syntax; where none can be derived, the known one of a family, or ours.
    func syntax() -> (AnswerSyntax, ToolSupport.Origin) {
        if let known = KnownSyntaxes.syntax(of: format.template) { return (known, .known) }
        var syntax = AnswerSyntax(thinking: thinking(), calls: HermesTools.calls)
        var origin = ToolSupport.Origin.ours
        if format.forms.calls != nil, let calls = calls() {
            (syntax.calls, origin) = (calls, .derived)
        } else if let calls = KnownSyntaxes.calls(of: format.template) {
            (syntax.calls, origin) = (calls, .known)
        }
        syntax.otherCalls = KnownSyntaxes.variants(of: syntax.calls)
        return (syntax, origin)
    }

    // MARK: Calls

    /// How calls are written; nil if that cannot be found, or what is found does not read them.
    private func calls() -> CallSyntax? {
        guard let single = answer([Probe.call()]), let place = CallPlace(single, Probe.toolName) else { return nil }
        var syntax = CallSyntax(
            callStart: "",
            nameEnd: "",
            arguments: .json(.spaced),
            callEnd: ""
        )
        let parameters = place.kind == .parameters ? parameters() : nil
        switch place.kind {
        case .json(let layout): syntax.arguments = .json(layout)
        case .python: syntax.arguments = .python
        case .bare(let quote): syntax.arguments = .bare(quote: quote)
        case .parameters:
            guard let parameters else { return nil }
            syntax.arguments = .parameters(parameters.syntax)
        }
        let valueEnd = parameters?.syntax.valueEnd.utf8.count ?? 0
        let start = single[..<place.name]
        setNameEnd(of: &syntax, single, place, parameters)
        if format.forms.writesSeveralCalls, let both = answer([Probe.call(), Probe.otherCall()]),
            let first = CallPlace(both, Probe.toolName), let second = CallPlace(both, Probe.otherToolName),
            first.end + valueEnd <= second.name
        {
            let between = both[(first.end + valueEnd)..<second.name].text.withoutMember(name(Probe.callID))
            let end = both[min(both.count, second.end + valueEnd)...].text.withoutMember(name(Probe.otherCallID))
            Self.split(Array(start), Array(between.utf8), Array(end.utf8), into: &syntax)
        } else {
            syntax.callStart = start.text
            syntax.callEnd = single[min(single.count, place.end + valueEnd)...].text.withoutMember(name(Probe.callID))
        }
        // An answer that does not think may begin with an empty thought.
        if let thinking = thinking(), syntax.sectionStart.hasPrefix(thinking.start),
            let end = syntax.sectionStart.range(of: thinking.end)
        {
            syntax.sectionStart = String(syntax.sectionStart[end.upperBound...])
        }
        syntax.isWholeAnswer = Marker(syntax.sectionStart + syntax.callStart).core.first == UInt8(ascii: "{")
        // A call's own name where no syntax has a place for one would be taken for a marker.
        let ids = [name(Probe.callID), name(Probe.otherCallID)]
        let hasName = [syntax.sectionStart, syntax.callStart, syntax.separator].contains { text in
            ids.contains { text.contains($0) }
        }
        return !hasName && reads(syntax) ? syntax : nil
    }

    /// A call's name, as it is given to the template.
    private func name(_ id: String) -> String { format.forms.name(id, Probe.toolName, number: 0) }

    /// Tells apart what stands before a first call, between two, and after the last.
    private static func split(_ start: [UInt8], _ middle: [UInt8], _ end: [UInt8], into syntax: inout CallSyntax) {
        let callEnd = middle.commonPrefix(end).withoutOpenTag
        let between = Array(middle.dropFirst(callEnd.count))
        let callStart = start.commonSuffix(between)
        syntax.callEnd = callEnd.text
        syntax.callStart = callStart.text
        syntax.separator = between.dropLast(callStart.count).text
        syntax.sectionStart = start.dropLast(callStart.count).text
        syntax.sectionEnd = end.dropFirst(callEnd.count).text.trimmedEnd
    }

    /// What stands between a name and its arguments, and a call's own name there.
    private func setNameEnd(
        of syntax: inout CallSyntax,
        _ text: [UInt8],
        _ place: CallPlace,
        _ parameters: (syntax: ParameterSyntax, nameEnd: String)?
    ) {
        var nameEnd = parameters?.nameEnd ?? text[(place.name + Probe.toolName.utf8.count)..<place.start].text
        if nameEnd.first == ":", let number = nameEnd.firstIndex(where: \.isNumber) {
            syntax.identifier = CallIdentifier(start: String(nameEnd[..<number]), form: .number)
            nameEnd = String(nameEnd[number...].drop(while: \.isNumber))
        } else if let id = nameEnd.range(of: name(Probe.callID)) {
            syntax.identifier = CallIdentifier(start: String(nameEnd[..<id.lowerBound]), form: .nineCharacters)
            nameEnd = String(nameEnd[id.upperBound...])
        }
        syntax.nameEnd = nameEnd
    }

    /// The markers around parameters, and what stands between a call's name and the first.
    private func parameters() -> (syntax: ParameterSyntax, nameEnd: String)? {
        let keys = ["\(Probe.key)", "other_key"]
        let values = ["\(Probe.value)", "OtherValue"]
        let both = "{\"\(keys[0])\": \"\(values[0])\", \"\(keys[1])\": \"\(values[1])\"}"
        guard let text = answer([Probe.call(both)]), let name = text.first(Probe.toolName, from: 0) else { return nil }
        let nameEnd = name + Probe.toolName.utf8.count
        guard let key = text.first(keys[0], from: nameEnd), let value = text.first(values[0], from: key),
            let otherKey = text.first(keys[1], from: value), let otherValue = text.first(values[1], from: otherKey)
        else { return nil }
        let before = Array(text[nameEnd..<key])
        let between = Array(text[(value + values[0].utf8.count)..<otherKey])
        let start = before.commonSuffix(between).fromLastTag
        let valueEnds = Array(between.dropLast(start.count))
        let valueEnd = valueEnds.commonPrefix(Array(text[(otherValue + values[1].utf8.count)...])).withoutOpenTag
        var syntax = ParameterSyntax(
            start: start.text,
            nameEnd: text[(key + keys[0].utf8.count)..<value].text,
            valueEnd: valueEnd.text
        )
        syntax.separator = valueEnds.dropFirst(valueEnd.count).text
        guard !syntax.start.isEmpty, !syntax.nameEnd.isEmpty, !syntax.valueEnd.isEmpty else { return nil }
        if let text = answer([Probe.call("{\"\(Probe.key)\": 987654}")]),
            let key = text.first(Probe.key, from: nameEnd), let number = text.first("987654", from: key)
        {
            let other = text[(key + Probe.key.utf8.count)..<number].text
            if other != syntax.nameEnd { syntax.otherNameEnd = other }
        }
        return (syntax, before.dropLast(start.count).text)
    }

    /// Whether a syntax reads what the template writes.
    private func reads(_ syntax: CallSyntax) -> Bool {
        let arguments = "{\"\(Probe.key)\": \"\(Probe.value)\"}"
        var conversations = [[Probe.call(arguments)]]
        if format.forms.writesSeveralCalls {
            conversations.append([Probe.call(arguments), Probe.otherCall(arguments)])
        }
        return conversations.allSatisfy { calls in
            guard let text = answer(calls) else { return false }
            var parser = AnswerParser(AnswerSyntax(calls: syntax), tools: Probe.tools, isInsideThinking: false)
            let parts = parser.push(text.text) + parser.finish()
            let names = parts.compactMap { if case .toolCallStart(let name) = $0 { name } else { nil } }
            return names == calls.map(\.name) && parts.count { $0 == .toolCallEnd } == calls.count
                && !parts.contains { if case .text = $0 { true } else { false } }
        }
    }

    /// What the template writes for an answer that calls: after its head, before its turn's end. Nil if it refuses it.
    private func answer(_ calls: [ToolCall]) -> [UInt8]? {
        guard let plain = written([Probe.user, Probe.answer(Probe.text(1))]),
            let text = plain.first(Probe.text(1), from: 0)
        else { return nil }
        let turns = [Probe.user, Probe.answer(calls: calls)]
        let results = format.forms.writesResults ? calls.map { Probe.result(of: $0) } : []
        guard var answer = written(turns) ?? written(turns + results) else { return nil }
        if let result = answer.first(Probe.result, from: 0) { answer.removeSubrange(result...) }
        let head = plain[..<text].array.commonPrefix(answer).withoutOpenTag
        let turnEnd = Array(plain[(text + Probe.text(1).utf8.count)...])
        answer.removeFirst(head.count)
        for end in KnownSyntaxes.stops(of: format) {
            if let place = answer.last(Array(end.utf8)) { answer.removeSubrange(place...) }
        }
        let common = answer.commonSuffix(turnEnd).fromFirstTag
        if !common.isEmpty {
            answer.removeLast(common.count)
        } else if let tag = turnEnd.firstTag, let end = answer.last(tag) {
            answer.removeSubrange(end...)
        }
        return answer
    }

    /// What the template writes after the user's text.
    private func written(_ turns: [ChatTurn]) -> [UInt8]? {
        var settings = format.probeSettings
        settings.switches = ThinkingSwitch.all
        guard let text = try? format.renderAsIs(turns, settings, opensAnswer: false),
            let user = text.offsets(of: Probe.user.text).last
        else { return nil }
        return Array(text.bytes[(user + Probe.user.text.utf8.count)...])
    }

    // MARK: Thinking

    private func thinking() -> ThinkingSyntax? {
        let call = Probe.call()
        let conversations: [[ChatTurn]] = [
            [Probe.user, Probe.answer(Probe.text(1), thinking: Probe.thinking)],
            [
                Probe.user, Probe.answer(Probe.text(1), thinking: Probe.thinking),
                ChatTurn(role: .user, text: Probe.text(2)),
            ],
            [Probe.user, Probe.answer(thinking: Probe.thinking, calls: [call]), Probe.result(of: call)],
        ]
        let other = ChatTurn(role: .user, text: Probe.text(2))
        let plain = written([Probe.user, Probe.answer(Probe.text(1)), other]) ?? []
        let head = plain.first(Probe.text(1), from: 0).map { Array(plain[..<$0]) } ?? []
        for turns in conversations where format.forms.thinking != nil {
            guard let text = written(turns), let place = text.first(Probe.thinking, from: 0),
                let start = text[..<place].array.lastTag,
                let end = text[(place + Probe.thinking.utf8.count)...].array.firstTag,
                // What begins any answer begins no thought, unless one that is empty.
                head.count(of: start) == head.count(of: end)
            else { continue }
            let after = place + Probe.thinking.utf8.count
            let answer = text.first(Probe.text(1), from: after)
            let closing = answer.map { text[after..<$0].text } ?? ""
            return ThinkingSyntax(
                start: start.text,
                end: end.text,
                closing: closing.contains(end.text) ? closing : "\n\(end.text)\n\n"
            )
        }
        return KnownSyntaxes.thinking(of: format.template)
    }
}

/// Where a call is in an answer's text.
private struct CallPlace {
    enum Kind: Equatable {
        case json(JSONLayout)
        case python
        case bare(String)
        case parameters
    }

    /// Where the tool's name begins.
    let name: Int
    /// Where the arguments begin and end; of parameters, where the first name begins and the value ends.
    let start: Int
    let end: Int
    let kind: Kind

    init?(_ text: [UInt8], _ tool: String) {
        guard let name = text.first(tool, from: 0), let key = text.first(Probe.key, from: name + tool.utf8.count),
            let value = text.first(Probe.value, from: key), key > 0
        else { return nil }
        self.name = name
        let keyEnd = key + Probe.key.utf8.count
        let valueEnd = value + Probe.value.utf8.count
        let between = text[keyEnd..<value].text
        func closing(_ byte: Character) -> Int? {
            text[valueEnd...].firstIndex(of: byte.asciiValue ?? 0).map { $0 + 1 }
        }
        let open = text[..<key].lastIndex { !$0.isSpace && $0 != UInt8(ascii: "\"") }
        if text[key - 1] == UInt8(ascii: "\""), let open, text[open] == UInt8(ascii: "{"), let end = closing("}") {
            (start, self.end) = (open, end)
            kind = .json(between.contains(" ") ? .spaced : .compact)
        } else if text[key - 1] == UInt8(ascii: "("), between.hasPrefix("="), valueEnd < text.count {
            (start, self.end) = (key, valueEnd + 1)
            kind = .python
        } else if text[key - 1] == UInt8(ascii: "{"), between.hasPrefix(":"), let end = closing("}") {
            (start, self.end) = (key - 1, end)
            kind = .bare(String(between.dropFirst().drop(while: \.isWhitespace)))
        } else {
            (start, self.end) = (key, valueEnd)
            kind = .parameters
        }
    }
}
