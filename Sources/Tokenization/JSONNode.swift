/// A JSON value that knows its place in the file, so that every complaint can name it.
struct JSONNode {
    let value: JSON
    /// For example `model.vocab`; empty for the whole file.
    let path: String

    init(_ value: JSON, path: String = "") {
        self.value = value
        self.path = path
    }

    func fault(_ what: String) -> TokenizerError {
        TokenizerError("tokenizer.json: \(path.isEmpty ? "the file" : path) \(what)")
    }

    private func path(to name: some CustomStringConvertible) -> String {
        path.isEmpty ? "\(name)" : "\(path).\(name)"
    }

    /// The member of that name, nil if it is absent or null; the last of several.
    func member(_ name: String) throws(TokenizerError) -> JSONNode? {
        let found = try members().last { $0.key.elementsEqual(name.utf8) }
        guard let found else { return nil }
        if case .null = found.value { return nil }
        return JSONNode(found.value, path: path(to: name))
    }

    func required(_ name: String) throws(TokenizerError) -> JSONNode {
        guard let member = try member(name) else { throw JSONNode(.null, path: path(to: name)).fault("is missing") }
        return member
    }

    func members() throws(TokenizerError) -> [(key: [UInt8], value: JSON)] {
        guard case .object(let members) = value else { throw fault("is not an object") }
        return members
    }

    func array() throws(TokenizerError) -> [JSON] {
        guard case .array(let elements) = value else { throw fault("is not an array") }
        return elements
    }

    func element(_ index: Int, _ value: JSON) -> JSONNode { JSONNode(value, path: path(to: index)) }

    func elements() throws(TokenizerError) -> [JSONNode] {
        try array().enumerated().map { element($0, $1) }
    }

    /// A string as UTF-8.
    func bytes() throws(TokenizerError) -> [UInt8] {
        guard case .string(let bytes) = value else { throw fault("is not a string") }
        return bytes
    }

    func string() throws(TokenizerError) -> String { String(decoding: try bytes(), as: UTF8.self) }

    func integer(in range: ClosedRange<Int>) throws(TokenizerError) -> Int {
        guard case .integer(let integer) = value else { throw fault("is not an integer") }
        guard range.contains(integer) else { throw fault("is out of range: \(integer)") }
        return integer
    }

    func bool(_ name: String, default absent: Bool) throws(TokenizerError) -> Bool {
        guard let member = try member(name) else { return absent }
        guard case .bool(let flag) = member.value else { throw member.fault("is not true or false") }
        return flag
    }

    /// The `type` of a normalizer, pre-tokenizer or decoder.
    func type() throws(TokenizerError) -> String { try required("type").string() }

    /// The parts of a pipeline, `Sequence`s unfolded.
    func parts(_ name: String) throws(TokenizerError) -> [JSONNode] {
        guard try type() == "Sequence" else { return [self] }
        var parts: [JSONNode] = []
        for part in try required(name).elements() { parts += try part.parts(name) }
        return parts
    }
}
