import JSON

/// The added tokens of the files beside a `tokenizer.json`, merged with its own list as transformers does it.
package struct AddedTokenFiles: Sendable, Equatable {
    /// The id of a token that has none yet.
    static let unassigned: Int32 = -1

    /// Tokens with all their flags, in the order of their ids (`added_tokens_decoder`).
    var decoderEntries: [AddedToken]?
    /// Tokens without flags, in the order of their ids (`added_tokens.json`).
    var listedTokens: [AddedToken] = []
    /// Tokens with a role, such as `bos_token`, by its name: they are special.
    var namedTokens: [AddedToken] = []
    /// Special tokens without a role (`additional_special_tokens`).
    var additionalTokens: [AddedToken] = []

    /// The text of special tokens by role: `bos_token`, `eos_token`, ….
    package private(set) var specialTokens: [String: String] = [:]

    /// - Parameter specialTokens: the text of special tokens by role.
    package init(specialTokens: [String: String] = [:]) {
        setNames(
            specialTokens.mapValues { AddedToken(id: Self.unassigned, content: Array($0.utf8), isSpecial: true) }
        )
    }

    private mutating func setNames(_ names: [String: AddedToken]) {
        specialTokens = names.mapValues(\.text)
        namedTokens = names.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The added tokens of all files together. New ones have no id yet.
    /// - Parameter own: those of `tokenizer.json`.
    func merged(with own: [AddedToken]) -> [AddedToken] {
        var tokens = own
        var places: [[UInt8]: Int] = [:]
        for (place, token) in tokens.enumerated() { places[token.content] = place }
        let roles = Set(namedTokens.map(\.content))
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
        if let decoderEntries {
            for token in decoderEntries {
                put(roles.contains(token.content) ? token.special() : token, replacing: true)
            }
        } else {
            let numbers = Set(own.map(\.id))
            for token in listedTokens where !numbers.contains(token.id) {
                var token = roles.contains(token.content) ? token.special() : token
                token.id = Self.unassigned
                put(token, replacing: true)
            }
            for token in own where roles.contains(token.content) { put(token.special(), replacing: true) }
        }
        for token in namedTokens + additionalTokens { put(token, replacing: false) }
        return tokens
    }

    /// Gives each token its id: the model's own if it has one, whatever a list says; new tokens follow all others.
    static func assignIDs(_ tokens: inout [AddedToken], _ model: VocabularyModel, modelCount: Int) {
        var largest: Int32 = -1
        for index in tokens.indices {
            if let id = model.id(of: tokens[index].content) {
                tokens[index].id = id
            } else if tokens[index].id == unassigned {
                tokens[index].id = max(largest + 1, Int32(clamping: modelCount))
            }
            largest = max(largest, tokens[index].id)
        }
    }
}

// MARK: Reading

extension AddedTokenFiles {
    /// Reads the files beside `tokenizer.json` that transformers reads, with its precedence.
    /// - Parameter contents: the contents of a file of the model; nil if there is none of that name.
    /// - Throws: `TokenizerError` if one is malformed; what `contents` throws.
    package init(files contents: (_ name: String) throws -> [UInt8]?) throws {
        self.init()
        var names: [String: AddedToken] = [:]
        try readFile("tokenizer_config.json", contents) { (files, file) throws(JSONError) in
            try files.read(configuration: file, &names)
        }
        defer { setNames(names) }
        // Where tokenizer_config.json has an `added_tokens_decoder`, the other files are ignored, whatever they hold.
        guard decoderEntries == nil else { return }
        // Its names override those of tokenizer_config.json.
        try readFile("special_tokens_map.json", contents) { (files, file) throws(JSONError) in
            try files.readNames(file, &names)
        }
        try readFile("added_tokens.json", contents) { (files, file) throws(JSONError) in
            try files.read(addedTokens: file)
        }
    }

    private mutating func readFile(
        _ name: String,
        _ contents: (_ name: String) throws -> [UInt8]?,
        _ read: (inout AddedTokenFiles, JSONNode) throws(JSONError) -> Void
    ) throws {
        guard let json = try contents(name) else { return }
        try JSONNode.file(json, named: name) { (file) throws(JSONError) in try read(&self, file) }
    }

    /// Reads the members of `tokenizer_config.json`.
    /// - Parameter names: the special tokens that it names, by role.
    private mutating func read(configuration: JSONNode, _ names: inout [String: AddedToken]) throws(JSONError) {
        try readNames(configuration, &names)
        guard let decoder = try configuration["added_tokens_decoder"].nullable else { return }
        var decoderEntries: [AddedToken] = []
        for member in try decoder.members(atMost: AddedTokens.most) {
            guard let number = Int32(member.name), TokenIDs.range.contains(Int(number)) else {
                throw member.value.error("is not a token's number, or is out of range")
            }
            decoderEntries.append(try AddedToken(member.value, id: number))
        }
        decoderEntries.sort { $0.id < $1.id }
        for index in decoderEntries.indices { decoderEntries[index].id = Self.unassigned }
        self.decoderEntries = decoderEntries
    }

    /// Reads `added_tokens.json`.
    private mutating func read(addedTokens file: JSONNode) throws(JSONError) {
        for member in try file.members(atMost: AddedTokens.most) {
            let content = member.nameBytes
            guard !content.isEmpty, content.count <= AddedToken.longest else {
                throw member.value.error("has a name that is no token's")
            }
            var token = AddedToken(id: try member.value.token(), content: content, isSpecial: false)
            token.isNormalized = true
            listedTokens.append(token)
        }
        listedTokens.sort { $0.id < $1.id }
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
                if let token = Self.token(element) { additionalTokens.append(token) }
            }
        case .object:
            for member in try more.members() {
                let name = member.name
                names[name] = Self.token(member.value) ?? names[name]
            }
        default: break
        }
    }

    /// A string, or an object with its flags; anything else is ignored.
    private static func token(_ node: JSONNode) -> AddedToken? {
        switch node.kind {
        case .string:
            guard let content = try? node.bytes(), !content.isEmpty, content.count <= AddedToken.longest else {
                return nil
            }
            return AddedToken(id: unassigned, content: content, isSpecial: true)
        case .object: return try? AddedToken(node, id: unassigned, isNamed: true)
        default: return nil
        }
    }
}
