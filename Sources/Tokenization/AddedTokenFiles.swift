import JSON

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
    init(_ configuration: JSONNode, _ names: inout [String: AddedToken]) throws(JSONError) {
        self.init()
        try readNames(configuration, &names)
        guard let decoder = try configuration["added_tokens_decoder"].nullable else { return }
        var described: [AddedToken] = []
        for member in try decoder.members(atMost: AddedTokens.most) {
            guard let number = Int32(member.name), TokenNumbers.range.contains(Int(number)) else {
                throw member.value.error("is not a token's number, or is out of range")
            }
            described.append(try AddedToken(member.value, id: number))
        }
        described.sort { $0.id < $1.id }
        for index in described.indices { described[index].id = Self.unnumbered }
        self.described = described
    }

    /// Reads `special_tokens_map.json`; what it names counts more than what `tokenizer_config.json` does. Neither it nor
    /// `added_tokens.json` counts where that describes the added tokens.
    mutating func read(specialTokensMap file: JSONNode, _ names: inout [String: AddedToken]) throws(JSONError) {
        if described == nil { try readNames(file, &names) }
    }

    /// Reads `added_tokens.json`.
    mutating func read(addedTokens file: JSONNode) throws(JSONError) {
        guard described == nil else { return }
        for member in try file.members(atMost: AddedTokens.most) {
            let content = member.nameBytes
            guard !content.isEmpty, content.count <= AddedToken.longest else {
                throw member.value.error("has a name that is no token's")
            }
            var token = AddedToken(id: try member.value.token(), content: content, isSpecial: false)
            token.isNormalized = true
            listed.append(token)
        }
        listed.sort { $0.id < $1.id }
    }

    private mutating func readNames(_ file: JSONNode, _ names: inout [String: AddedToken]) throws(JSONError) {
        for member in try file.members() {
            let name = member.name
            guard name.hasSuffix("_token"), let token = Self.token(member.value) else { continue }
            names[name] = token
        }
        // The newer name counts, if it holds anything: files written by versions between the two hold both.
        let (newer, older) = (file["extra_special_tokens"], file["additional_special_tokens"])
        let more = newer.count > 0 ? newer : older
        switch more.kind {
        case .array:
            for element in try more.elements(atMost: AddedTokens.most) {
                if let token = Self.token(element) { others.append(token) }
            }
        case .object:
            for member in try more.members() {
                let name = member.name
                names[name] = Self.token(member.value) ?? names[name]
            }
        default: break
        }
    }

    /// A text, or an object with its flags; what is neither is of no interest.
    private static func token(_ node: JSONNode) -> AddedToken? {
        switch node.kind {
        case .string:
            guard let content = try? node.bytes(), !content.isEmpty, content.count <= AddedToken.longest else {
                return nil
            }
            return AddedToken(id: unnumbered, content: content, isSpecial: true)
        case .object: return try? AddedToken(node, id: unnumbered, isNamed: true)
        default: return nil
        }
    }
}
