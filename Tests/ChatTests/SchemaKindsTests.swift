import JSON
import Testing

@testable import Chat

@Suite struct SchemaKindsTests {
    @Test(
        "The kinds of a parameter are those that its schema names, by whatever keyword, and not known if it leaves one open",
        arguments: [
            (#"{"type":"integer"}"#, [.number]), (#"{"type":["boolean","null"]}"#, [.bool, .null]),
            (#"{"type":"thing"}"#, nil), (#"{"const":1.5}"#, [.number]),
            (#"{"enum":["a",null,[]]}"#, [.string, .null, .array]),
            (#"{"anyOf":[{"type":"string"},{"type":"object"}]}"#, [.string, .object]),
            (#"{"oneOf":[{"type":"string"},{"maximum":5}]}"#, nil), (#"{"anyOf":[]}"#, nil),
            (#"{"allOf":[{"maximum":5},{"type":"number"}]}"#, [.number]), (#"{"allOf":[{"maximum":5}]}"#, nil),
            (##"{"$ref":"#/$defs/a~1b~0c"}"##, [.array]), (##"{"$ref":"#/$defs/none"}"##, nil),
            (##"{"$ref":"other.json#/$defs/a"}"##, nil), ("{}", nil), ("true", nil),
        ] as [(String, Set<SchemaKinds.Kind>?)]
    )
    func kinds(_ parameter: String, _ kinds: Set<SchemaKinds.Kind>?) throws {
        let schema = #"{"properties":{"x":\#(parameter)},"$defs":{"a/b~c":{"type":"array"},"a":{"type":"array"}}}"#
        let types = SchemaKinds(try JSONDocument(Array(schema.utf8)).root)
        #expect(types.kinds(of: "x") == kinds)
        #expect(types.kinds(of: "y") == nil)
    }
}
