/// What the end of a lexeme within an object or array means.
///
///     0                     a value, or a part of a sequence, is complete
///     1                     the object or array is
///     2 + layout            an element follows
///     2 + 4 × key + layout  the value of a key follows
enum Tags {
    static let value: LexemeTag = 0
    static let close: LexemeTag = 1

    static func element(_ layout: SchemaOptions.Layout) -> LexemeTag { 2 + LexemeTag(layout.rawValue) }

    static func key(_ key: Int, _ layout: SchemaOptions.Layout) -> LexemeTag {
        2 + 4 * LexemeTag(key) + LexemeTag(layout.rawValue)
    }

    /// The key of a tag, which is 0 for an element, and the layout.
    static func decode(_ tag: LexemeTag) -> (key: Int32, layout: SchemaOptions.Layout) {
        ((tag - 2) / 4, SchemaOptions.Layout(rawValue: UInt8((tag - 2) % 4)) ?? .free)
    }
}
