/// The elements of a list or tuple. Immutable: the sandbox allows no method that would change one.
///
/// Values share storage; one whose storage ends where it does is appended to in place, as `Text` is.
struct ListValue {
    private let storage: ListStorage
    private let start: Int
    private let end: Int
    /// What `groupby` gives: a tuple whose elements have the names `grouper` and `list`.
    private(set) var isGroup = false
    /// The JSON that it is written as, if it is not for `tojson` to choose.
    private(set) var spelling: Text?

    init(_ elements: [Value]) throws(TemplateError) {
        storage = ListStorage(elements, depth: try ListValue.depth(around: elements))
        start = 0
        end = elements.count
    }

    private init(_ storage: ListStorage, _ start: Int, _ end: Int) {
        self.storage = storage
        self.start = start
        self.end = end
    }

    /// This pair with names for its elements.
    var group: ListValue {
        var group = self
        group.isGroup = true
        return group
    }

    func spelled(_ json: Text) -> ListValue {
        var list = self
        list.spelling = json
        return list
    }

    /// One more than the deepest element.
    static func depth(around elements: some Sequence<Value>) throws(TemplateError) -> Int {
        var depth = 0
        for element in elements { depth = max(depth, element.depth) }
        guard depth < TemplateLimits.valueDepth else { throw .limit("values are nested too deeply") }
        return depth + 1
    }

    var count: Int { end - start }
    var isEmpty: Bool { start == end }
    var depth: Int { storage.depth }

    subscript(_ index: Int) -> Value { storage.elements[start + index] }
    subscript(_ range: Range<Int>) -> ListValue {
        ListValue(storage, start + range.lowerBound, start + range.upperBound)
    }

    /// To be used at once, as `Text.bytes`.
    var elements: ArraySlice<Value> { storage.elements[start..<end] }

    func isIdentical(to other: ListValue) -> Bool {
        storage === other.storage && start == other.start && end == other.end
    }

    func appending(_ other: ListValue, _ budget: Budget) throws(TemplateError) -> ListValue {
        try budget.spend(other.count + 1)
        // Elements less deep than the storage cannot hold it, so no value comes to hold itself.
        if end == storage.elements.count, other.depth <= storage.depth {
            storage.append(Array(other.elements))
            return ListValue(storage, start, storage.elements.count)
        }
        try budget.spend(count)
        return try ListValue(Array(elements) + other.elements)
    }
}

private final class ListStorage {
    private(set) var elements: [Value]
    let depth: Int

    init(_ elements: [Value], depth: Int) {
        self.elements = elements
        self.depth = depth
    }

    func append(_ more: [Value]) { elements += more }
}

/// What `range` makes.
struct RangeValue: Equatable {
    let start: Int
    let step: Int
    let count: Int
    /// As it was written, for printing.
    let stop: Int

    init(start: Int, stop: Int, step: Int) throws(TemplateError) {
        guard step != 0 else { throw .operation("range() arg 3 must not be zero") }
        let (distance, overflow) =
            step > 0 ? stop.subtractingReportingOverflow(start) : start.subtractingReportingOverflow(stop)
        guard !overflow else { throw .limit("a range is too big") }
        self.start = start
        self.stop = stop
        self.step = step
        count = distance > 0 ? (distance - 1) / Int(clamping: step.magnitude) + 1 : 0
        guard count <= TemplateLimits.rangeLength else {
            throw .limit("a range has more than \(TemplateLimits.rangeLength) elements")
        }
    }

    subscript(_ index: Int) -> Int { index == 0 ? start : start + index * step }

    static func == (left: RangeValue, right: RangeValue) -> Bool {
        left.count == right.count
            && (left.count == 0 || (left.start == right.start && (left.count == 1 || left.step == right.step)))
    }
}
