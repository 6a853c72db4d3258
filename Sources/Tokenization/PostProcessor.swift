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

    init(_ node: JSONNode?) throws(TokenizerError) {
        for part in try node?.parts("processors") ?? [] {
            switch try part.type() {
            case "ByteLevel": break
            case "TemplateProcessing": try add(template: part)
            case "BertProcessing", "RobertaProcessing":
                before.insert(try part.required("cls").namedToken(), at: 0)
                after.append(try part.required("sep").namedToken())
            case let type: throw part.fault("is of type '\(type)', which is not supported")
            }
        }
    }

    private mutating func add(template: JSONNode) throws(TokenizerError) {
        let specials = try template.required("special_tokens")
        var sides: (before: [Int32], after: [Int32]) = ([], [])
        var hasText = false
        for piece in try template.required("single").elements() {
            if let special = try piece.member("SpecialToken") {
                let name = try special.required("id").string()
                var tokens: [Int32] = []
                for id in try specials.required(name).required("ids").elements() {
                    tokens.append(Int32(truncatingIfNeeded: try id.integer(in: TokenNumbers.range)))
                }
                if hasText { sides.after += tokens } else { sides.before += tokens }
            } else {
                let id = try piece.required("Sequence").required("id").string()
                guard id == "A", !hasText else { throw piece.fault("is a second text, which is not supported") }
                hasText = true
            }
        }
        guard hasText else { throw template.fault("has no place for the text") }
        before = sides.before + before
        after += sides.after
    }
}

extension JSONNode {
    /// The token of `["<s>", 1]`.
    fileprivate func namedToken() throws(TokenizerError) -> Int32 {
        let parts = try elements()
        guard parts.count == 2 else { throw fault("is not a token's name and number") }
        return Int32(truncatingIfNeeded: try parts[1].integer(in: TokenNumbers.range))
    }
}
