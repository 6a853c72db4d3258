/// The states of a grammar, built as far as texts lead into it, and the steps between them.
struct Automaton: Sendable {
    /// Ways to read a text at once. A hostile schema cannot have more, so that a step takes a bounded time.
    static let mostConfigurations = 2048

    let rules: GrammarRules
    var pool: RegexPool
    private(set) var frames = FramePool()
    private var punctuation = Punctuation()
    var rows = RowStore()
    /// What follows when a lexeme ends with a tag in a frame.
    private var continuations: [UInt64: [Configuration]] = [:]
    /// The readings of the empty text.
    private(set) var start: [Configuration] = []

    /// The bounds of what texts add.
    private let limits: TableLimits
    /// Expressions that the grammar came with.
    private let grammarNodes: Int

    init(_ grammar: Grammar, _ limits: TableLimits = TableLimits()) {
        rules = grammar.rules
        pool = grammar.pool
        self.limits = limits
        grammarNodes = pool.nodes.count
        pool.makeRoom(nodes: limits.nodes)
        var first: [Configuration] = []
        begin(partAt: 0, of: grammar.root, in: 0, 0, &first)
        start = first.unique
    }

    /// Whether a bound was met, so that some texts of the grammar may be refused.
    var hasOverflowed: Bool { pool.hasOverflowed || frames.count >= limits.frames }

    /// Whether a bound is near, so that what goes on from here should do so in a new automaton.
    var isWornOut: Bool { pool.roomLeft < 0.4 || frames.count > limits.frames * 6 / 10 }

    var approximateBytes: Int {
        pool.approximateBytes + frames.count * 80 + rows.approximateBytes + continuations.count * 80
    }

    // MARK: Steps

    /// The readings after one more byte.
    mutating func step(_ configurations: [Configuration], _ byte: UInt8) -> [Configuration] {
        var result: [Configuration] = []
        for configuration in configurations {
            let step = rows.step(configuration.lexeme, byte, &pool)
            if !step.isDead { enter(step, configuration.frame, &result) }
        }
        return result.count > 1 ? Array(result.unique.prefix(Self.mostConfigurations)) : result
    }

    /// The readings after a token that is no text.
    mutating func step(_ configurations: [Configuration], special token: Int32) -> [Configuration] {
        var result: [Configuration] = []
        for configuration in configurations {
            for edge in pool.specials(of: configuration.lexeme) where edge.token == token {
                enter(LexemeStep(edge.target, pool[edge.target]), configuration.frame, &result)
            }
        }
        return result.unique
    }

    /// Whether the answer may end here.
    func mayEnd(_ configurations: [Configuration]) -> Bool {
        configurations.contains { $0 == .end || pool.mayEnd($0.lexeme) }
    }

    private mutating func enter(_ step: LexemeStep, _ frame: Int32, _ result: inout [Configuration]) {
        if step.isTagged { result += continuation(of: frame, after: pool[step.lexeme].tag) }
        if !step.isFinal { result.append(Configuration(lexeme: step.lexeme, frame: frame)) }
    }

    /// A byte, or a token that is no text.
    enum Symbol: Equatable {
        case byte(UInt8)
        case special(Int32)
    }

    /// The only thing that can follow; nil if there are several, or none.
    mutating func onlySymbol(_ configurations: [Configuration]) -> Symbol? {
        var only: Symbol?
        for configuration in configurations {
            if configuration == .end { return nil }
            for edge in pool.liveEdges(of: configuration.lexeme) {
                guard edge.low == edge.high, only == nil || only == .byte(edge.low) else { return nil }
                only = .byte(edge.low)
            }
            for edge in pool.specials(of: configuration.lexeme) {
                guard only == nil || only == .special(edge.token) else { return nil }
                only = .special(edge.token)
            }
        }
        return only
    }

    // MARK: Frames

    /// The readings when a lexeme has ended with a tag in a frame.
    mutating func continuation(of frame: Int32, after tag: LexemeTag) -> [Configuration] {
        let key = UInt64(UInt32(bitPattern: frame)) << 32 | UInt64(UInt32(bitPattern: tag))
        if let known = continuations[key] { return known }
        var result: [Configuration] = []
        if frames.count < limits.frames { proceed(frame, tag, &result) }
        result = result.unique
        continuations[key] = result
        return result
    }

    private mutating func proceed(_ id: Int32, _ tag: LexemeTag, _ result: inout [Configuration]) {
        let frame = frames[id]
        switch frame.kind {
        case .end: result.append(.end)
        case .sequence: begin(partAt: frame.position, of: frame.rule, in: frame.parent, frame.depth, &result)
        case .branch:
            let branches = rules.branches[Int(frame.rule)]
            let branch = Tags.branch(of: tag)
            guard branches.indices.contains(branch) else { return }
            begin(partAt: 0, of: branches[branch], in: frame.parent, frame.depth, &result)
        case .object where tag == Tags.value || tag == Tags.ended:
            let lexeme = objectLexeme(frame, isFirst: false, isEnded: tag == Tags.ended)
            if lexeme != RegexPool.nothing { enter(LexemeStep(lexeme, pool[lexeme]), id, &result) }
        case .array where tag == Tags.value:
            result.append(Configuration(lexeme: arrayLexeme(frame, isFirst: false), frame: id))
        case .object where tag == Tags.close, .array where tag == Tags.close:
            result += continuation(of: frame.parent, after: Tags.value)
        case .object: enterMember(frame, tag, &result)
        case .array: enterElement(frame, tag, &result)
        }
    }

