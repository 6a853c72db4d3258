import Constraints
import EngineContract
import Foundation
import JSON

/// Runs the schemas and instances that `maskbench.py` has prepared, and prints a line of JSON for each schema.
///
///     mask-bench VOCABULARY CASES [any-order | answers COUNT | tools]
///
/// VOCABULARY holds the number of tokens and the end token, each in 32 bits, and for each token its length in 16 bits and
/// its bytes, little-endian. A line of CASES is `{"id": …, "schema": …, "tests": [{"valid": …, "tokens": […]}]}`.
/// With `answers`, the tests are ignored, and a model that knows nothing answers within each schema. With `tools`, all
/// schemas are the tools of one request.
@main
enum MaskBench {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3, let vocabulary = readVocabulary(arguments[1]),
            let cases = FileManager.default.contents(atPath: arguments[2])
        else {
            FileHandle.standardError.write(
                Data("usage: mask-bench VOCABULARY CASES [any-order | answers COUNT | tools]\n".utf8)
            )
            exit(2)
        }
        if arguments.dropFirst(3).first == "tools" {
            let documents = cases.split(separator: UInt8(ascii: "\n")).compactMap {
                try? JSONDocument(Array($0), limits: JSONLimits(depth: 500))
            }
            print(String(decoding: ToolList.measure(documents, vocabulary).bytes, as: UTF8.self))
            return
        }
        for line in cases.split(separator: UInt8(ascii: "\n")) {
            guard let document = try? JSONDocument(Array(line), limits: JSONLimits(depth: 500)) else { continue }
            if arguments.count == 5, arguments[3] == "answers", let count = Int(arguments[4]) {
                print(String(decoding: RandomModel.answers(document.root, count, vocabulary).bytes, as: UTF8.self))
                continue
            }
            let options = SchemaOptions(isOrdered: arguments.dropFirst(3).first != "any-order")
            let result = run(document.root, options, vocabulary)
            print(String(decoding: result.bytes, as: UTF8.self))
        }
    }

    private static func readVocabulary(_ path: String) -> Vocabulary? {
        guard let data = FileManager.default.contents(atPath: path), data.count > 8 else { return nil }
        let bytes = Array(data)
        func number(_ offset: Int, _ size: Int) -> Int {
            (0..<size).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
        }
        var texts: [[UInt8]] = []
        var offset = 8
        for _ in 0..<number(0, 4) {
            let length = number(offset, 2)
            texts.append(Array(bytes[(offset + 2)..<(offset + 2 + length)]))
            offset += 2 + length
        }
        let start = ContinuousClock.now
        let vocabulary = Vocabulary(texts: texts, stopTokens: [Token(number(4, 4))])
        FileHandle.standardError.write(Data("vocabulary: \(ContinuousClock.now - start)\n".utf8))
        return vocabulary
    }

    private static func run(
        _ item: JSONNode,
        _ options: SchemaOptions,
        _ vocabulary: Vocabulary
    ) -> JSONValue {
        var members: [JSONValue.Member] = []
        func add(_ name: String, _ value: JSONValue) { members.append(.init(name: name, value: value)) }
        add("id", .string((try? item["id"].string()) ?? ""))
        let start = processorTime()
        let constraint: GrammarConstraint
        do throws(SchemaError) {
            constraint = GrammarConstraint(
                try Grammar(schema: item["schema"], options: options),
                vocabulary,
                forcesSpelling: false
            )
        } catch {
            add("compile_us", microseconds(since: start))
            add("compile_error", .string("\(error.reason): \(error)"))
            return .object(members)
        }
        add("compile_us", microseconds(since: start))
        var times: [JSONValue] = []
        let mustBeWhole = (try? item["whole"].bool()) ?? false
        var mask = TokenMask(tokenCount: vocabulary.tokenCount)
        for (index, test) in elements(item["tests"]).enumerated() {
            let isValid = (try? test["valid"].bool()) ?? false
            let tokens = elements(test["tokens"]).compactMap { try? $0.int() }
            var session = constraint
            var accepted = 0
            for token in tokens {
                let before = processorTime()
                session.allow(into: &mask)
                let isAllowed = mask.contains(Token(token))
                let isAccepted = isAllowed && session.accept(Token(token))
                times.append(microseconds(since: before))
                guard isAllowed else { break }
                if !isAccepted { add("error", .string("test \(index): allowed but not accepted")) }
                accepted += 1
            }
            // As MaskBench has it, an instance is accepted when all its tokens are; elsewhere it must be whole as well.
            let isWhole = !mustBeWhole || session.isComplete
            if (accepted == tokens.count && isWhole) != isValid {
                let text = tokens.prefix(accepted + 1).flatMap { vocabulary.text(Token($0)) }.suffix(200)
                let what = isValid ? "should accept" : "should reject"
                add("validation_error", .string("test \(index): \(what): \(String(decoding: text, as: UTF8.self))"))
                break
            }
        }
        add("bytes", .integer(constraint.approximateBytes))
        add("all_mask_us", .array(times))
        return .object(members)
    }

    private static func elements(_ node: JSONNode) -> [JSONNode] {
        var result: [JSONNode] = []
        if let elements = try? node.elements() { for element in elements { result.append(element) } }
        return result
    }

    /// Nanoseconds that the processor has spent on this process, which is the same whatever else the machine does.
    private static func processorTime() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// With one digit behind the point.
    private static func microseconds(since start: Int) -> JSONValue {
        .double(Double((processorTime() - start) / 100) / 10)
    }
}
