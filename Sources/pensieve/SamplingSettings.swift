/// How answers are sampled where a request does not say.
///
/// What a request says wins, then what the operator sets here, then what the model's files recommend, then the defaults of
/// the API.
extension Setting {
    static var sampling: [Setting] {
        [
            Setting(
                name: "temperature",
                placeholder: "T",
                kind: .optionalNumber(\.temperature, 0...2),
                help: "of answers to requests without one; 0 is greedy; default: what the model recommends, else 1"
            ),
            Setting(
                name: "top-p",
                placeholder: "P",
                kind: .optionalNumber(\.topP, 0...1),
                help: "choose among the most probable tokens that together are so probable; default: what the model "
                    + "recommends, else 1, which is all"
            ),
            Setting(
                name: "top-k",
                placeholder: "N",
                kind: .optionalInteger(\.topK, 0...(1 << 24)),
                help: "choose among so many tokens; default: what the model recommends, else 0, which is all"
            ),
            Setting(
                name: "min-p",
                placeholder: "P",
                kind: .optionalNumber(\.minP, 0...1),
                help: "leave out tokens less probable than this share of the most probable one; default: what the "
                    + "model recommends, else 0"
            ),
            Setting(
                name: "repetition-penalty",
                placeholder: "X",
                kind: .optionalNumber(\.repetitionPenalty, 0.01...100),
                help: "above 1 makes tokens less probable that the prompt or the answer has; default: what the model "
                    + "recommends, else 1"
            ),
        ]
    }
}
