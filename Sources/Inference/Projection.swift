import CKernels
import ModelFiles

/// y = x · Wᵀ + b, where W is one matrix of the file or several, whose outputs follow each other in y.
struct Projection: Sendable {
    let parts: [Matrix]
    let bias: Vector?

    init(_ parts: [Matrix], bias: Vector? = nil) {
        self.parts = parts
        self.bias = bias
    }

    var rows: Int { parts.reduce(0) { $0 + $1.rows } }
    var columns: Int { parts.reduce(0) { max($0, $1.columns) } }

    /// y[tokens, rows], or y += if `adding`.
    func apply(_ x: FloatBuffer, tokens: Int, into y: FloatBuffer, adding: Bool = false, on compute: Compute) {
        let rowSize = rows
        let output = adding ? y.holding(tokens * rowSize) : y.reserving(tokens * rowSize)
        var first = 0
        for part in parts {
            part.multiply(x, tokens: tokens, into: output + first, rowSize: rowSize, adding: adding, on: compute)
            first += part.rows
        }
        if let bias { ck_add_bias(compute.handle, bias.start, Int32(tokens), Int32(rowSize), output) }
    }
}

extension WeightReader {
    /// A matrix that some files have in one piece, others in several.
    /// - Parameters:
    ///   - path: of the module that has them.
    ///   - fused: the name of the one, whose rows are those of the parts in their order.
    ///   - parts: names and rows of the several.
    ///   - expectsFused: which is missing if neither is there.
    ///   - bias: whether there is a bias; nil leaves it to the file.
    func projection(
        _ path: String,
        fused: String,
        parts: [(name: String, rows: Int)],
        columns: Int,
        expectsFused: Bool = false,
        bias: Bool? = false
    ) throws(ModelError) -> Projection {
        let rows = parts.reduce(0) { $0 + $1.rows }
        if has("\(path).\(fused)") || expectsFused && !has("\(path).\(parts[0].name)") {
            return try projection("\(path).\(fused)", rows: rows, columns: columns, bias: bias)
        }
        var matrices: [Matrix] = []
        for part in parts {
            matrices.append(try matrix("\(path).\(part.name)", rows: part.rows, columns: columns))
        }
        return Projection(matrices, bias: try self.bias(parts.map { ("\(path).\($0.name)", $0.rows) }, bias))
    }

    /// The matrix at `path` and its bias.
    func projection(_ path: String, rows: Int, columns: Int, bias: Bool? = false) throws(ModelError) -> Projection {
        Projection(
            [try matrix(path, rows: rows, columns: columns)],
            bias: try self.bias([(path, rows)], bias)
        )
    }

    /// The biases of the matrices at some paths, one after another.
    private func bias(_ parts: [(path: String, rows: Int)], _ isExpected: Bool?) throws(ModelError) -> Vector? {
        guard isExpected ?? parts.contains(where: { hasBias($0.path) }) else { return nil }
        return try vector(parts.map { (name: "\($0.path).bias", count: $0.rows) })
    }
}
