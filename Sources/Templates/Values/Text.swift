/// A string of a template: UTF-8, and for every byte its origin.
///
/// A byte keeps its origin through slices, replacements, changes of case and everything else, so that the output still
/// tells what a user wrote from what the template wrote.
///
/// Values share storage. A text whose storage ends where the text does is appended to in place, for storage only ever
/// grows: a template that collects its output in a variable takes linear time.
struct Text {
    fileprivate let storage: TextStorage
    let start: Int
    let end: Int
    /// Marked `safe`: HTML that is not escaped again.
    var isMarkup = false

    init(_ bytes: [UInt8], _ origin: TextOrigin) {
        storage = TextStorage(bytes, origin)
        start = 0
        end = bytes.count
    }

    init(_ text: String, _ origin: TextOrigin = .template) { self.init(Array(text.utf8), origin) }

    fileprivate init(storage: TextStorage, _ range: Range<Int>, isMarkup: Bool = false) {
        self.storage = storage
        start = range.lowerBound
        end = range.upperBound
        self.isMarkup = isMarkup
    }

    static var empty: Text { Text([], .template) }

    /// In bytes.
    var count: Int { end - start }
    var isEmpty: Bool { start == end }
    /// May be false for a text that is ASCII, if other parts of its storage are not.
    var isKnownASCII: Bool { storage.isASCII }

    /// The byte at an offset from the beginning.
    subscript(_ offset: Int) -> UInt8 { storage.bytes[start + offset] }

    /// The part between two offsets.
    subscript(_ range: Range<Int>) -> Text {
        Text(storage: storage, start + range.lowerBound..<start + range.upperBound, isMarkup: isMarkup)
    }

    /// Those of the whole storage, this text's from `start` to `end`. To be used at once, as `bytes`.
    var allBytes: [UInt8] { storage.bytes }

    /// To be used at once: held, it would make the storage copy itself when it grows.
    var bytes: ArraySlice<UInt8> { storage.bytes[start..<end] }

    var string: String { String(decoding: bytes, as: UTF8.self) }

    func isIdentical(to other: Text) -> Bool {
        storage === other.storage && start == other.start && end == other.end
    }

    /// The maximal ranges of one origin, as byte offsets.
    var runs: [(range: Range<Int>, origin: TextOrigin)] {
        storage.runs(in: start..<end).map {
            ($0.range.lowerBound - start..<$0.range.upperBound - start, $0.origin)
        }
    }

    /// The origin of the byte at an offset.
    func origin(at offset: Int) -> TextOrigin { storage.origin(at: start + offset) }

    var plain: Text { Text(storage: storage, start..<end) }
    var markup: Text { Text(storage: storage, start..<end, isMarkup: true) }

    func appending(_ other: Text, _ budget: Budget) throws(TemplateError) -> Text {
        if isEmpty { return other }
        if other.isEmpty { return self }
        try budget.spend(bytes: other.count)
        if end == storage.bytes.count {
            storage.append(other)
            return Text(storage: storage, start..<storage.bytes.count)
        }
        try budget.spend(bytes: count)
        let joined = TextStorage([], .template)
        joined.append(self)
        joined.append(other)
        return Text(storage: joined, 0..<joined.bytes.count)
    }
}

extension Text: Hashable {
    static func == (left: Text, right: Text) -> Bool {
        left.count == right.count && (left.isIdentical(to: right) || left.bytes.elementsEqual(right.bytes))
    }

    /// By code points, which for UTF-8 is by bytes.
    static func < (left: Text, right: Text) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }

    func hash(into hasher: inout Hasher) {
        for byte in bytes { hasher.combine(byte) }
    }
}

/// Puts a text together, and pays for it.
struct TextBuilder {
    private let storage = TextStorage([], .template)
    private let budget: Budget

    init(_ budget: Budget) { self.budget = budget }

    var count: Int { storage.bytes.count }

    mutating func append(_ text: Text) throws(TemplateError) {
        try budget.spend(bytes: text.count)
        storage.append(text)
    }

    mutating func append(_ text: String, _ origin: TextOrigin) throws(TemplateError) {
        try budget.spend(bytes: text.utf8.count)
        storage.append(text.utf8, origin)
    }

    mutating func append(_ byte: UInt8, _ origin: TextOrigin) throws(TemplateError) {
        try budget.spend()
        storage.append(CollectionOfOne(byte), origin)
    }

    mutating func append(_ text: Text, times: Int) throws(TemplateError) {
        guard times > 0, !text.isEmpty else { return }
        let (size, overflow) = text.count.multipliedReportingOverflow(by: times)
        guard !overflow else { throw .limit("a text is too long") }
        try budget.spend(bytes: size)
        for _ in 0..<times { storage.append(text) }
    }

    /// What was put together. The builder is of no use after it.
    func finish() -> Text { Text(storage: storage, 0..<storage.bytes.count) }
}

/// Bytes and their origins. Only grows.
private final class TextStorage {
    private struct Run {
        var end: Int
        let origin: TextOrigin
    }

    private(set) var bytes: [UInt8]
    /// Neighbours differ in origin; the last ends where the bytes do.
    private var runs: [Run]
    private(set) var isASCII: Bool

    init(_ bytes: [UInt8], _ origin: TextOrigin) {
        self.bytes = bytes
        runs = bytes.isEmpty ? [] : [Run(end: bytes.count, origin: origin)]
        isASCII = TextStorage.isASCII(bytes)
    }

    private static func isASCII(_ bytes: some Sequence<UInt8>) -> Bool {
        var all: UInt8 = 0
        for byte in bytes { all |= byte }
        return all < 0x80
    }

    func append(_ text: Text) {
        let source = text.storage
        if source === self {
            // Copied first, so that the bytes do not grow while they are read.
            let part = Array(bytes[text.start..<text.end])
            let runs = runs(in: text.start..<text.end)
            bytes += part
            for stretch in runs { extendRuns(by: stretch.range.count, stretch.origin) }
        } else {
            bytes += source.bytes[text.start..<text.end]
            isASCII = isASCII && (source.isASCII || TextStorage.isASCII(source.bytes[text.start..<text.end]))
            source.forEachStretch(in: text.start..<text.end) { extendRuns(by: $0.count, $1) }
        }
    }

    func append(_ more: some Collection<UInt8>, _ origin: TextOrigin) {
        guard !more.isEmpty else { return }
        bytes += more
        isASCII = isASCII && TextStorage.isASCII(more)
        extendRuns(by: more.count, origin)
    }

    private func extendRuns(by count: Int, _ origin: TextOrigin) {
        let end = (runs.last?.end ?? 0) + count
        if runs.last?.origin == origin {
            runs[runs.count - 1].end = end
        } else {
            runs.append(Run(end: end, origin: origin))
        }
    }

    /// The run that holds the byte at `index`.
    private func run(at index: Int) -> Int {
        if runs.count == 1 { return 0 }
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].end <= index { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func origin(at index: Int) -> TextOrigin { runs[run(at: index)].origin }

    func forEachStretch(in range: Range<Int>, _ body: (Range<Int>, TextOrigin) -> Void) {
        guard !range.isEmpty else { return }
        var start = range.lowerBound
        var index = run(at: start)
        while start < range.upperBound {
            let end = min(runs[index].end, range.upperBound)
            body(start..<end, runs[index].origin)
            start = end
            index += 1
        }
    }

    func runs(in range: Range<Int>) -> [(range: Range<Int>, origin: TextOrigin)] {
        var result: [(range: Range<Int>, origin: TextOrigin)] = []
        forEachStretch(in: range) { result.append(($0, $1)) }
        return result
    }
}
