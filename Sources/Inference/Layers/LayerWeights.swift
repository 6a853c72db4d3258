import ModelFiles

/// The weights of one layer, and what is done with them.
struct LayerWeights: Sendable {
    enum Mixer: Sendable {
        case attention(Attention)
        case latentAttention(LatentAttention)
        case gatedDeltaNet(GatedDeltaNet)
        case shortConvolution(ShortConvolution)
        case stateSpace(StateSpace)
    }

    enum FeedForward: Sendable {
        case dense(DenseFeedForward)
        case experts(MixtureOfExperts)
        case both(DenseAndExperts)
    }

    let mixerNorm: RMSNorm?
    /// Nil, as the feed-forward network: the layer has only the other one.
    let mixer: Mixer?
    /// Of the mixer's output, in families that have one.
    let mixerOutputNorm: RMSNorm?
    let feedForwardNorm: RMSNorm?
    let feedForward: FeedForward?
    let feedForwardOutputNorm: RMSNorm?
    /// Multiplies what is added to the hidden state; where there are output norms, these have taken it in.
    let residualScale: Float
    let perLayerInput: PerLayerInput?
    /// Multiplies the hidden state behind the layer.
    let outputScale: Float
}

extension ModelFamily {
    static func bind(
        _ layer: LayerDescription,
        of model: TransformerDescription,
        at path: String,
        _ weights: WeightReader
    ) throws(ModelError) -> LayerWeights {
        func norm(_ name: String, scale: Float = 1) throws(ModelError) -> RMSNorm {
            try weights.norm("\(path).\(name)", model.hiddenSize, of: model, scale: scale)
        }
        let (hasInputNorms, hasOutputNorms) = (layer.norms != .after, layer.norms != .before)
        let (hasMixer, hasFeedForward) = (layer.mixer != nil, layer.feedForward != nil)
        let (names, scale) = (layerNames, layer.residualScale)
        let beforeFeedForward = hasOutputNorms ? "pre_feedforward_layernorm" : names.feedForwardNorm
        return LayerWeights(
            mixerNorm: hasMixer && hasInputNorms ? try norm(names.mixerNorm) : nil,
            mixer: try weights.mixer(layer.mixer, of: model, at: path, names),
            mixerOutputNorm: hasMixer && hasOutputNorms ? try norm("post_attention_layernorm", scale: scale) : nil,
            feedForwardNorm: hasFeedForward && hasInputNorms ? try norm(beforeFeedForward) : nil,
            feedForward: try weights.feedForward(layer.feedForward, of: model, at: path, names),
            feedForwardOutputNorm: hasFeedForward && hasOutputNorms
                ? try norm("post_feedforward_layernorm", scale: scale) : nil,
            residualScale: scale,
            perLayerInput: try weights.perLayerInput(of: model, at: path),
            outputScale: layer.hasOutputScale
                ? try weights.vector(named: ["\(path).layer_scalar"], shapes: [[1]]).values[0] : 1
        )
    }
}

extension WeightReader {
    fileprivate func mixer(
        _ mixer: Mixer?,
        of model: TransformerDescription,
        at path: String,
        _ names: LayerNames
    ) throws(ModelError) -> LayerWeights.Mixer? {
        switch mixer {
        case .attention(let attention):
            .attention(try self.attention(attention, of: model, at: "\(path).\(names.attention)", names))
        case .latentAttention(let attention):
            .latentAttention(try latentAttention(attention, of: model, at: "\(path).self_attn"))
        case .gatedDeltaNet(let net): .gatedDeltaNet(try deltaNet(net, of: model, at: "\(path).linear_attn"))
        case .shortConvolution(let convolution):
            .shortConvolution(try shortConvolution(convolution, hiddenSize: model.hiddenSize, at: "\(path).conv"))
        case .stateSpace(let space):
            .stateSpace(try stateSpace(space, of: model, at: "\(path).\(names.stateSpace)"))
        case nil: nil
        }
    }

    fileprivate func feedForward(
        _ kind: FeedForwardKind?,
        of model: TransformerDescription,
        at path: String,
        _ names: LayerNames
    ) throws(ModelError) -> LayerWeights.FeedForward? {
        let (size, own) = (model.hiddenSize, "\(path).\(names.feedForward)")
        return switch kind {
        case .dense(let network):
            .dense(try dense(network, hiddenSize: size, at: densePath(in: path, names) ?? own, names))
        case .experts(let experts):
            .experts(
                try mixture(
                    experts,
                    hiddenSize: size,
                    at: names.experts.map { "\(path).\($0)" } ?? own,
                    names,
                    shared: names.sharedExpert.map { "\(path).\($0)" }
                )
            )
        case .both(let network, let experts): .both(try denseAndExperts(network, experts, of: model, at: path))
        case nil: nil
        }
    }
}

