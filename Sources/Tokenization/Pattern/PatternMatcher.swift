/// Matches a pattern against one text as a backtracking engine does, but never does the same work twice.
///
/// Once a text has taken more steps than ordinary ones do, failures are memoized: then each pair of an instruction and a
/// position is computed once, whatever the pattern, so the time is linear in the text.
struct PatternMatcher {
    /// A choice to come back to.
    private struct Frame {
        enum Kind { case branch, greedy, lazy, failure }
        var kind: Kind
        var instruction: Int32
        /// Where to go on; for a run, the end that was tried last.
        var position: Int
        /// For a run, the end to be tried last.
        var bound = 0
    }

    private let program: PatternProgram
    private let text: [UInt8]
    /// What the pattern sees as the whole text.
    private var start = 0
    private var end = 0
    private var frames: [Frame] = []
    private var memory = PatternMemo(start: 0, end: 0)
    /// The steps left before failures are memoized.
    private var patience = 0
    private var remembers: Bool { patience < 0 }

    init(_ program: PatternProgram, _ text: [UInt8]) {
        self.program = program
        self.text = text
    }

    /// Appends the matches in a range of the text, from left to right. They do not overlap, and an empty one does not
    /// follow another match at once. The pattern sees nothing outside of the range.
    mutating func appendMatches(in range: Range<Int>, to matches: inout [Range<Int>]) {
        guard !range.isEmpty else { return }
        memory = PatternMemo(start: range.lowerBound, end: range.upperBound)
        start = range.lowerBound
        end = range.upperBound
        patience = 1000 + 50 * range.count
        var last: Int?
        var position = start
        while let match = firstMatch(from: position) {
            if match.isEmpty, match.lowerBound == last {
                guard match.lowerBound < end else { break }
                position = next(match.lowerBound)
            } else {
                matches.append(match)
                position = match.upperBound
                last = position
            }
        }
    }

    /// The first match that begins at `position` or later.
    private mutating func firstMatch(from position: Int) -> Range<Int>? {
        let first = program.firstBytes[0]
        var position = position
        while true {
            while position < end, !first.contains(text[position]) { position += 1 }
            guard position < end || first.hasEnd else { return nil }
            if let matchEnd = run(0, at: position) { return position..<matchEnd }
            guard position < end else { return nil }
            position = next(position)
        }
    }

    private func next(_ position: Int) -> Int {
        guard position < end else { return end }
        let lead = text[position]
        return min(end, position + (lead < 0xC0 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2))
    }

    private func previous(_ position: Int) -> Int {
        var position = position - 1
        while position > start, text[position] & 0xC0 == 0x80 { position -= 1 }
        return position
    }

    /// Runs the program from one instruction to the next `accept`.
    /// - Returns: the end of what matched.
    private mutating func run(_ instruction: Int, at position: Int) -> Int? {
        let base = frames.count
        var instruction = instruction
        var position = position
        while true {
            patience -= 1
            switch step(&instruction, &position) {
            case .onward: continue
            case .accepted:
                if remembers { noteMatch(from: base, endingAt: position) }
                frames.removeLast(frames.count - base)
                return position
            case .failed:
                guard backtrack(to: base, &instruction, &position) else { return nil }
            }
        }
    }

    /// Notes the end of a match for the forks that led to it.
    private mutating func noteMatch(from base: Int, endingAt end: Int) {
        for frame in frames[base...] where frame.kind == .failure && program.innerEnds[Int(frame.instruction)] >= 0 {
            memory.note(Int(frame.instruction), at: frame.position, matchEnd: end)
        }
    }

    private enum Outcome { case onward, accepted, failed }

    private mutating func step(_ instruction: inout Int, _ position: inout Int) -> Outcome {
        switch program.instructions[instruction] {
        case .character(let character):
            guard position < end, case let (scalar, next) = text.scalar(at: position), scalar == character else {
                return .failed
            }
            position = next
            instruction += 1
        case .scalar(let set):
            guard position < end, let next = text.end(of: program.sets[set], at: position, before: end) else {
                return .failed
            }
            position = next
            instruction += 1
        case .run(let set, let repetition):
            guard let next = enterRun(instruction, set, repetition, at: position) else { return .failed }
            position = next
            instruction += 1
        case .fork(let first, let second):
            guard let next = enterFork(instruction, first, second, at: &position) else { return .failed }
            instruction = next
        case .jump(let next): instruction = next
        case .look(let back, let isNegated, let next):
            guard looks(instruction + 1, back, at: position) != isNegated else { return .failed }
            instruction = next
        case .atomic(let next):
            guard let inner = run(instruction + 1, at: position) else { return .failed }
            position = inner
            instruction = next
        case .anchor(let anchor):
            guard holds(anchor, at: position) else { return .failed }
            instruction += 1
        case .accept: return .accepted
        }
        return .onward
    }

