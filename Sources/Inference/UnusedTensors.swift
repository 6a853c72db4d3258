import ModelFiles

extension TensorDirectory {
    /// Remarks for the user on tensors that the model does without.
    package func notes(on model: TransformerDescription) -> [String] {
        let layers = Set(tensors.keys.compactMap(Self.layer)).filter { $0 >= model.layers.count }
        guard !layers.isEmpty else { return [] }
        let names = layers.count == 1 ? "a layer is" : "\(layers.count) layers are"
        return ["\(names) left out: after the model's \(model.layers.count), for predicting several tokens at a time"]
    }

    /// The number after `layers` in a name.
    private static func layer(of name: String) -> Int? {
        let pieces = name.split(separator: ".")
        guard let place = pieces.firstIndex(of: "layers"), place + 1 < pieces.count else { return nil }
        return Int(pieces[place + 1])
    }
}
