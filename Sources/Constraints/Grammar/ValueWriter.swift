import JSON

/// Writes values as a syntax has them: the scalars, the keys, and what stands around.
struct ValueWriter: Sendable {
    private let syntax: ValueSyntax
    /// How an object with names that are not quoted is punctuated.
    private var objectWriting: Int32?
    /// What ends a string that is as it is, as an expression.
    private var textEnd = RegexPool.nothing
    /// The symbols of that end up to its last white space, and those of all that would be read as it.
    private var endSymbols: [Int32] = []
    private var forbidden: [[Int32]] = []
    /// The white space behind it.
    private var space = RegexPool.empty

    init(_ syntax: ValueSyntax, _ rules: inout GrammarRules, _ pool: inout RegexPool) {
        self.syntax = syntax
        let byte = { (pool: inout RegexPool, character: Unicode.Scalar) in pool.byte(UInt8(ascii: character)) }
        let comma = byte(&pool, ",")
        var writing: ObjectWriting
        switch syntax {
        case .json: return
        case .python:
            writing = ObjectWriting(
                open: RegexPool.empty,
                close: RegexPool.empty,
                keyStart: RegexPool.empty,
                keyEnd: byte(&pool, "="),
                valueEnd: RegexPool.empty,
                separator: pool.pair(comma, byte(&pool, " "))
            )
        case .bare(let quote):
            writing = ObjectWriting(
                open: byte(&pool, "{"),
                close: byte(&pool, "}"),
                keyStart: RegexPool.empty,
                keyEnd: byte(&pool, ":"),
                valueEnd: RegexPool.empty,
                separator: comma
            )
            textEnd = pool.marker(quote)
            endSymbols = quote.flatMap(MarkerFinder.symbols)
        case .parameters(let markers):
            writing = ObjectWriting(
                open: RegexPool.empty,
                close: RegexPool.empty,
                keyStart: pool.marker(markers.start),
                keyEnd: pool.marker(markers.nameEnd),
                otherKeyEnd: markers.otherNameEnd.map { pool.marker($0) },
                valueEnd: pool.marker(markers.valueEnd),
                separator: pool.marker(markers.separator)
            )
            setEnd(markers, &pool)
        }
        let index = rules.writings.firstIndex(of: writing) ?? rules.writings.count
        if index == rules.writings.count { rules.writings.append(writing) }
        objectWriting = Int32(index)
    }

    private mutating func setEnd(_ markers: ParameterMarkers, _ pool: inout RegexPool) {
        textEnd = pool.marker(markers.valueEnd)
        endSymbols = markers.valueEnd.flatMap(MarkerFinder.symbols)
        var behind: [UInt8] = []
        while endSymbols.count > 1, let last = endSymbols.last, MarkerFinder.isSpace(last) {
            behind.insert(UInt8(clamping: last), at: 0)
            endSymbols.removeLast()
        }
        space = pool.literal(behind)
        let spelled = markers.spelledValueEnd.utf8.map { Int32($0) }
        forbidden = [endSymbols, spelled].map { $0.filter { !MarkerFinder.isSpace($0) } }.unique
    }

    // MARK: Styles

    var rootStyle: ValueStyle {
        switch syntax {
        case .json: .json
        case .python, .parameters: .arguments
        case .bare: .bare
        }
    }

    var hasParameters: Bool { if case .parameters = syntax { true } else { false } }

    /// The style of what stands in a value.
    func nested(_ style: ValueStyle) -> ValueStyle {
        guard style == .arguments else { return style.isParameter ? .json : style }
        guard case .parameters(let markers) = syntax else { return .python }
        return markers.otherNameEnd == nil ? .parameter : .other
    }

    /// How objects of a style are punctuated; nil for JSON's way.
    func writing(_ style: ValueStyle) -> Int32? { style == .arguments || style == .bare ? objectWriting : nil }

    // MARK: Keys

    /// A member's name as it is written; nil if it would not be read again.
    func key(_ name: [UInt8], _ style: ValueStyle) -> [UInt8]? {
        guard writing(style) != nil else { return RegexPool.jsonString(name) }
        let breaking = Set(" \t\r\n,:={}[]()<>\"'".utf8)
        return name.isEmpty || name.contains(where: breaking.contains) ? nil : name
    }

    /// Names that are not among some.
    func otherKeys(_ names: [[UInt8]], _ pool: inout RegexPool) -> RegexID {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
        // Where an object has a writing of its own, but is no call's arguments, names have signs too.
        let signs = if case .bare = syntax { "-./@#$%&*+!?;^|~`" } else { "" }
        let first = pool.bytes(ByteSet((letters + signs).utf8))
        let others = pool.bytes(ByteSet((letters + "0123456789" + signs).utf8))
        let all = pool.pair(first, pool.repetition(others, 0, 63))
        let named = pool.union(names.map { pool.literal($0) })
        return pool.intersection(all, pool.complement(named))
    }

