package import ModelFiles

/// Weights of a model's files that its language model does without, as those for pictures and sound, and a draft head
/// that is not used: they are not read.
package struct LeftOutWeights: Sendable, Equatable {
    /// The tensors.
    package private(set) var names: Set<String> = []
    /// What they are called in the file without what comes before it in all of them: `vision_tower`, `layers.46`.
    package private(set) var parts: Set<String> = []
    package private(set) var byteCount = 0

    /// Those that stand neither below the decoder's path nor are the head, and those of layers after the model's; but for
    /// what the draft head reads.
    package init(of tensors: TensorDirectory, _ model: TransformerDescription) {
        let paths = model.paths.first { tensors["\($0.decoder).\($0.embedding).weight"] != nil } ?? model.paths[0]
        let draftHead = model.draftHead?.paths(in: tensors)
        for (name, tensor) in tensors.tensors where draftHead?.contain(name) != true {
            guard let part = Self.part(name, paths, layerCount: model.layers.count) else { continue }
            names.insert(name)
            parts.insert(part)
            byteCount += tensor.bytes.count
        }
    }

    /// - Returns: nil if the tensor is of the language model.
    private static func part(_ name: String, _ paths: TensorPaths, layerCount: Int) -> String? {
        let layers = paths.decoder + ".layers."
        if name.hasPrefix(layers) {
            let layer = Int(name.dropFirst(layers.count).prefix { $0 != "." })
            return layer.flatMap { $0 < layerCount ? nil : "layers.\($0)" }
        }
        if name.hasPrefix(paths.decoder + ".") || name.hasPrefix(paths.head + ".") { return nil }
        let pieces = name.split(separator: ".")
        let part = pieces.count > 2 && pieces[0] == "model" ? pieces[1] : pieces.first
        return part.map(String.init) ?? name
    }
}
