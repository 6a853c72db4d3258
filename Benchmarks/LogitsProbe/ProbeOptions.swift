import Inference

/// What the command line asks for.
struct ProbeOptions {
    static let usage = """
        usage: logits-probe MODEL --context N [--continue N] [--from N] [--threads N] [--precise]
               [--activations int8|int15] [--kv-type f32|f16|bf16|int8] < SEQUENCES

        """

    /// A folder, or a GGUF file.
    var model: String
    /// The most tokens of a sequence and its continuation, for which there is KV memory; longrope chooses its factors by it.
    var context = 0
    /// How many greedy tokens are taken after each sequence.
    var continued = 0
    /// The position of a sequence whose logits are the first to be written.
    var first = 0
    var engine = EngineOptions()

    init(_ arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        guard let model = rest.popFirst() else { throw UsageError(description: "which model?") }
        self.model = model
        while let name = rest.popFirst() {
            switch name {
            case "--context": context = try Self.count(name, rest.popFirst(), from: 1)
            case "--continue": continued = try Self.count(name, rest.popFirst(), from: 0)
            case "--from": first = try Self.count(name, rest.popFirst(), from: 0)
            case "--threads": engine.threads = try Self.count(name, rest.popFirst(), from: 1)
            case "--precise": engine.precise = true
            case "--activations": engine.activations = try Self.choice(name, rest.popFirst())
            case "--kv-type": engine.kvType = try Self.choice(name, rest.popFirst()) as KVType
            default: throw UsageError(description: "\(name): no such option")
            }
        }
        guard context > 0 else { throw UsageError(description: "--context: how many tokens?") }
    }

    private static func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ name: String,
        _ text: String?
    ) throws(UsageError) -> Value {
        guard let value = text.flatMap(Value.init(rawValue:)) else {
            throw UsageError(description: "\(name): one of \(Value.allCases.map(\.rawValue)) is expected")
        }
        return value
    }

    private static func count(_ name: String, _ text: String?, from least: Int) throws(UsageError) -> Int {
        guard let value = text.flatMap({ Int($0) }), (least...(1 << 24)).contains(value) else {
            throw UsageError(description: "\(name): a whole number from \(least) is expected")
        }
        return value
    }
}

struct UsageError: Error, CustomStringConvertible {
    let description: String
}