    /// Chooses a way, and keeps the other if it could lead anywhere.
    private mutating func enterFork(
        _ instruction: Int,
        _ first: Int,
        _ second: Int,
        at position: inout Int
    ) -> Int? {
        let (one, other) = (program.firstBytes[first], program.firstBytes[second])
        let byte = position < end ? text[position] : 0
        let mayFirst = position < end ? one.contains(byte) : one.hasEnd
        let maySecond = position < end ? other.contains(byte) : other.hasEnd
        guard mayFirst || maySecond else { return nil }
        if remembers {
            if memory.failures.contains(instruction, position) { return nil }
            if let matchEnd = memory.matchEnd(instruction, at: position) {
                position = matchEnd
                return program.innerEnds[instruction]
            }
            frames.append(
                Frame(kind: .failure, instruction: Int32(truncatingIfNeeded: instruction), position: position)
            )
        }
        guard mayFirst, maySecond else { return mayFirst ? first : second }
        frames.append(Frame(kind: .branch, instruction: Int32(truncatingIfNeeded: second), position: position))
        return first
    }

    /// Takes as much as the run likes best, and remembers what else it could take.
    private mutating func enterRun(
        _ instruction: Int,
        _ set: Int,
        _ repetition: PatternNode.Repetition,
        at position: Int
    ) -> Int? {
        var low = position
        for _ in 0..<repetition.least {
            guard low < end, let next = text.end(of: program.sets[set], at: low, before: end) else { return nil }
            low = next
        }
        var high = low
        if repetition.most == .max {
            high = runEnd(instruction, set, from: low)
        } else {
            for _ in repetition.least..<repetition.most {
                guard high < end, let next = text.end(of: program.sets[set], at: high, before: end) else { break }
                high = next
            }
        }
        patience -= high - position
        if repetition.mode == .possessive { low = high }
        guard low < high || remembers else { return high }
        let isLazy = repetition.mode == .lazy
        var frame = Frame(
            kind: isLazy ? .lazy : .greedy,
            instruction: Int32(truncatingIfNeeded: instruction),
            position: isLazy ? low : high,
            bound: isLazy ? high : low
        )
        if remembers {
            frame.position = memory.firstUntried(instruction, from: frame.position)
            guard (low...high).contains(frame.position) else { return nil }
        }
        frames.append(frame)
        return frame.position
    }

    /// The end of a run without limit.
    private mutating func runEnd(_ instruction: Int, _ set: Int, from low: Int) -> Int {
        guard remembers else { return text.end(ofRun: program.sets[set], at: low, before: end) }
        var high = low
        while memory.runEnd(instruction, at: high) == nil, high < end,
            let next = text.end(of: program.sets[set], at: high, before: end)
        {
            high = next
        }
        let runEnd = memory.runEnd(instruction, at: high) ?? high
        var place = low
        while place < high {
            memory.note(instruction, endsAt: runEnd, from: place)
            place = next(place)
        }
        memory.note(instruction, endsAt: runEnd, from: high)
        return runEnd
    }

    /// Goes back to the last choice.
    /// - Returns: false if there is none left above `base`.
    private mutating func backtrack(to base: Int, _ instruction: inout Int, _ position: inout Int) -> Bool {
        while frames.count > base {
            let top = frames.count - 1
            let frame = frames[top]
            instruction = Int(frame.instruction)
            position = frame.position
            switch frame.kind {
            case .branch:
                frames.removeLast()
                return true
            case .failure:
                frames.removeLast()
                memory.failures.insert(instruction, position)
            case .greedy, .lazy:
                guard let other = nextEnd(of: frame) else {
                    frames.removeLast()
                    continue
                }
                position = other
                frames[top].position = other
                instruction += 1
                return true
            }
        }
        return false
    }

    /// The end that a run tries next, nil if there is none.
    private mutating func nextEnd(of frame: Frame) -> Int? {
        let (isLazy, position) = (frame.kind == .lazy, frame.position)
        guard remembers else {
            return position == frame.bound ? nil : isLazy ? next(position) : previous(position)
        }
        let beyond =
            isLazy ? (position < end ? next(position) : end + 1) : (position > start ? previous(position) : start - 1)
        memory.insert(Int(frame.instruction), failedAt: position, next: beyond)
        let other = memory.firstUntried(Int(frame.instruction), from: beyond)
        return (isLazy ? other <= frame.bound : other >= frame.bound) ? other : nil
    }

    private mutating func looks(_ instruction: Int, _ back: Int, at position: Int) -> Bool {
        var from = position
        for _ in 0..<back {
            guard from > start else { return false }
            from = previous(from)
        }
        return run(instruction, at: from) != nil
    }

    private func holds(_ anchor: PatternNode.Anchor, at position: Int) -> Bool {
        switch anchor {
        case .textStart: position == start
        case .textEnd: position == end
        case .lineStart: position == start || (position < end && text[position - 1] == 10)
        case .lineEnd: position == end || text[position] == 10
        case .lastLineEnd: position == end || (position == end - 1 && text[position] == 10)
        case .wordBoundary: isWord(before: position) != isWord(at: position)
        case .noWordBoundary: isWord(before: position) == isWord(at: position)
        }
    }

    private func isWord(before position: Int) -> Bool { position > start && isWord(at: previous(position)) }

    private func isWord(at position: Int) -> Bool {
        position < end && text.end(of: Self.wordCharacters, at: position, before: end) != nil
    }

    private static let wordCharacters = ScalarSet(WordCharacters.alone)
}
