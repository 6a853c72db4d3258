import Chat
import Constraints
import EngineContract
import Tokenization

/// Takes the markers of an answer's syntax apart into texts and the special tokens that they spell.
struct MarkerReader {
    private let stopTokens: Set<Token>
    /// The tokens that the syntax's markers spell, the longest first.
    private let tokens: [(id: Token, text: String)]
    /// Those of them whose spelling is text, as the reader of answers has it.
    private let specials: Set<Token>

    /// - Parameter controlTokens: tokens that no text has, beside those that the tokenizer calls special.
    init(_ syntax: AnswerSyntax, _ tokenizer: Tokenizer, stopTokens: Set<Token>, controlTokens: Set<Token>) {
        self.stopTokens = stopTokens
        var texts: [Token: String] = [:]
        for token in tokenizer.addedTokens(writtenIn: syntax.markers.map { Array($0.utf8) })
        where tokenizer.isSpecial(token.id) || controlTokens.contains(token.id) || stopTokens.contains(token.id) {
            texts[token.id] = token.text
        }
        specials = Set(texts.keys.filter(tokenizer.isSpecial)).subtracting(stopTokens)
        tokens = texts.map { ($0.key, $0.value) }.sorted { ($1.text.utf8.count, $0.id) < ($0.text.utf8.count, $1.id) }
    }

    func parts(_ marker: String) -> [MarkerPart] {
        var parts: [MarkerPart] = []
        var rest = Substring(marker)
        while let (token, range) = firstToken(in: rest) {
            if range.lowerBound > rest.startIndex { parts.append(.text(String(rest[..<range.lowerBound]))) }
            parts.append(.token(token))
            rest = rest[range.upperBound...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        return parts
    }

    private func firstToken(in text: Substring) -> (Token, Range<Substring.Index>)? {
        var first: (Token, Range<Substring.Index>)?
        for token in tokens {
            guard let range = text.firstRange(of: token.text) else { continue }
            if first.map({ range.lowerBound < $0.1.lowerBound }) ?? true { first = (token.id, range) }
        }
        return first
    }

    private func text(of token: Token) -> String { tokens.first { $0.id == token }?.text ?? "" }

    /// The parts up to a token that ends the answer.
    func partsBeforeStop(_ marker: String) -> (parts: [MarkerPart], endsAnswer: Bool) {
        let all = parts(marker)
        let before = all.prefix { if case .token(let token) = $0 { !stopTokens.contains(token) } else { true } }
        return (Array(before), before.count < all.count)
    }

    func element(_ parts: [MarkerPart]) -> GrammarElement {
        .sequence(
            parts.map { part in
                switch part {
                case .text(let text): .literal(text)
                case .token(let token): .token(token)
                }
            }
        )
    }

    /// What is written after the end of a thought.
    func closingRest(_ thinking: ThinkingSyntax) -> [MarkerPart] {
        guard let range = thinking.closing.firstRange(of: thinking.end) else { return [] }
        return partsBeforeStop(String(thinking.closing[range.upperBound...])).parts
    }

    /// Branches for a marker: see `spellings`.
    func branches(of marker: [MarkerPart], then next: GrammarElement) -> [FreeText.Branch] {
        spellings(of: FreeText.Branch(marker, then: .shared("after \(marker)", next)))
    }

    /// A branch, and the same with its tokens spelled out where that reads as the same.
    func spellings(of branch: FreeText.Branch) -> [FreeText.Branch] {
        if case .token(let token)? = branch.marker.first, specials.contains(token) { return [branch] }
        var spelled = branch
        spelled.marker = branch.marker.map { part in
            if case .token(let token) = part { .text(text(of: token)) } else { part }
        }
        return spelled.marker == branch.marker ? [branch] : [branch, spelled]
    }

    // MARK: Triggers

    /// Shorter ones stand in any text.
    private static let shortestTrigger = 3

    /// The beginning of an opening that tells it from other text, and what of the opening follows; nil if there is none.
    ///
    /// That is its first special token, else what stands before its first white space or brace, and if there is a tag,
    /// the tag.
    func trigger(of opening: String) -> (marker: [MarkerPart], rest: String)? {
        let opening = String(opening.drop(while: \.isWhitespace))
        guard let first = parts(opening).first else { return nil }
        if case .token(let token) = first {
            return ([first], String(opening.dropFirst(text(of: token).count)))
        }
        var end = opening.firstIndex(where: \.isWhitespace) ?? opening.endIndex
        if opening.first == "<", let tag = opening[..<end].firstIndex(of: ">") { end = opening.index(after: tag) }
        if let brace = opening[..<end].firstIndex(of: "{"), opening[..<brace].utf8.count >= Self.shortestTrigger {
            end = brace
        }
        if case .text(let text) = first, text.endIndex < opening.endIndex {
            end = min(end, opening.index(opening.startIndex, offsetBy: text.count))
        }
        return ([.text(String(opening[..<end]))], String(opening[end...]))
    }
}

extension AnswerSyntax {
    /// All texts that may spell special tokens.
    fileprivate var markers: [String] {
        var texts = textStarts
        if let thinking { texts += [thinking.start, thinking.end, thinking.closing] }
        for calls in [calls] + otherCalls {
            texts += [calls.sectionStart, calls.callStart, calls.nameEnd, calls.callEnd, calls.separator]
            texts += [calls.sectionEnd, calls.identifier?.start ?? ""]
            switch calls.arguments {
            case .json, .python: break
            case .bare(let quote): texts.append(quote)
            case .parameters(let syntax):
                texts += [syntax.start, syntax.nameEnd, syntax.otherNameEnd ?? "", syntax.valueEnd, syntax.separator]
            }
        }
        return texts
    }
}

extension MarkerPart {
    var isSpace: Bool { if case .text(let text) = self { text.allSatisfy(\.isWhitespace) } else { false } }
}
