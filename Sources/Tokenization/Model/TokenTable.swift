/// Gathers what each token of a vocabulary stands for.
struct TokenTable {
    private let decoder: TokenDecoder
    private(set) var texts: TokenTexts
    private(set) var firstTexts: TokenTexts?
    private(set) var byteTokens: Set<Int32> = []

    /// - Parameters:
    ///   - tokenCount: how many tokens are expected; there may be more.
    ///   - byteCount: how many bytes they have together.
    init(decoder: TokenDecoder, tokenCount: Int, byteCount: Int) {
        self.decoder = decoder
        texts = TokenTexts(capacity: tokenCount, byteCapacity: byteCount)
        if decoder.treatsFirstApart { firstTexts = TokenTexts(capacity: tokenCount, byteCapacity: byteCount) }
    }

    /// Adds a token of the model.
    /// - Returns: what is wrong with its number, if something is.
    mutating func add(_ spelling: [UInt8], _ token: Int32, limit: Int) -> TokenizerError? {
        if texts.isKnown(token) { return Self.fault("gives the number \(token) to two tokens") }
        return set(spelling, token, limit: limit)
    }

    /// Adds an added token; one that the model has too takes its place. A special one stands for its content.
    mutating func add(added token: AddedToken, _ spelling: [UInt8], limit: Int) -> TokenizerError? {
        guard token.isSpecial else { return set(spelling, token.id, limit: limit) }
        byteTokens.remove(token.id)
        guard Int(token.id) <= limit else { return Self.tooLarge(token.id) }
        texts[token.id] = token.content[...]
        firstTexts?[token.id] = token.content[...]
        return nil
    }

    private mutating func set(_ spelling: [UInt8], _ token: Int32, limit: Int) -> TokenizerError? {
        guard Int(token) <= limit else { return Self.tooLarge(token) }
        texts[token] = decoder.bytes(of: spelling)[...]
        firstTexts?[token] = decoder.bytes(of: spelling, isFirst: true)[...]
        if decoder.isByte(spelling) { byteTokens.insert(token) } else { byteTokens.remove(token) }
        return nil
    }

    private static func tooLarge(_ token: Int32) -> TokenizerError {
        fault("has a token numbered \(token), far more than it has tokens")
    }

    private static func fault(_ what: String) -> TokenizerError { TokenizerError("tokenizer.json: model \(what)") }
}
