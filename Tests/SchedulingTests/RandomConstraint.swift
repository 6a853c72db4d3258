import EngineContract

/// Allows after each text a set of tokens that depends on a hash of it: often one only, sometimes a stop token only, now
/// and then none.
struct RandomConstraint: TokenConstraint {
    private let vocabulary: Int
    private let stopTokens: [Token]
    /// Of a hundred texts, how many force the next token.
    private let forcedShare: UInt64
    private var hash: UInt64

    init(seed: UInt64, vocabulary: Int, stopTokens: Set<Token>, forced: UInt64) {
        self.vocabulary = vocabulary
        self.stopTokens = stopTokens.sorted()
        forcedShare = forced
        hash = Self.mix(seed)
    }

    private var isDead: Bool { hash % 200 == 199 }
    var isFinished: Bool { !isDead && hash % 50 == 49 }
    var isComplete: Bool { isFinished || stopTokens.contains { allows($0) } }

    private var onlyToken: Token? {
        guard !isDead, !isFinished, hash >> 20 % 100 < forcedShare else { return nil }
        return Token(hash >> 32 % UInt64(vocabulary))
    }

    private func allows(_ token: Token) -> Bool {
        guard !isDead, 0..<vocabulary ~= Int(token) else { return false }
        if isFinished { return stopTokens.contains(token) }
        if let onlyToken { return token == onlyToken }
        // Token 0 keeps the set from being empty.
        return token == 0 || Self.mix(hash ^ UInt64(token)) % 4 > 0
    }

    func allow(into mask: inout TokenMask) {
        mask.removeAll()
        for token in 0..<Token(vocabulary) where allows(token) { mask.insert(token) }
    }

    mutating func accept(_ token: Token) -> Bool {
        guard allows(token) else { return false }
        hash = Self.mix(hash &+ UInt64(token) &+ 1)
        return true
    }

    var forced: [Token] {
        var tokens: [Token] = []
        var next = self
        while tokens.count < 20, let token = next.onlyToken, next.accept(token) { tokens.append(token) }
        return tokens
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Says for each place of an answer what may stand there; after the last, the answer is finished.
struct PlacesConstraint: TokenConstraint {
    /// One: forced. Several: a choice. None: nothing may follow.
    let places: [[Token]]
    let stopTokens: [Token]
    private var place = 0

    init(_ places: [[Token]], stopTokens: [Token] = []) {
        self.places = places
        self.stopTokens = stopTokens
    }

    /// Places at which one token is forced.
    static func text(_ tokens: some Sequence<Int>) -> [[Token]] { tokens.map { [Token($0)] } }

    private var allowed: [Token] { isFinished ? stopTokens : places[place] }

    func allow(into mask: inout TokenMask) {
        mask.removeAll()
        for token in allowed { mask.insert(token) }
    }

    mutating func accept(_ token: Token) -> Bool {
        guard allowed.contains(token) else { return false }
        place = min(place + 1, places.count)
        return true
    }

    var forced: [Token] { places[place...].prefix { $0.count == 1 }.map { $0[0] } }
    var isComplete: Bool { isFinished }
    var isFinished: Bool { place == places.count }
}
