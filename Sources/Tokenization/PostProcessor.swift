import JSON

/// What a file's post-processor puts around a text: the beginning-of-text token and the like.
struct PostProcessor: Sendable {
    private(set) var before: [Int32] = []
    private(set) var after: [Int32] = []

    init(before: [Int32] = [], after: [Int32] = []) {
        self.before = before
        self.after = after
    }

    /// Without the tokens from a number on.
    func limited(to limit: Int32) -> PostProcessor {
        PostProcessor(before: before.filter { $0 < limit }, after: after.filter { $0 < limit })
    }

    init(_ node: JSONNode) throws(JSONError) {
        for part in try node.parts("processors") {
            switch try part["type"].string() {
            case "ByteLevel": break
            case "TemplateProcessing": try add(template: part)
            case "BertProcessing", "RobertaProcessing":
                before.insert(try part["cls"].namedToken(), at: 0)
                after.append(try part["sep"].namedToken())
            case let type: throw part.error("is of type '\(type)', which is not supported")
            }
        }
    }

    private mutating func add(template: JSONNode) throws(JSONError) {
        let specials = template["special_tokens"]
        var sides: (before: [Int32], after: [Int32]) = ([], [])
        var hasText = false
        for piece in try template["single"].elements(atMost: 1024) {
            if let special = try piece["SpecialToken"].nullable {
                let name = try special["id"].string()
                var tokens: [Int32] = []
                for id in try specials[name]["ids"].elements(atMost: 1024) { tokens.append(try id.token()) }
                if hasText { sides.after += tokens } else { sides.before += tokens }
            } else {
                let id = try piece["Sequence"]["id"].string()
                guard id == "A", !hasText else { throw piece.error("is a second text, which is not supported") }
                hasText = true
            }
        }
        guard hasText else { throw template.error("has no place for the text") }
        before = sides.before + before
        after += sides.after
    }
}

extension JSONNode {
    /// The token of `["<s>", 1]`.
    fileprivate func namedToken() throws(JSONError) -> Int32 {
        guard count == 2 else { throw error("is not a token's name and number") }
        return try self[1].token()
    }
}
