import EngineContract
import Scheduling

/// What the tests' engines answer: the next token is a hash of everything before it, so that a mistake in block tables,
/// sharing, preemption or cancellation shows as a wrong token.
struct Script: Sendable {
    var vocabulary = 1000
    /// How many tokens it looks at; nil: all.
    var window: Int?

    /// The token after a prefix.
    func next(_ prefix: [Token]) -> Token { token(of: prefix.reduce(Self.start, Self.add)) }

    /// The `count` tokens that follow a prompt under a constraint; fewer where that allows nothing more. In place of a token
    /// that is not allowed stands the lowest that is.
    func answer(to prompt: [Token], count: Int, constraint: (any TokenConstraint)?) -> [Token] {
        guard var constraint else { return answer(to: prompt, count: count) }
        var tokens = prompt
        var mask = TokenMask(tokenCount: vocabulary)
        while tokens.count < prompt.count + count {
            constraint.allow(into: &mask)
            let scripted = next(window.map { Array(tokens.suffix($0)) } ?? tokens)
            guard let token = mask.contains(scripted) ? scripted : mask.first, constraint.accept(token) else { break }
            tokens.append(token)
        }
        return Array(tokens.dropFirst(prompt.count))
    }

    /// The `count` tokens that follow a prompt.
    func answer(to prompt: [Token], count: Int) -> [Token] {
        if let window {
            var tokens = prompt
            for _ in 0..<count { tokens.append(next(Array(tokens.suffix(window)))) }
            return Array(tokens.dropFirst(prompt.count))
        }
        var hash = prompt.reduce(Self.start, Self.add)
        return (0..<count).map { _ in
            let next = token(of: hash)
            hash = Self.add(hash, next)
            return next
        }
    }

    private static let start: UInt64 = 0xcbf2_9ce4_8422_2325

    private static func add(_ hash: UInt64, _ token: Token) -> UInt64 {
        (hash ^ UInt64(UInt32(bitPattern: token))) &* 0x100_0000_01b3
    }

    private func token(of hash: UInt64) -> Token { Token((hash >> 20) % UInt64(vocabulary)) }
}

extension EngineDescription {
    /// What an engine without a model says of itself.
    static func make(
        blocks: Int,
        blockSize: Int = 16,
        context: Int = 4096,
        vocabulary: Int = 1000,
        window: Int? = nil,
        stateSlots: Int? = nil
    ) -> Self {
        var description = EngineDescription(
            modelID: "scripted",
            displayName: "scripted",
            architecture: "none",
            parameterCount: 0,
            quantization: "none",
            contextLength: context,
            vocabularySize: vocabulary,
            blockSize: blockSize,
            blockCount: blocks,
            kvBytesPerToken: 1,
            weightBytes: 0,
            threads: 1,
            kernelVariant: "none",
            isMock: true,
            window: window
        )
        description.stateMemory = stateSlots.map { StateMemoryDescription(slotCount: $0, slotBytes: 1 << 20) }
        return description
    }
}
