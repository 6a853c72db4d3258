/// How the matrices of a model are quantised: in MLX's form, groups of columns with a scale and a bias each; or in that of
/// DeepSeek's own files, squares of floats of 8 bits with a factor each.
package struct MLXQuantization: Sendable, Equatable {
    package struct Form: Sendable, Equatable {
        package var bits: Int
        package var groupSize: Int

        package init(bits: Int, groupSize: Int) {
            self.bits = bits
            self.groupSize = groupSize
        }
    }

    private var common: Form?
    /// Exceptions by the path of a matrix; nil is "not quantised".
    private var exceptions: [String: Form?] = [:]

    /// The rows and columns of a square of floats of 8 bits that has a factor of its own; nil: none is expected.
    package private(set) var float8Block: Int?

    /// Nothing is said of quantisation.
    package init() {}

    /// The form of the matrix at `path`, if its tensors are quantised.
    package subscript(path: String) -> Form? { exceptions[path] ?? common }

    /// Reads `quantization`, or `quantization_config`, which MLX writes beside it and other tools use for their own.
    /// - Throws: `ModelError` for a form that is malformed or not supported.
    package init(_ fields: ModelFields) throws(ModelError) {
        var name = "quantization"
        if try fields.node(name) == nil { name = "quantization_config" }
        guard let object = try fields.object(name), !object.members.isEmpty else { return }
        if name == "quantization_config", let method = try? object.optionalString("quant_method") {
            // Of OpenAI's own files: what is quantised has tensors that say so.
            if method == "mxfp4" { return }
            if method == "fp8" {
                float8Block = try Self.float8Block(object)
                return
            }
            throw object.error(
                "quant_method",
                "\"\(method)\" is not supported; \"mxfp4\", \"fp8\", folders in MLX form, GGUF files and weights that are "
                    + "not quantised are"
            )
        }
        let bits = try object.int("bits", .min ... .max)
        let groupSize = try object.int("group_size", .min ... .max)
        let mode = (try? object.optionalString("mode")) ?? "affine"
        common = try Self.form(bits, groupSize, mode, object)
        for (path, value) in object.members {
            switch value {
            case .no: exceptions[path] = .some(nil)
            case .object(let own):
                // One with values of other kinds is another tool's.
                guard let bits = try? own.int("bits", .min ... .max, default: bits),
                    let groupSize = try? own.int("group_size", .min ... .max, default: groupSize),
                    let mode = try? own.optionalString("mode") ?? mode
                else { break }
                exceptions[path] = try Self.form(bits, groupSize, mode, own)
            case .other: break
            }
        }
    }

    private static func float8Block(_ object: ModelFields) throws(ModelError) -> Int {
        guard try object.optionalString("fmt") ?? "e4m3" == "e4m3" else {
            throw object.error("fmt", "is not supported; only \"e4m3\" is")
        }
        let sides = try object.list("weight_block_size", of: Int.self) ?? []
        guard sides.count == 2, sides[0] == sides[1], 16...4096 ~= sides[0] else {
            throw object.error("weight_block_size", "is not supported; squares such as [128, 128] are")
        }
        return sides[0]
    }

    private static func form(
        _ bits: Int,
        _ groupSize: Int,
        _ mode: String,
        _ object: ModelFields
    ) throws(ModelError) -> Form {
        if mode == "mxfp4", bits == 4, groupSize == 32 { return Form(bits: bits, groupSize: groupSize) }
        guard mode == "affine", [2, 3, 4, 5, 6, 8].contains(bits), [32, 64, 128].contains(groupSize) else {
            throw object.error(
                "mode",
                "\"\(mode)\" of \(bits) bits in groups of \(groupSize) is not supported; "
                    + "\"affine\" of 2, 3, 4, 5, 6 or 8 bits in groups of 32, 64 or 128 and \"mxfp4\" are"
            )
        }
        return Form(bits: bits, groupSize: groupSize)
    }
}
