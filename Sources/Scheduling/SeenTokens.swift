import EngineContract

/// The different tokens of a sequence, in the order in which they came.
struct SeenTokens {
    private(set) var tokens: [Token] = []
    private var known: Set<Token> = []

    init(_ sequence: some Sequence<Token>) {
        for token in sequence { insert(token) }
    }

    mutating func insert(_ token: Token) {
        if known.insert(token).inserted { tokens.append(token) }
    }
}
