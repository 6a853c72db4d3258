import CKernels
import ModelFiles

/// y = x · Wᵀ + b, where W is one matrix of the file or several, whose outputs follow each other in y.
struct Linear: Sendable {
    private let parts: [Matrix]
    private let bias: Vector?
    let rows: Int

    init(_ parts: [Matrix], bias: Vector?) {
        self.parts = parts
        self.bias = bias
        rows = parts.reduce(0) { $0 + $1.rows }
    }

    /// y[tokens, rows], or y += if `adding`.
    func apply(_ x: FloatBuffer, tokens: Int, into y: FloatBuffer, adding: Bool = false, on compute: Compute) {
        let output = adding ? y.buffer(tokens * rows) : y.ensureCapacity(tokens * rows)
        var first = 0
        for part in parts {
            part.multiply(x, tokens: tokens, into: output + first, rowSize: rows, adding: adding, on: compute)
            first += part.rows
        }
        if let bias { ck_add_bias(compute.handle, bias.start, Int32(tokens), Int32(rows), output) }
    }
}

/// A matrix below a module's path, and its outputs.
struct LinearPart {
    let name: String
    let rows: Int
    let interleaved: InterleavedHeads?

    init(_ name: String, _ rows: Int, _ interleaved: InterleavedHeads? = nil) {
        self.name = name
        self.rows = rows
        self.interleaved = interleaved
    }
}

extension WeightReader {
    /// Matrices that some files have in one piece, whose rows are those of the parts in their order.
    /// - Parameters:
    ///   - path: of the module that has them.
    ///   - expectsFused: whether the one piece is what is missing if neither is there.
    func linear(
        _ path: String,
        fused: LinearPart,
        parts: [LinearPart],
        columns: Int,
        expectsFused: Bool,
        bias: BiasPresence
    ) throws(ModelError) -> Linear {
        let isFused = has("\(path).\(fused.name)") || expectsFused && !has("\(path).\(parts[0].name)")
        return try linear(path, isFused ? [fused] : parts, columns: columns, bias: bias)
    }

    /// The matrices below `path`, one after another, and their biases.
    func linear(
        _ path: String,
        _ parts: [LinearPart],
        columns: Int,
        bias: BiasPresence
    ) throws(ModelError) -> Linear {
        var matrices: [Matrix] = []
        for part in parts {
            let path = "\(path).\(part.name)"
            matrices.append(try matrix(path, rows: part.rows, columns: columns, interleaved: part.interleaved))
        }
        let hasBias =
            switch bias {
            case .none: false
            case .required: true
            case .optional: parts.contains { self.hasBias("\(path).\($0.name)") }
            }
        return Linear(matrices, bias: hasBias ? try self.bias(path, parts) : nil)
    }
}
