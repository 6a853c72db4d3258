/// What the end of a lexeme within an object or array means.
///
///     0                     a value, or a part of a sequence, is complete
///     1                     the object or array is
///     2                     a value is complete, and what ends it has been read
///     3                     nothing: what would end here must not come
///     4 + layout            an element follows
///     4 + 4 × key + layout  the value of a key follows
///     4 + branch            in a branch, what follows is that of its number
enum Tags {
    static let value: LexemeTag = 0
    static let close: LexemeTag = 1
    static let ended: LexemeTag = 2
    static let forbidden: LexemeTag = 3
    private static let first: LexemeTag = 4

    static func element(_ layout: SchemaOptions.Layout) -> LexemeTag { first + LexemeTag(layout.rawValue) }

    static func key(_ key: Int, _ layout: SchemaOptions.Layout) -> LexemeTag {
        first + 4 * LexemeTag(key) + LexemeTag(layout.rawValue)
    }

    static func branch(_ branch: Int) -> LexemeTag { first + LexemeTag(branch) }

    /// The branch of a tag.
    static func branch(of tag: LexemeTag) -> Int { Int(tag - first) }

    /// The key of a tag, which is 0 for an element, and the layout.
    static func decode(_ tag: LexemeTag) -> (key: Int32, layout: SchemaOptions.Layout) {
        ((tag - first) / 4, SchemaOptions.Layout(rawValue: UInt8((tag - first) % 4)) ?? .free)
    }
}
