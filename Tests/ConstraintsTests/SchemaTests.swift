import Constraints
import JSON
import Testing

/// What each keyword admits and refuses.
struct SchemaTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var schema: String
        var valid: [String]
        var invalid: [String]

        var testDescription: String { schema }

        init(_ schema: String, _ valid: [String], not invalid: [String]) {
            self.schema = schema
            self.valid = valid
            self.invalid = invalid
        }
    }

    @Test(arguments: Self.cases)
    func keywordAdmitsWhatIsValidAndNothingElse(_ item: Case) throws {
        let constraint = try TestVocabulary.constraint(item.schema)
        for text in item.valid { #expect(TestVocabulary.admits(constraint, text), "refused: \(text)") }
        for text in item.invalid { #expect(!TestVocabulary.admits(constraint, text), "admitted: \(text)") }
    }

    static let cases: [Case] = [
        Case(#"{"type":"null"}"#, ["null"], not: ["nul", "0", "\"null\""]),
        Case(#"{"type":["boolean","integer"]}"#, ["true", "-7", "0"], not: ["1.5", "01", "null", "tru", "-"]),
        Case(#"{"type":"number"}"#, ["0", "-0.5", "1e9", "2.5E-7"], not: ["1.", ".5", "+1", "1e", "1e999"]),
        Case(
            #"{"type":"string"}"#,
            [#""""#, #""é\n\u00e9""#, #""\ud83d\ude00""#],
            not: [#""\ud83d""#, #""\x""#, "\"\n\""]
        ),
        Case(
            #"{"type":"integer","minimum":-5,"maximum":120}"#,
            ["-5", "0", "99", "120"],
            not: ["-6", "121", "1000", "1.0"]
        ),
        Case(
            #"{"type":"number","exclusiveMinimum":0.25,"maximum":10.5}"#,
            ["0.26", "10.5", "10.50", "3"],
            not: ["0.25", "10.51", "11", "0"]
        ),
        Case(
            #"{"type":"number","minimum":-1.5,"exclusiveMaximum":10.25}"#,
            ["10", "10.2", "10.24", "10.249", "-1.5", "-1", "-0.5", "0", "9.99"],
            not: ["10.25", "10.3", "11", "-1.51", "-2"]
        ),
        Case(#"{"type":"integer","maximum":0}"#, ["0", "-7"], not: ["1", "10"]),
        Case(#"{"type":"number","exclusiveMaximum":0}"#, ["-0.1", "-2"], not: ["0", "-0", "-0.0", "0.5"]),
        Case(#"{"type":"integer","minimum":2,"maximum":5,"exclusiveMaximum":5}"#, ["2", "4"], not: ["1", "5"]),
        Case(
            #"{"type":"integer","exclusiveMinimum":-10,"exclusiveMaximum":-2.5}"#,
            ["-9", "-3"],
            not: ["-10", "-2", "0", "9"]
        ),
        Case(#"{"enum":[1,2,3,4],"not":{"multipleOf":2}}"#, ["1", "3"], not: ["2", "4"]),
        Case(#"{"anyOf":[{"enum":[1,2,3],"minimum":2},{"type":"null"}]}"#, ["2", "3", "null"], not: ["1"]),
        Case(#"{"anyOf":[{"type":"integer","enum":[1,2.5]},{"type":"null"}]}"#, ["1", "null"], not: ["2.5"]),
        Case(#"{"oneOf":[{"enum":[1,2]},{"enum":[2,3]}]}"#, ["1", "3"], not: ["2"]),
        Case(#"{"type":"string","pattern":"^(?!^(CON|NUL)$)[A-Z]+$"}"#, [#""COM""#, #""CONX""#], not: [#""CON""#]),
        Case(
            #"{"type":"string","pattern":"(?=^.{8,}$)(?=.*[0-9]).*"}"#,
            [#""abcdefg1""#],
            not: [#""abc1""#, #""abcdefgh""#]
        ),
        Case(
            #"{"type":"string","pattern":"(?=^[a-z])(?:^abc|x.*)$"}"#,
            [#""abc""#, #""xy""#],
            not: [#""ab""#, #""Xy""#]
        ),
        Case(#"{"type":"string","pattern":"(?!^(CON|NUL)$)(?=^[A-Z]+$).*"}"#, [#""COM""#], not: [#""CON""#, #""a""#]),
        Case(#"{"type":"string","pattern":"(?!^[0-9]+$)^.+$"}"#, [#""a1""#], not: [#""12""#, #""""#]),
        Case(#"{"type":["number","integer"]}"#, ["1", "1.5"], not: ["true"]),
        Case(#"{"type":"number","not":{"type":"integer"}}"#, ["1.5", "-0.25"], not: ["1", "1.0", "0"]),
        Case(#"{"type":"integer","multipleOf":7}"#, ["0", "14", "-21", "7007"], not: ["1", "15", "-20"]),
        Case(#"{"type":"number","multipleOf":0.25}"#, ["0.25", "1.5", "2"], not: ["0.2", "0.26"]),
        Case(#"{"minimum":5,"type":["string","number"]}"#, ["\"a\"", "5"], not: ["4.9"]),
        Case(
            #"{"minLength":2,"maxLength":3,"type":"string"}"#,
            [#""ab""#, #""日本語""#, #""\u00e9b""#],
            not: [#""a""#, #""abcd""#]
        ),
        Case(#"{"type":"string","maxLength":1}"#, [#""\ud83d\ude00""#, #""""#], not: [#""ab""#]),
        Case(#"{"type":"string","pattern":"^a+b?$"}"#, [#""a""#, #""aab""#], not: [#""b""#, #""abb""#, #""ba""#]),
        Case(#"{"type":"string","pattern":"b"}"#, [#""b""#, #""abc""#], not: [#""ac""#]),
        Case(#"{"type":"string","pattern":"^(?!ab)[a-c]+$"}"#, [#""ba""#, #""a""#], not: [#""ab""#, #""abc""#]),
        Case(#"{"type":"string","pattern":"^x|y$"}"#, [#""xa""#, #""ay""#], not: [#""ax""#]),
        Case(#"{"type":"string","pattern":"\"\\\\\\n"}"#, [#""\"\\\n""#], not: [#""\"n""#]),
        Case(
            #"{"type":"string","format":"date"}"#,
            [#""2024-02-29""#, #""1999-12-31""#],
            not: [#""2023-02-29""#, #""1900-02-29""#, #""2024-13-01""#]
        ),
        Case(
            #"{"type":"string","format":"ipv6"}"#,
            [#""::""#, #""1:2::8""#, #""::ffff:1.2.3.4""#],
            not: [#""1:""#, #""1:2:3""#, #""1::2::3""#]
        ),
        Case(
            #"{"type":"string","format":"uuid","maxLength":36}"#,
            [#""123e4567-e89b-12d3-a456-426614174000""#],
            not: [#""123e4567""#]
        ),
        Case(#"{"type":"string","format":"no such thing"}"#, [#""x""#], not: ["1"]),
        Case(
            #"{"enum":["a",1,null,{"k":[1,"x"]}]}"#,
            ["\"a\"", "1", "null", #"{"k":[1,"x"]}"#],
            not: ["\"b\"", "2", "{}", #"{"k":[1]}"#]
        ),
        Case(#"{"enum":["日本","abc"],"maxLength":2}"#, [#""日本""#], not: [#""abc""#]),
        Case(
            #"{"type":"string","not":{"enum":["a\nb"]}}"#,
            [#""ab""#, #""a\n""#, #""\u0001\u001f""#],
            not: [#""a\nb""#, #""a\u000ab""#, #""a\u000Ab""#]
        ),
        Case(#"{"const":"a\"b"}"#, [#""a\"b""#], not: [#""ab""#]),
        Case(
            #"{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":2}"#,
            ["[1]", "[1, 2]"],
            not: ["[]", "[1,2,3]", "[\"a\"]"]
        ),
        Case(
            #"{"type":"array","prefixItems":[{"const":1},{"const":"x"}],"items":false}"#,
            ["[]", "[1]", "[1,\"x\"]"],
            not: ["[\"x\"]", "[1,\"x\",2]"]
        ),
        Case(
            #"{"type":"array","items":[{"const":1}],"additionalItems":{"type":"null"}}"#,
            ["[1,null]", "[]"],
            not: ["[null]", "[1,1]"]
        ),
        Case(
            #"{"type":"object","properties":{"a":{"type":"integer"},"b":true},"required":["a"],"additionalProperties":false}"#,
            [#"{"a": 1}"#, #"{"a":1,"b":[{}]}"#, "{\n  \"a\": 1,\n  \"b\": 2\n}"],
            not: ["{}", #"{"b":1}"#, #"{"a":1,"c":1}"#, #"{"b":1,"a":1}"#, #"{"a":1,}"#]
        ),
        Case(
            #"{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":{"type":"string"}}"#,
            [#"{"a":1,"x":"y"}"#, #"{"ab":"y"}"#, "{}"],
            not: [#"{"a":"y"}"#, #"{"x":1}"#, #"{"x":"y","a":"z"}"#]
        ),
        Case(
            #"{"type":"object","patternProperties":{"^n":{"type":"number"},"d$":{"maximum":5}},"additionalProperties":false}"#,
            [#"{"n":9,"nd":5}"#, #"{"d":"any"}"#],
            not: [#"{"nd":6}"#, #"{"nd":"x"}"#, #"{"x":1}"#]
        ),
        Case(
            #"{"type":"object","minProperties":1,"maxProperties":2}"#,
            [#"{"a":1}"#, #"{"a":1,"b":2}"#],
            not: ["{}", #"{"a":1,"b":2,"c":3}"#]
        ),
        Case(
            #"{"type":"object","properties":{"a":{},"b":{},"c":{}},"minProperties":2,"additionalProperties":false}"#,
            [#"{"a":1,"c":2}"#, #"{"b":1,"c":2}"#],
            not: [#"{"c":1}"#, "{}"]
        ),
        Case(
            #"{"type":"object","properties":{"a":{},"b":{}},"required":["a"],"minProperties":2,"additionalProperties":false}"#,
            [#"{"a":1,"b":2}"#],
            not: [#"{"a":1}"#, #"{"b":2}"#]
        ),
        Case(#"{"type":"array","contains":{"const":1},"minContains":0}"#, ["[]", "[2]"], not: ["{}"]),
        // Members that lead back to the schema need not be there.
        Case(
            ##"{"type":"object","properties":{"and":{"type":"array","items":{"$ref":"#"},"minItems":1},"not":{"$ref":"#"},"a":{}},"minProperties":1,"additionalProperties":false}"##,
            [#"{"a":1}"#, #"{"and":[{"not":{"a":1}}]}"#],
            not: ["{}", #"{"and":[{}]}"#]
        ),
        Case(#"{"type":"object","propertyNames":{"maxLength":2}}"#, [#"{"ab":1}"#], not: [#"{"abc":1}"#]),
        Case(
            #"{"anyOf":[{"type":"string"},{"type":"array","items":{"type":"null"}}]}"#,
            ["\"a\"", "[null]"],
            not: ["1", "[1]"]
        ),
        Case(#"{"oneOf":[{"type":"integer"},{"type":"string"}]}"#, ["1", "\"a\""], not: ["null"]),
        Case(
            #"{"oneOf":[{"minimum":3,"type":"integer"},{"maximum":5,"type":"integer"}]}"#,
            ["2", "6"],
            not: ["3", "4", "5"]
        ),
        Case(
            #"{"type":"object","oneOf":[{"required":["a"]},{"required":["b"]}]}"#,
            [#"{"a":1}"#, #"{"b":1}"#],
            not: ["{}", #"{"a":1,"b":2}"#]
        ),
        Case(#"{"allOf":[{"type":"integer"},{"minimum":3},{"not":{"const":7}}]}"#, ["3", "8"], not: ["7", "2"]),
        Case(#"{"not":{"type":["object","array"]}}"#, ["1", "\"\""], not: ["{}", "[]"]),
        Case(#"{"type":"string","not":{"enum":["a","b"]}}"#, [#""c""#, #""ab""#], not: [#""a""#, #""b""#]),
        Case(
            #"{"type":"object","properties":{"k":{"enum":["x","y"]},"v":{}},"required":["k"],"if":{"properties":{"k":{"const":"x"}}},"then":{"required":["v"]}}"#,
            [#"{"k":"x","v":1}"#, #"{"k":"y"}"#],
            not: [#"{"k":"x"}"#]
        ),
        Case(
            #"{"type":"object","properties":{"k":{"type":"integer"}},"if":{"required":["k"]},"else":{"required":["v"]}}"#,
            [#"{"k":1}"#, #"{"v":1}"#],
            not: ["{}", #"{"x":1}"#]
        ),
        Case(
            #"{"type":"object","dependentRequired":{"a":["b"]}}"#,
            [#"{"b":1}"#, #"{"a":1,"b":2}"#],
            not: [#"{"a":1}"#]
        ),
        Case(
            ##"{"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},"next":{"$ref":"#/$defs/node"}},"required":["v"],"additionalProperties":false}}}"##,
            [#"{"v":1}"#, #"{"v":1,"next":{"v":2,"next":{"v":3}}}"#],
            not: [#"{"v":1,"next":{}}"#]
        ),
        // Combined schemas name members in the order of the text; those that are only required come next, and others last.
        Case(
            ##"{"allOf":[{"properties":{"c":true}},{"$ref":"#/$defs/base"}],"required":["z","a"],"properties":{"b":true,"c":true},"$defs":{"base":{"type":"object","properties":{"d":true,"a":true}}}}"##,
            [#"{"c":1,"d":1,"a":1,"b":1,"z":1,"other":1}"#, #"{"a":1,"z":1}"#],
            not: [
                #"{"d":1,"c":1,"a":1,"b":1,"z":1}"#, #"{"c":1,"a":1,"d":1,"b":1,"z":1}"#,
                #"{"c":1,"d":1,"b":1,"a":1,"z":1}"#, #"{"c":1,"d":1,"a":1,"z":1,"b":1}"#,
                #"{"c":1,"d":1,"a":1,"b":1,"other":1,"z":1}"#,
            ]
        ),
        Case("true", ["1", "{\"a\":[]}"], not: ["x"]),
    ]

    @Test func membersMayComeInAnyOrderIfThatIsWanted() throws {
        let schema = #"{"type":"object","properties":{"a":{"type":"integer"},"b":{}},"required":["a"]}"#
        let constraint = try TestVocabulary.constraint(schema, SchemaOptions(isOrdered: false))
        #expect(TestVocabulary.admits(constraint, #"{"x":0,"b":1,"a":2}"#))
        #expect(!TestVocabulary.admits(constraint, #"{"x":0,"b":1}"#))
        #expect(!TestVocabulary.admits(constraint, #"{"a":0,"a":1}"#))
    }

    @Test func closedObjectHasMembersThatItDoesNotNameOnlyWhereItMust() throws {
        var options = SchemaOptions()
        options.isClosed = true
        for (demand, isNeeded) in [("", false), (#","minProperties":1"#, false), (#","minProperties":2"#, true)] {
            let schema = #"{"type":"object","properties":{"a":{}},"required":["a"]\#(demand)}"#
            let constraint = try TestVocabulary.constraint(schema, options)
            #expect(TestVocabulary.admits(constraint, #"{"a":1}"#) == !isNeeded, "\(schema)")
            #expect(TestVocabulary.admits(constraint, #"{"a":1,"x":2}"#) == isNeeded, "\(schema)")
        }
    }

    @Test func whiteSpaceIsBoundedAndKeepsOneLayout() throws {
        let constraint = try TestVocabulary.constraint(#"{"type":"object","properties":{"a":{},"b":{}}}"#)
        #expect(TestVocabulary.admits(constraint, #"{"a":1,"b":2}"#))
        #expect(TestVocabulary.admits(constraint, #"{"a": 1, "b": 2}"#))
        #expect(!TestVocabulary.admits(constraint, #"{"a":  1}"#))
        #expect(!TestVocabulary.admits(constraint, "{\n\n\"a\": 1}"))
        #expect(!TestVocabulary.admits(constraint, #" {"a":1}"#))
        // A line is indented as deep as it stands, or not at all.
        for (unit, isAllowed) in [
            ("", true), ("  ", true), ("   ", true), ("    ", true), ("\t", true), (" ", false), ("     ", false),
            ("\t\t", false), (" \t", false),
        ] {
            let inner = unit + unit
            let text =
                "{\n\(unit)\"a\": [\n\(inner)1,\n\(inner){\n\(inner)\(unit)\"x\": 0\n\(inner)}\n\(unit)],\n\(unit)\"b\": 2\n}"
            #expect(TestVocabulary.admits(constraint, text) == isAllowed, "\(text)")
        }
        for text in ["{\n\"a\": 1\n  }", "{\n  \"a\": 1,\n    \"b\": 2\n}", "{\n  \"a\": [\n  1]}"] {
            let isAllowed = text.hasPrefix("{\n  \"a\": 1,")
            #expect(TestVocabulary.admits(constraint, text) == isAllowed, "\(text)")
        }
    }

    @Test(arguments: [
        (#"{"uniqueItems":true}"#, SchemaError.Reason.unsupported), (#"{"contains":{}}"#, .unsupported),
        (##"{"$ref":"#/nowhere"}"##, .unsupported), (#"{"pattern":"(a"}"#, .unsupported),
        (#"{"pattern":"(a)\\1"}"#, .unsupported), (#"{"type":"nothing"}"#, .malformed), ("[]", .malformed),
        ("false", .unsatisfiable), (#"{"allOf":[{"type":"string"},{"type":"null"}]}"#, .unsatisfiable),
        (##"{"type":"array","items":{"$ref":"#"},"minItems":1}"##, .unsatisfiable),
        (##"{"type":"object","additionalProperties":{"$ref":"#"},"minProperties":1}"##, .unsatisfiable),
        (#"{"format":"regex"}"#, .unsupported), (#"{"minLength":-1}"#, .malformed),
        (##"{"$ref":"#"}"##, .unsupported), (#"{"type":"object","minProperties":2}"#, .unsupported),
        (#"{"contains":{},"minContains":0,"maxContains":1}"#, .unsupported),
        (#"{"allOf":[{"properties":{"a":{}}}],"unevaluatedProperties":false}"#, .unsupported),
        (#"{"type":"object","required":["a","b"],"maxProperties":1}"#, .unsatisfiable),
        (#"{"type":"object","properties":{"a":{}},"minProperties":2,"additionalProperties":false}"#, .unsatisfiable),
        (#"{"type":"string","not":{"minLength":0}}"#, .unsatisfiable),
    ])
    func refusesWhatItCannotEnforce(_ schema: String, _ reason: SchemaError.Reason) {
        #expect(TestVocabulary.reason(schema) == reason)
    }

    @Test func namesTheKeywordThatItCannotEnforceOrLeavesItOut() throws {
        let schema =
            #"{"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"},"uniqueItems":true}}}"#
        let error = #expect(throws: SchemaError.self) { try TestVocabulary.grammar(schema) }
        #expect(error?.path == "properties.a.uniqueItems")
        let grammar = try TestVocabulary.grammar(schema, SchemaOptions(ignoresUnsupported: true))
        #expect(grammar.ignored == ["properties.a.uniqueItems"])
    }

    @Test func enforcesWhatIsBesideAKeywordThatItLeavesOut() throws {
        let options = SchemaOptions(ignoresUnsupported: true)
        let keys = try TestVocabulary.constraint(
            #"{"type":"object","propertyNames":{"maxLength":2,"format":"regex"}}"#,
            options
        )
        #expect(TestVocabulary.admits(keys, #"{"ab":1}"#) && !TestVocabulary.admits(keys, #"{"abc":1}"#))
    }
}
