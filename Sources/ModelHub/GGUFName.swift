import ModelFiles

/// What the name of a `.gguf` file says: the quantisation, and its place among the parts of a split model.
///
///     Phi-3-mini-4k-instruct-q4.gguf            q4
///     Q4_K_M/model-UD-Q4_K_M-00001-of-00003.gguf  UD-Q4_K_M, part 1 of 3
package struct GGUFName: Sendable, Equatable {
    /// The path without its part number and `.gguf`; the same for all parts of one model.
    package let stem: String
    /// As it is written, such as `Q4_K_M`; nil if the name has none.
    package let quantization: String?
    /// From 1; a whole model is part 1 of 1.
    package let part: Int
    package let partCount: Int

    /// Nil unless the file holds a language model: projectors of images and importance matrices have `.gguf` names too.
    package init?(_ path: RepositoryPath) {
        guard path.name.lowercased().hasSuffix(".gguf") else { return nil }
        let name = path.name.lowercased()
        guard !name.hasPrefix("mmproj"), !name.contains("-mmproj"), !name.contains("imatrix") else { return nil }
        let shard = ShardName(path.description, suffix: ".gguf")
        (part, partCount) = (shard?.number ?? 1, shard?.count ?? 1)
        stem = shard?.stem ?? String(path.description.dropLast(".gguf".count))
        quantization = Self.quantization(in: stem.split(separator: "/").last ?? "")
    }

    /// Bits of a weight as the label says it, such as 4 for `IQ4_XS`; nil without a label.
    package var bits: Int? {
        guard let label = quantization?.uppercased() else { return nil }
        if label.contains("32") { return 32 }
        if label.contains("16") { return 16 }
        return label.first(where: \.isNumber)?.wholeNumberValue
    }

    /// The last piece of a name that is a label, with the `UD-` that some put before it.
    private static func quantization(in name: Substring) -> String? {
        let pieces = name.split { $0 == "-" || $0 == "." }
        guard let index = pieces.lastIndex(where: isLabel) else { return nil }
        let isDynamic = index > 0 && pieces[index - 1].uppercased() == "UD"
        return (isDynamic ? "UD-" : "") + pieces[index]
    }

    /// `Q4_K_M`, `IQ2_XXS`, `TQ1_0`, `q4`, `BF16`, `fp16`, `MXFP4_MOE`.
    private static func isLabel(_ text: Substring) -> Bool {
        let upper = text.uppercased()
        if ["BF16", "F16", "FP16", "F32", "FP32", "MXFP4", "MXFP4_MOE", "NVFP4"].contains(upper) { return true }
        let rest = upper.drop { $0 == "I" || $0 == "T" }
        let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
        guard rest.first == "Q", digits.count == 1, upper.count - rest.count <= 1 else { return false }
        let tail = rest.dropFirst(2)
        return tail.isEmpty
            || tail.first == "_" && tail.allSatisfy { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
    }
}
