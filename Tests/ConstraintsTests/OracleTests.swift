import Constraints
import EngineContract
import Foundation
import JSON
import Support
import Testing

/// Schemas with instances that PyPI's `jsonschema` has judged: `Scripts/schemas.py` makes them.
struct OracleTests {
    struct Item: Sendable {
        var schema: String
        var valid: [String]
        var invalid: [String]
    }

    static func items() throws -> [Item] {
        let lines = try FixtureFile.data("ConstraintsTests/Fixtures/schemas.jsonl").split(separator: UInt8(ascii: "\n"))
        return try lines.map { line in
            let item = try JSONDocument(Array(line)).root
            return Item(
                schema: String(decoding: item["schema"].source, as: UTF8.self),
                valid: try item["valid"].strings(),
                invalid: try item["invalid"].strings()
            )
        }
    }

    /// Schemas of the fixture that are refused: each has a keyword that the page for users says is.
    private static let mostRefused = 12

    @Test func validInstancesAreAdmittedAndInvalidNever() throws {
        var (refused, judged) = (0, 0)
        for item in try Self.items() {
            guard let grammar = try? TestVocabulary.grammar(item.schema, SchemaOptions(isOrdered: false)) else {
                refused += 1
                continue
            }
            judged += 1
            let constraint = GrammarConstraint(grammar, TestVocabulary.shared, forcesSpelling: false)
            for text in item.valid {
                #expect(TestVocabulary.admits(constraint, text), "\(item.schema) admits \(text)")
            }
            for text in item.invalid {
                #expect(!TestVocabulary.admits(constraint, text), "\(item.schema) does not admit \(text)")
            }
        }
        #expect(judged >= 300)
        #expect(refused <= Self.mostRefused, "\(refused) refused")
    }

    /// In the order of the schema, and without members that it does not name, an answer is still a valid one.
    @Test func noInvalidInstanceIsAdmittedByWhatIsAskedOfAModel() throws {
        for item in try Self.items() {
            for ignores in [false, true] {
                var options = SchemaOptions(ignoresUnsupported: ignores)
                options.isClosed = true
                guard let grammar = try? TestVocabulary.grammar(item.schema, options), grammar.ignored.isEmpty else {
                    continue
                }
                let constraint = GrammarConstraint(grammar, TestVocabulary.shared, forcesSpelling: false)
                for text in item.invalid {
                    #expect(!TestVocabulary.admits(constraint, text), "\(item.schema) does not admit \(text)")
                }
            }
        }
    }

    /// What a cut answer says can always be completed: from every state of a random answer, a token leads on.
    @Test func randomAnswersAreNeverStuckAndValid() throws {
        var finished = 0
        for (index, item) in try Self.items().enumerated() where index % 3 == 0 {
            var options = SchemaOptions()
            options.isClosed = true
            guard let grammar = try? TestVocabulary.grammar(item.schema, options) else { continue }
            let whole = try TestVocabulary.constraint(item.schema, SchemaOptions(isOrdered: false))
            for seed in 0..<UInt64(3) {
                let constraint = GrammarConstraint(grammar, TestVocabulary.shared)
                guard let text = TestVocabulary.randomAnswer(constraint, seed: seed) else { continue }
                finished += 1
                #expect(TestVocabulary.admits(whole, text), "\(item.schema) admits \(text)")
            }
        }
        #expect(finished > 300)
    }
}

extension TestVocabulary {
    /// What a model says that draws any token that is allowed, and comes to an end after a while; nil if it does not.
    static func randomAnswer(_ constraint: GrammarConstraint, seed: UInt64) -> String? {
        var session = constraint
        var generator = SeededGenerator(seed: seed)
        var mask = TokenMask(tokenCount: shared.tokenCount)
        var text: [UInt8] = []
        for step in 0..<800 {
            session.allow(into: &mask)
            if session.isComplete, step > 25 || mask.count == 1 { return String(decoding: text, as: UTF8.self) }
            let tokens = mask.tokens.filter { $0 != stop }
            let closers = tokens.filter { $0 < 256 && "\"}]".utf8.contains(UInt8(clamping: $0)) }
            let isLeaving = step > 25 && step % 8 != 0 && !closers.isEmpty
            guard let token = (isLeaving ? closers : tokens).randomElement(using: &generator), session.accept(token)
            else {
                Issue.record("stuck after \(String(decoding: text, as: UTF8.self))")
                return nil
            }
            text += shared.text(token)
        }
        return nil
    }
}