extension WeightReader {
    /// Where a dense network is, if that is the other place.
    private func densePath(in path: String, _ names: LayerNames) -> String? {
        guard let own = names.otherFeedForward.map({ "\(path).\($0)" }), has("\(own).\(LayerNames().down)") else {
            return nil
        }
        return own
    }
}

extension ForwardPass {
    /// hidden += the output of the layer's mixer, which also stores what later positions need of these.
    /// - Parameter index: of the layer among those with the same kind of memory, or that of the layer whose keys and values
    ///   it reads.
    func mix(_ layer: LayerWeights, index: Int) {
        guard let mixer = layer.mixer else { return }
        normalize(layer.mixerNorm)
        switch mixer {
        case .attention(let attention):
            attend(attention, layer: index)
            addOutput(of: attention.output, attentionOutput, layer.mixerOutputNorm, scale: layer.residualScale)
        case .latentAttention(let attention):
            attend(attention, layer: index)
            addOutput(of: attention.output, headValues, layer.mixerOutputNorm, scale: layer.residualScale)
        case .gatedDeltaNet(let net):
            recur(net, layer: index)
            addOutput(of: net.output, attentionOutput, layer.mixerOutputNorm, scale: layer.residualScale)
        case .shortConvolution(let convolution):
            convolve(convolution, layer: index)
            addOutput(of: convolution.output, attentionOutput, layer.mixerOutputNorm, scale: layer.residualScale)
        case .stateSpace(let space):
            scan(space, layer: index)
            addOutput(of: space.output, attentionOutput, layer.mixerOutputNorm, scale: layer.residualScale)
        }
    }

    /// Stores what later positions need of a layer of attention, and computes nothing else of it.
    func store(_ layer: LayerWeights, index: Int) {
        normalize(layer.mixerNorm)
        switch layer.mixer {
        case .attention(let attention): store(attention, layer: index)
        case .latentAttention(let attention): store(attention, layer: index)
        case .gatedDeltaNet, .shortConvolution, .stateSpace, nil: preconditionFailure("not a layer of attention")
        }
    }

    /// hidden += the output of the layer's feed-forward network.
    func feedForward(_ layer: LayerWeights) {
        guard let feedForward = layer.feedForward else { return }
        let (norm, scale) = (layer.feedForwardOutputNorm, layer.residualScale)
        normalize(layer.feedForwardNorm)
        switch feedForward {
        case .dense(let network):
            activate(network, normed, tokens: count)
            addOutput(of: network.down, gated, norm, scale: scale)
        case .experts(let mixture):
            computeExperts(mixture)
            addBlockOutput(norm, scale: scale)
        case .both(let both):
            compute(both)
            addBlockOutput(norm, scale: scale)
        }
    }

    /// What is done behind both: the layer's part of the second embedding, and its scale.
    func finish(_ layer: LayerWeights, index: Int) {
        if let input = layer.perLayerInput { add(input, layer: index) }
        scale(hidden, count * model.hiddenSize, by: layer.outputScale)
    }

    /// normed = `hidden`, normalised where the block has a norm before it.
    private func normalize(_ norm: RMSNorm?) {
        if let norm {
            norm.apply(hidden, tokens: count, into: normed, on: compute)
        } else {
            copyHidden(into: normed)
        }
    }

    /// hidden += the last matmul of a block, normalised or scaled.
    private func addOutput(of linear: Linear, _ x: FloatBuffer, _ norm: RMSNorm?, scale: Float) {
        if norm == nil, scale == 1 {
            linear.apply(x, tokens: count, into: hidden, adding: true, on: compute)
        } else {
            linear.apply(x, tokens: count, into: blockOutput, on: compute)
            addBlockOutput(norm, scale: scale)
        }
    }

    /// hidden += blockOutput, normalised or scaled.
    private func addBlockOutput(_ norm: RMSNorm?, scale: Float) {
        if let norm {
            norm.apply(blockOutput, tokens: count, into: hidden, adding: true, on: compute)
        } else {
            addBlockOutput(scale: scale)
        }
    }
}
