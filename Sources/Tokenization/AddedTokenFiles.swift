/// What the files beside a `tokenizer.json` say of its added tokens, to be held against its own list as transformers
/// does it.
package struct AddedTokenFiles: Sendable, Equatable {
    /// Marks a token whose number is yet to be found.
    static let unnumbered: Int32 = -1

    /// Tokens with all their flags, in the order of their numbers (`added_tokens_decoder`).
    var described: [AddedToken]?
    /// Tokens by number alone, in that order (`added_tokens.json`).
    var listed: [AddedToken] = []
    /// Tokens that have a part to play, such as the beginning of a text: they are special.
    var named: [AddedToken] = []
    /// Special tokens without a part (`additional_special_tokens`).
    var others: [AddedToken] = []

    package init() {}

    /// The added tokens that all files make together. New ones have no number yet.
    /// - Parameter own: those of `tokenizer.json`.
    func merged(with own: [AddedToken]) -> [AddedToken] {
        var tokens = own
        var places: [[UInt8]: Int] = [:]
        for (place, token) in tokens.enumerated() { places[token.content] = place }
        let parts = Set(named.map(\.content))
        func put(_ token: AddedToken, replacing: Bool) {
            guard let place = places[token.content] else {
                places[token.content] = tokens.count
                tokens.append(token)
                return
            }
            guard replacing else { return }
            let number = tokens[place].id
            tokens[place] = token
            tokens[place].id = number
        }
        if let described {
            for token in described { put(parts.contains(token.content) ? token.special() : token, replacing: true) }
        } else {
            let numbers = Set(own.map(\.id))
            for token in listed where !numbers.contains(token.id) {
                var token = parts.contains(token.content) ? token.special() : token
                token.id = Self.unnumbered
                put(token, replacing: true)
            }
            for token in own where parts.contains(token.content) { put(token.special(), replacing: true) }
        }
        for token in named + others { put(token, replacing: false) }
        return tokens
    }

    /// Gives each token its number: the model's own counts, whatever a list says, and new tokens follow all others.
    static func number(_ tokens: inout [AddedToken], _ model: VocabularyModel, modelCount: Int) {
        var largest: Int32 = -1
        for index in tokens.indices {
            if let id = model.number(of: tokens[index].content) {
                tokens[index].id = id
            } else if tokens[index].id == unnumbered {
                tokens[index].id = max(largest + 1, Int32(clamping: modelCount))
            }
            largest = max(largest, tokens[index].id)
        }
    }
}

// MARK: Reading

extension AddedTokenFiles {
    /// Reads the members of `tokenizer_config.json`.
    /// - Parameter names: the special tokens that it names, by their parts.
    init(_ configuration: JSONNode, _ names: inout [String: AddedToken]) throws(TokenizerError) {
        self.init()
        try readNames(configuration, &names)
        guard let decoder = try configuration.member("added_tokens_decoder") else { return }
        var described: [AddedToken] = []
        try decoder.forEachMember { (key, value) throws(TokenizerError) in
            guard described.count < AddedTokens.most else {
                throw decoder.fault("has more than \(AddedTokens.most) members")
            }
            let name = String(decoding: key, as: UTF8.self)
            let node = decoder.child(value, name)
            guard let number = Int(name), TokenNumbers.range.contains(number) else {
                throw node.fault("is not a token's number, or is out of range")
            }
            described.append(try AddedToken(node, id: Int32(truncatingIfNeeded: number)))
        }
        described.sort { $0.id < $1.id }
        for index in described.indices { described[index].id = Self.unnumbered }
        self.described = described
    }

    /// Reads `special_tokens_map.json`; what it names counts more than what `tokenizer_config.json` does. Neither it nor
    /// `added_tokens.json` counts where that describes the added tokens.
    mutating func read(specialTokensMap json: [UInt8], _ names: inout [String: AddedToken]) throws(TokenizerError) {
        guard described == nil else { return }
        try readNames(JSONNode(try JSONDocument(json, named: "special_tokens_map.json")), &names)
    }

    /// Reads `added_tokens.json`.
    mutating func read(addedTokens json: [UInt8]) throws(TokenizerError) {
        guard described == nil else { return }
        let file = JSONNode(try JSONDocument(json, named: "added_tokens.json"))
        try file.forEachMember { (key, value) throws(TokenizerError) in
            guard listed.count < AddedTokens.most else { throw file.fault("has more than \(AddedTokens.most) members") }
            let node = file.child(value, String(decoding: key, as: UTF8.self))
            let number = try node.integer(in: TokenNumbers.range)
            guard !key.isEmpty, key.count <= AddedToken.longest else {
                throw node.fault("has a name that is no token's")
            }
            var token = AddedToken(id: Int32(truncatingIfNeeded: number), content: key, isSpecial: false)
            token.isNormalized = true
            listed.append(token)
        }
        listed.sort { $0.id < $1.id }
    }

    private mutating func readNames(
        _ file: JSONNode,
        _ names: inout [String: AddedToken]
    ) throws(TokenizerError) {
        try file.forEachMember { (key, value) throws(TokenizerError) in
            let name = String(decoding: key, as: UTF8.self)
            guard name.hasSuffix("_token"), let token = Self.token(file.child(value, name)) else { return }
            names[name] = token
        }
        // The newer name counts, if it holds anything: files written by versions between the two hold both.
        var found: JSONNode?
        for name in ["extra_special_tokens", "additional_special_tokens"] where found == nil {
            guard let member = try file.member(name) else { continue }
            switch file.document.kind(member.value) {
            case .array, .object: found = member.count > 0 ? member : nil
            default: break
            }
        }
        guard let more = found else { return }
        switch more.document.kind(more.value) {
        case .array:
            try more.forEachElement { (index, value) throws(TokenizerError) in
                guard others.count < AddedTokens.most else {
                    throw more.fault("has more than \(AddedTokens.most) elements")
                }
                if let token = Self.token(more.child(value, index)) { others.append(token) }
            }
        case .object:
            try more.forEachMember { (key, value) throws(TokenizerError) in
                let name = String(decoding: key, as: UTF8.self)
                names[name] = Self.token(more.child(value, name)) ?? names[name]
            }
        default: break
        }
    }

    /// A text, or an object with its flags; what is neither is of no interest.
    private static func token(_ node: JSONNode) -> AddedToken? {
        switch node.document.kind(node.value) {
        case .string:
            guard let content = node.document.string(node.value), !content.isEmpty,
                content.count <= AddedToken.longest
            else { return nil }
            return AddedToken(id: unnumbered, content: content, isSpecial: true)
        case .object: return try? AddedToken(node, id: unnumbered, isNamed: true)
        default: return nil
        }
    }
}
