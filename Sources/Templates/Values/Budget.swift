/// What one rendering may still spend.
///
/// Every node of the syntax tree costs a step, and so do some tens of bytes copied or searched: whatever a template
/// does, it ends in bounded time and memory.
final class Budget {
    private static let bytesPerStep = 32

    private var steps: Int

    init(steps: Int) { self.steps = steps }

    func spend(_ count: Int = 1) throws(TemplateError) {
        guard count <= steps else {
            throw .limit("the template takes more steps than it may: is there a loop gone wild?")
        }
        steps -= count
    }

    func spend(bytes: Int) throws(TemplateError) { try spend(bytes / Budget.bytesPerStep + 1) }
}
