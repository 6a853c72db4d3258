import Constraints
import EngineContract
import JSON

/// A model that draws any token that is allowed, and comes to an end after a while.
struct RandomModel {
    /// Tokens after which it looks for the way out, and after which it is cut off.
    private static let (patience, most) = (60, 1500)

    private var random: SplitMix
    /// Tokens that lead out, in this order.
    private let closers: [Token]

    /// Answers of several models to one schema, as `{"id", "answers", "unfinished"}` or `{"id", "compile_error"}`.
    static func answers(_ item: JSONNode, _ count: Int, _ vocabulary: Vocabulary) -> JSONValue {
        let id = JSONValue.Member(name: "id", value: .string((try? item["id"].string()) ?? ""))
        let constraint: GrammarConstraint
        do throws(SchemaError) {
            constraint = GrammarConstraint(try Grammar(schema: item["schema"]), vocabulary)
        } catch {
            return .object([id, .init(name: "compile_error", value: .string("\(error)"))])
        }
        let closers = "\"}]e0\n".utf8.compactMap { byte in
            (0..<Token(vocabulary.tokenCount)).first { vocabulary.text($0).elementsEqual([byte]) }
        }
        var answers: [JSONValue] = []
        var unfinished: [JSONValue] = []
        var steps = 0
        var forced = 0
        for index in 0..<count {
            var model = RandomModel(random: SplitMix(state: UInt64(index)), closers: closers)
            let (text, isFinished) = model.answer(constraint, vocabulary, &steps, &forced)
            if isFinished { answers.append(.string(text)) } else { unfinished.append(.string(text)) }
        }
        return .object([
            id, .init(name: "answers", value: .array(answers)), .init(name: "unfinished", value: .array(unfinished)),
            .init(name: "tokens", value: .integer(steps)), .init(name: "forced", value: .integer(forced)),
        ])
    }

    private mutating func answer(
        _ constraint: GrammarConstraint,
        _ vocabulary: Vocabulary,
        _ steps: inout Int,
        _ forced: inout Int
    ) -> (String, isFinished: Bool) {
        var session = constraint
        var mask = TokenMask(tokenCount: vocabulary.tokenCount)
        var text: [UInt8] = []
        for step in 0..<Self.most {
            session.allow(into: &mask)
            let token: Token
            let isLeaving = step > Self.patience
            let drawn = draw(mask, vocabulary, isLeaving: isLeaving)
            if let stop = vocabulary.stopTokens.first, session.isComplete,
                drawn == nil || isLeaving || random.next() % 2 == 0
            {
                token = stop
            } else if let drawn {
                token = drawn
            } else {
                return (String(decoding: text, as: UTF8.self) + " (stuck)", false)
            }
            if mask.count == 1 { forced += 1 }
            steps += 1
            guard session.accept(token) else { return ("(not accepted)", false) }
            if vocabulary.stopTokens.contains(token) { return (String(decoding: text, as: UTF8.self), true) }
            text += vocabulary.text(token)
        }
        return (String(decoding: text, as: UTF8.self), false)
    }

    /// An allowed token that ends no answer.
    private mutating func draw(_ mask: TokenMask, _ vocabulary: Vocabulary, isLeaving: Bool) -> Token? {
        if isLeaving, random.next() % 8 != 0, let closer = closers.first(where: mask.contains) { return closer }
        let stops = vocabulary.stopTokens.count(where: mask.contains)
        let count = mask.count - stops
        guard count > 0 else { return nil }
        var rest = Int(random.next() % UInt64(count))
        for (index, word) in mask.words.enumerated() {
            if rest >= word.nonzeroBitCount {
                rest -= word.nonzeroBitCount
                continue
            }
            for bit in 0..<64 where word >> UInt64(bit) & 1 != 0 {
                let token = Token(index * 64 + bit)
                if rest == 0, !vocabulary.stopTokens.contains(token) { return token }
                rest = max(0, rest - 1)
            }
        }
        return mask.tokens.first { !vocabulary.stopTokens.contains($0) }
    }
}

/// A small generator of numbers, the same everywhere.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
