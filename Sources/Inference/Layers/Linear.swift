import CKernels
import ModelFiles

/// y = x · Wᵀ + b, where W is one matrix of the file or several, whose outputs follow each other in y.
struct Linear: Sendable {
    private let parts: [Matrix]
    private let bias: Vector?
    /// Whether matrices of floats are so small that OpenBLAS, which pads a step's tokens, would take longer than our kernels.
    private let isSmall: Bool
    let rows: Int

    init(_ parts: [Matrix], bias: Vector?, isSmall: Bool = false) {
        self.parts = parts
        self.bias = bias
        self.isSmall = isSmall
        rows = parts.reduce(0) { $0 + $1.rows }
    }

    /// Whether `applyGroups` may have this and another one.
    func canBeGrouped(with other: Linear) -> Bool {
        guard let first = parts.first, parts.map(\.rows) == other.parts.map(\.rows) else { return false }
        return (parts + other.parts).allSatisfy(first.sharesInputs)
    }

    /// The same of several at once: y[tokens of all, rows], with the tokens of each behind those of the one before it.
    /// - Parameters:
    ///   - group: each with its number of tokens, `CK_GROUPED_TOKENS` in all at most.
    static func applyGroups(
        _ group: [(linear: Linear, tokens: Int)],
        _ x: FloatBuffer,
        into y: FloatBuffer,
        on compute: Compute
    ) {
        guard let first = group.first?.linear, let columns = first.parts.first?.columns else { return }
        let tokens = group.reduce(0) { $0 + $1.tokens }
        let output = y.ensureCapacity(tokens * first.rows)
        let views = group.flatMap { $0.linear.parts.map(\.view) }
        views.withUnsafeBufferPointer { views in
            let groups = group.indices.map { index in
                ck_matmul_group(
                    parts: views.baseAddress.map { $0 + index * first.parts.count },
                    count: Int32(first.parts.count),
                    tokens: Int32(group[index].tokens)
                )
            }
            let input = x.buffer(tokens * columns)
            ck_matmul_groups(compute.handle, groups, Int32(groups.count), input, output, first.rows)
        }
        var row = 0
        for (linear, tokens) in group {
            if let bias = linear.bias {
                let rows = output + row * first.rows
                ck_add_bias(compute.handle, bias.start, Int32(tokens), Int32(first.rows), rows)
            }
            row += tokens
        }
    }

    /// y[tokens, rows], or y += if `adding`.
    func apply(_ x: FloatBuffer, tokens: Int, into y: FloatBuffer, adding: Bool = false, on compute: Compute) {
        let output = adding ? y.buffer(tokens * rows) : y.ensureCapacity(tokens * rows)
        let usesKernels = !compute.isPrecise && (isSmall || parts.allSatisfy(\.isQuantized))
        if usesKernels, let columns = parts.first?.columns {
            let (views, input) = (parts.map(\.view), x.buffer(tokens * columns))
            ck_matmul_parts(compute.handle, views, Int32(views.count), input, Int32(tokens), output, rows, adding)
        } else {
            var first = 0
            for part in parts {
                part.multiply(x, tokens: tokens, into: output + first, rowSize: rows, adding: adding, on: compute)
                first += part.rows
            }
        }
        if let bias { ck_add_bias(compute.handle, bias.start, Int32(tokens), Int32(rows), output) }
    }
}

/// Where a linear layer's inputs come from.
enum LinearInputs {
    /// The residual stream, or a projection of it: some channels are far larger than the others in every token. With mixed
    /// activations these have more bits.
    case stream
    /// Heads, a gate or experts: what stands out is another channel in each token.
    case inner
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
        inputs: LinearInputs = .stream,
        bias: BiasPresence,
        isSmall: Bool = false
    ) throws(ModelError) -> Linear {
        var matrices: [Matrix] = []
        for part in parts {
            let path = "\(path).\(part.name)"
            let own = try matrix(path, rows: part.rows, columns: columns, interleaved: part.interleaved)
            matrices.append(inputs == .inner ? own.withInnerInputs() : own)
        }
        let hasBias =
            switch bias {
            case .none: false
            case .required: true
            case .optional: parts.contains { self.hasBias("\(path).\($0.name)") }
            }
        return Linear(matrices, bias: hasBias ? try self.bias(path, parts) : nil, isSmall: isSmall)
    }
}
