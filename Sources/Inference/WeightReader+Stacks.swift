import ModelFiles

/// Matrices that a file has in one tensor.
extension WeightReader {
    /// What follows the path of a stack in the names of its tensors, and that of a matrix in the names of its own. The
    /// families that have their matrices by names without an ending have biases by one of their own.
    private static let suffixes = [
        ("", ".weight"), (".weight", ".weight"), (".scales", ".scales"), (".biases", ".biases"), (".bias", ".bias"),
        ("_blocks", ".blocks"), ("_scales", ".scales"), ("_bias", ".bias"),
    ]

    /// Whether the tensor at `path` is a stack of matrices.
    func isStack(_ path: String) -> Bool {
        (tensors["\(path).weight"] ?? tensors[path])?.shape.count == 3 || tensors["\(path)_blocks"]?.shape.count == 4
    }

    /// Makes the matrices of a stack [count, rows, columns], and their biases [count, rows], readable one by one.
    /// - Parameters:
    ///   - transposed: whether matrices of floats are [columns, rows] if their names have no ending.
    ///   - element: the path to give to each.
    func unstack(
        _ path: String,
        count: Int,
        transposed: Bool = false,
        as element: (Int) -> String
    ) throws(ModelError) {
        for (suffix, own) in Self.suffixes {
            guard let stack = tensors[path + suffix] else { continue }
            guard stack.shape.count > 1, stack.shape[0] == count else {
                throw ModelError("\(stack.label): has shape \(stack.shape); \(count) matrices are expected")
            }
            for index in 0..<count {
                tensors.add(stack.element(index), as: element(index) + own)
                stacks[element(index)] = path
                if transposed, suffix.isEmpty { transposedPaths.insert(element(index)) }
            }
        }
    }
}
