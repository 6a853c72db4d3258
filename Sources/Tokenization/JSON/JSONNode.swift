/// A JSON value that knows its place in the file, so that every complaint can name it.
struct JSONNode {
    /// Many times what any pipeline has.
    private static let mostElements = 1024

    let document: JSONDocument
    let value: Int
    /// For example `model.vocab`; empty for the whole file.
    let path: String

    init(_ document: JSONDocument) {
        self.init(document, document.root, path: "")
    }

    private init(_ document: JSONDocument, _ value: Int, path: String) {
        self.document = document
        self.value = value
        self.path = path
    }

    func fault(_ what: String) -> TokenizerError { fault(path, what) }

    private func fault(_ path: String, _ what: String) -> TokenizerError {
        TokenizerError("\(document.name): \(path.isEmpty ? "the file" : path) \(what)")
    }

    private func path(to name: some CustomStringConvertible) -> String {
        path.isEmpty ? "\(name)" : "\(path).\(name)"
    }

    /// A value that this one holds, under a name or number that tells where.
    func child(_ value: Int, _ name: some CustomStringConvertible) -> JSONNode {
        JSONNode(document, value, path: path(to: name))
    }

    /// The member of that name, nil if it is absent or null; the last of several.
    func member(_ name: String) throws(TokenizerError) -> JSONNode? {
        var found: JSONNode?
        try forEachMember { key, value in if key.elementsEqual(name.utf8) { found = child(value, name) }
        }
        if let found, case .null = document.kind(found.value) { return nil }
        return found
    }

    func required(_ name: String) throws(TokenizerError) -> JSONNode {
        guard let member = try member(name) else { throw fault(path(to: name), "is missing") }
        return member
    }

    func forEachMember(_ body: (_ key: [UInt8], _ value: Int) throws(TokenizerError) -> Void) throws(TokenizerError) {
        guard case .object = document.kind(value) else { throw fault("is not an object") }
        var contents = document.contents(of: value)
        while let key = contents.next(), let value = contents.next() { try body(document.string(key) ?? [], value) }
    }

    func forEachElement(_ body: (_ index: Int, _ value: Int) throws(TokenizerError) -> Void) throws(TokenizerError) {
        guard case .array = document.kind(value) else { throw fault("is not an array") }
        var index = 0
        for value in document.contents(of: value) {
            try body(index, value)
            index += 1
        }
    }

    /// How many elements an array has, or how many names and values an object.
    var count: Int { document.contents(of: value).reduce(0) { count, _ in count + 1 } }

    /// How many elements an array has before one that is neither a string nor an array.
    var countOfTexts: Int {
        var count = 0
        for value in document.contents(of: self.value) {
            switch document.kind(value) {
            case .string, .array: count += 1
            default: return count
            }
        }
        return count
    }

    /// The elements of an array that is not long: each takes more memory here than in the file.
    func elements() throws(TokenizerError) -> [JSONNode] {
        var result: [JSONNode] = []
        try forEachElement { (index, value) throws(TokenizerError) in
            guard index < Self.mostElements else { throw fault("has more than \(Self.mostElements) elements") }
            result.append(child(value, index))
        }
        return result
    }

    /// A string as UTF-8.
    func bytes() throws(TokenizerError) -> [UInt8] {
        guard let bytes = document.string(value) else { throw fault("is not a string") }
        return bytes
    }

    func string() throws(TokenizerError) -> String { String(decoding: try bytes(), as: UTF8.self) }

    func integer(in range: ClosedRange<Int>) throws(TokenizerError) -> Int {
        guard let integer = document.integer(value) else { throw fault("is not an integer") }
        guard range.contains(integer) else { throw fault("is out of range: \(integer)") }
        return integer
    }

    func bool(_ name: String, default absent: Bool) throws(TokenizerError) -> Bool {
        guard let member = try member(name) else { return absent }
        guard case .bool(let flag) = document.kind(member.value) else { throw member.fault("is not true or false") }
        return flag
    }

    /// The `type` of a normalizer, pre-tokenizer or decoder.
    func type() throws(TokenizerError) -> String { try required("type").string() }

    /// The parts of a pipeline, `Sequence`s unfolded.
    func parts(_ name: String) throws(TokenizerError) -> [JSONNode] {
        guard try type() == "Sequence" else { return [self] }
        var parts: [JSONNode] = []
        for part in try required(name).elements() {
            parts += try part.parts(name)
            guard parts.count <= Self.mostElements else { throw fault("has more than \(Self.mostElements) parts") }
        }
        return parts
    }
}
