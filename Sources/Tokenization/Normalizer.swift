/// What is done to a text before it is cut: `Prepend` and literal `Replace`, as SentencePiece-like tokenizers use them.
struct Normalizer: Sendable {
    private enum Step: Sendable {
        case prepend([UInt8])
        case replace([UInt8], by: [UInt8])
    }

    private var steps: [Step] = []

    init(_ node: JSONNode?) throws(TokenizerError) {
        for part in try node?.parts("normalizers") ?? [] {
            switch try part.type() {
            case "Prepend": steps.append(.prepend(try part.required("prepend").bytes()))
            case "Replace":
                let (pattern, replacement) = try part.literalReplacement()
                steps.append(.replace(pattern, by: replacement))
            case let type: throw part.fault("is of type '\(type)', which is not supported yet")
            }
        }
    }

    func apply(_ text: [UInt8]) -> [UInt8] {
        steps.reduce(text) { text, step in
            switch step {
            case .prepend(let prefix): text.isEmpty ? text : prefix + text
            case .replace(let pattern, let replacement): text.replacing(pattern, by: replacement)
            }
        }
    }
}

extension JSONNode {
    /// The literal pattern and the content of a `Replace`.
    func literalReplacement() throws(TokenizerError) -> (pattern: [UInt8], replacement: [UInt8]) {
        let pattern = try required("pattern")
        guard let literal = try pattern.member("String") else {
            let regex = try pattern.required("Regex").string()
            throw pattern.fault("is the regular expression '\(regex)', which is not supported yet")
        }
        let bytes = try literal.bytes()
        guard !bytes.isEmpty else { throw literal.fault("is empty") }
        return (bytes, try required("content").bytes())
    }
}