    // MARK: Scalars

    /// - Parameter kinds: what a reader takes a parameter's value for; nil: for whatever JSON it looks like.
    func scalars(
        _ shape: Shape,
        _ style: ValueStyle,
        kinds: Set<SchemaKinds.Kind>?,
        _ pool: inout RegexPool
    ) -> [RegexID] {
        guard style != .arguments else { return [] }
        var parts: [RegexID] = []
        let words = style == .python ? ["None", "True", "False"] : ["null", "true", "false"]
        for (word, text) in zip([Shape.Words.null, .true, .false], words)
        where style != .text && shape.words.contains(word) {
            parts.append(pool.literal(Array(text.utf8)))
        }
        if style != .text, let number = shape.number { parts.append(pool.number(number)) }
        guard let string = shape.string, style != .other else { return parts }
        switch style {
        case .json, .python: parts.append(pool.strings(string))
        case .bare:
            let text = text(string, kinds: [.string], &pool)
            parts.append(pool.pair(textEnd, text))
        case .parameter, .text:
            let end = pool.pair(space, pool.accept(Tags.ended))
            parts.append(pool.pair(text(string, kinds: kinds ?? Set(SchemaKinds.Kind.allCases), &pool), end))
        case .arguments, .other: break
        }
        return parts
    }

    /// A string as it is, and what ends it but for the white space behind.
    private func text(_ shape: StringShape, kinds: Set<SchemaKinds.Kind>, _ pool: inout RegexPool) -> RegexID {
        var markers = [MarkerFinder.Marker(symbols: endSymbols, tag: Tags.value)]
        for symbols in forbidden { markers.append(.init(symbols: symbols, place: .nowhere, tag: Tags.value)) }
        var parts = [pool.text(MarkerFinder(markers, mayEnd: false))]
        let end = pool.symbols(endSymbols)
        if shape.values != nil || shape.expression != nil || shape.least > 0 || shape.most != nil {
            let strings = pool.plainStrings(shape)
            parts.append(pool.pair(pool.content(of: strings), end))
        }
        // What can only be a string is read as it is.
        if kinds != [.string] { parts += Self.notLikeJSON(of: kinds, end, &pool) }
        return pool.intersection(parts)
    }

    /// Texts that are not read as JSON of some kinds, and their end. What begins like an array, an object or a string counts
    /// as one.
    private static func notLikeJSON(
        of kinds: Set<SchemaKinds.Kind>,
        _ end: RegexID,
        _ pool: inout RegexPool
    ) -> [RegexID] {
        let space = pool.star(pool.bytes(ByteSet(" \t\r\n".utf8)))
        let beginnings: [(SchemaKinds.Kind, String)] = [(.object, "{"), (.array, "["), (.string, "\"")]
        let first = pool.bytes(ByteSet(beginnings.filter { kinds.contains($0.0) }.flatMap(\.1.utf8)))
        let value = pool.sequence(space, first, RegexPool.everything)
        let words: [(SchemaKinds.Kind, [String])] = [
            (.null, ["null", "None"]), (.bool, ["true", "false", "True", "False"]),
        ]
        var scalars = words.filter { kinds.contains($0.0) }.flatMap(\.1).map { pool.literal(Array($0.utf8)) }
        if kinds.contains(.number) { scalars.append(Self.anyNumber(&pool)) }
        let scalar = pool.sequence(space, pool.union(scalars), space, end)
        return [pool.complement(value), pool.complement(scalar)]
    }

    /// Numbers of JSON of any length.
    private static func anyNumber(_ pool: inout RegexPool) -> RegexID {
        let digit = pool.bytes(ByteSet(UInt8(ascii: "0")...UInt8(ascii: "9")))
        let digits = pool.pair(digit, pool.star(digit))
        let minus = pool.optional(pool.byte(UInt8(ascii: "-")))
        let fraction = pool.optional(pool.pair(pool.byte(UInt8(ascii: ".")), digits))
        let sign = pool.optional(pool.bytes(ByteSet("+-".utf8)))
        let exponent = pool.optional(pool.sequence(pool.bytes(ByteSet("eE".utf8)), sign, digits))
        return pool.sequence(minus, digits, fraction, exponent)
    }
}

extension RegexPool {
    mutating func marker(_ parts: [MarkerPart]) -> RegexID { symbols(parts.flatMap(MarkerFinder.symbols)) }

    /// Bytes and tokens that are no text, one after the other.
    mutating func symbols(_ symbols: [Int32]) -> RegexID {
        sequence(symbols.map { $0 < 256 ? byte(UInt8(clamping: $0)) : special($0 - 256) })
    }
}
