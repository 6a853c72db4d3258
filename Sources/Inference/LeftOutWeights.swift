package import ModelFiles

/// Weights of a model's files that are none of its language model's, as those for pictures and sound: they are not read.
package struct LeftOutWeights: Sendable, Equatable {
    /// The tensors.
    package private(set) var names: Set<String> = []
    /// What they are called in the file without what comes before it in all of them: `vision_tower`.
    package private(set) var parts: Set<String> = []
    package private(set) var byteCount = 0

    /// Those that stand neither below the decoder's path nor are the head.
    package init(of tensors: TensorDirectory, _ model: TransformerDescription) {
        let paths = model.paths.first { tensors["\($0.decoder).embed_tokens.weight"] != nil } ?? model.paths[0]
        for (name, tensor) in tensors.tensors
        where !name.hasPrefix(paths.decoder + ".") && !name.hasPrefix(paths.head + ".") {
            names.insert(name)
            let pieces = name.split(separator: ".")
            let part = pieces.count > 2 && pieces[0] == "model" ? pieces[1] : pieces.first
            parts.insert(part.map(String.init) ?? name)
            byteCount += tensor.bytes.count
        }
    }
}
