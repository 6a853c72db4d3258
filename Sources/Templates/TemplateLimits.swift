/// What a template may cost. A rendering that asks for more ends with an error.
///
/// Work is allowed in proportion to what is rendered: a long conversation needs many steps, a short one that takes as
/// many loops without end.
package struct TemplateLimits: Sendable {
    /// Steps for each rendering, whatever it renders. A step is one node of the syntax tree, or some bytes moved.
    package var steps = 10_000_000
    /// Further steps for each value of the context.
    package var stepsPerValue = 500
    /// Further steps for each byte of the context's texts.
    package var stepsPerByte = 2
    /// Bytes of output for each rendering, and further ones for each byte of the context.
    package var outputBytes = 4 << 20
    package var outputBytesPerByte = 16
    /// Expressions, statements and macro calls under way inside each other. Bounds the use of the stack.
    package var depth = 200

    package init() {}

    /// How long a template may be, in bytes.
    static let sourceBytes = 2 << 20
    /// How deeply a template's syntax may be nested.
    static let syntaxDepth = 64
    /// How deeply lists and mappings may be nested in each other.
    static let valueDepth = 300
    /// The longest `range`, as in Jinja's sandbox.
    static let rangeLength = 100_000
}

/// The steps that one rendering may still take.
///
/// Every node of the syntax tree costs a step, and so do some tens of bytes copied or searched: whatever a template
/// does, it ends in bounded time and memory.
final class Budget {
    private static let bytesPerStep = 32

    private var steps: Int

    init(steps: Int) { self.steps = steps }

    func spend(_ count: Int = 1) throws(TemplateError) {
        guard count <= steps else {
            throw .limit("the template takes too many steps: does it loop without end?")
        }
        steps -= count
    }

    func spend(bytes: Int) throws(TemplateError) { try spend(bytes / Budget.bytesPerStep + 1) }
}