    /// Readings of another automaton of the same grammar, in this one.
    mutating func adopt(_ configurations: [Configuration], from other: Automaton) -> [Configuration] {
        let names = pool.add(configurations.map(\.lexeme), of: other.pool, sharing: grammarNodes)
        var frameIDs: [Int32: Int32] = [0: 0]
        return configurations.map { old in
            // From the outermost frame that is not known to the innermost.
            var chain: [Int32] = []
            var id = old.frame
            while frameIDs[id] == nil {
                chain.append(id)
                id = other.frames[id].parent
            }
            for id in chain.reversed() {
                var frame = other.frames[id]
                if frame.kind == .object, !rules.objects[Int(frame.rule)].isOrdered {
                    frame.position = frames.id(ofSet: other.frames.sets[Int(frame.position)])
                }
                frame.parent = frameIDs[frame.parent] ?? 0
                frameIDs[id] = frames.id(frame)
            }
            return Configuration(lexeme: names[old.lexeme] ?? old.lexeme, frame: frameIDs[old.frame] ?? 0)
        }
    }

    private func height(in frame: Frame) -> Int32 { rules.depth - frame.depth }

    private mutating func enterMember(_ frame: Frame, _ tag: LexemeTag, _ result: inout [Configuration]) {
        let (key, layout) = Tags.decode(tag)
        let rule = rules.objects[Int(frame.rule)]
        var next = frame
        next.layout = layout
        let isMember = key < rule.members.count
        if rule.isOrdered {
            next.position = isMember ? key + 1 : Int32(rule.members.count)
        } else if isMember {
            next.position = frames.set(frame.position, with: Int(key))
        }
        // Nothing depends on a count beyond both limits.
        if rule.hasCount { next.count = min(frame.count + 1, max(rule.least, rule.most ?? 0)) }
        var value = isMember ? rule.members[Int(key)].value : rule.regions[Int(key) - rule.members.count].value
        if isMember, layout == .lines, let text = rule.members[Int(key)].text {
            // The layout is none of the object's: it tells the strings from other values.
            value = text
            next.layout = frame.layout
        }
        let id = frames.id(next)
        begin(value: value, in: id, layout, frame.depth, &result)
    }

    private mutating func enterElement(_ frame: Frame, _ tag: LexemeTag, _ result: inout [Configuration]) {
        let rule = rules.arrays[Int(frame.rule)]
        guard let value = rule.value(at: frame.position) else { return }
        var next = frame
        next.layout = Tags.decode(tag).layout
        let last = max(Int32(rule.prefix.count), max(rule.least, rule.most ?? 0))
        next.position = min(frame.position + 1, last)
        let id = frames.id(next)
        begin(value: value, in: id, next.layout, frame.depth, &result)
    }

    private mutating func objectLexeme(_ frame: Frame, isFirst: Bool, isEnded: Bool = false) -> RegexID {
        let used = rules.objects[Int(frame.rule)].isOrdered ? [] : frames.sets[Int(frame.position)]
        return punctuation.object(
            rules,
            frame,
            used,
            isFirst: isFirst,
            isEnded: isEnded,
            height: height(in: frame),
            &pool
        )
    }

    private mutating func arrayLexeme(_ frame: Frame, isFirst: Bool) -> RegexID {
        let rule = rules.arrays[Int(frame.rule)]
        let value = rule.value(at: frame.position)
        let isReachable = value.map { rules.values[Int($0)].height <= height(in: frame) } ?? false
        return punctuation.array(
            frame,
            isFirst: isFirst,
            canGoOn: isReachable && rule.most.map { frame.position < $0 } ?? true,
            canClose: frame.position >= rule.least,
            &pool
        )
    }

    /// The readings at the beginning of a value. `depth` is that of the frame around.
    private mutating func begin(
        value: Int32,
        in parent: Int32,
        _ layout: SchemaOptions.Layout,
        _ depth: Int32,
        _ result: inout [Configuration]
    ) {
        let rule = rules.values[Int(value)]
        if rule.scalar != RegexPool.nothing { result.append(Configuration(lexeme: rule.scalar, frame: parent)) }
        for object in rule.objects where rules.objects[Int(object)].height + depth <= rules.depth {
            let frame = Frame(kind: .object, layout: layout, depth: depth + 1, rule: object, parent: parent)
            let lexeme = objectLexeme(frame, isFirst: true)
            if lexeme != RegexPool.nothing { enter(LexemeStep(lexeme, pool[lexeme]), frames.id(frame), &result) }
        }
        for array in rule.arrays where rules.arrays[Int(array)].height + depth <= rules.depth {
            let frame = Frame(kind: .array, layout: layout, depth: depth + 1, rule: array, parent: parent)
            result.append(Configuration(lexeme: arrayLexeme(frame, isFirst: true), frame: frames.id(frame)))
        }
    }

    /// The last part of a sequence stands in the frame around, so that repetitions do not pile up.
    private mutating func begin(
        partAt position: Int32,
        of sequence: Int32,
        in parent: Int32,
        _ depth: Int32,
        _ result: inout [Configuration]
    ) {
        let parts = rules.sequences[Int(sequence)].parts
        guard position < parts.count else {
            result += continuation(of: parent, after: Tags.value)
            return
        }
        var frame = parent
        if Int(position) + 1 < parts.count {
            frame = frames.id(
                Frame(kind: .sequence, depth: depth, rule: sequence, position: position + 1, parent: parent)
            )
        }
        switch parts[Int(position)] {
        case .lexeme(let lexeme): enter(LexemeStep(lexeme, pool[lexeme]), frame, &result)
        case .value(let value, let layout): begin(value: value, in: frame, layout, depth, &result)
        case .branch(let lexeme, let branches):
            let branch = Frame(kind: .branch, depth: depth, rule: branches, parent: frame)
            result.append(Configuration(lexeme: lexeme, frame: frames.id(branch)))
        case .choice(let choices):
            for choice in choices { begin(partAt: 0, of: choice, in: frame, depth, &result) }
        }
    }
}
