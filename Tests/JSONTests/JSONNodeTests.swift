import JSON
import Testing

@Suite("Values of a JSON document") struct JSONNodeTests {
    private static func root(_ text: String) throws -> JSONNode { try JSONDocument(Array(text.utf8)).root }

    /// The path and the problem of what reading throws.
    private static func fault<Value>(_ read: () throws(JSONError) -> Value) -> String {
        do throws(JSONError) {
            return "read \(try read())"
        } catch {
            return "\(error)"
        }
    }

    @Test("Each kind is read as itself and as nothing else")
    func kinds() throws {
        let values = Array(try Self.root(#"[null, true, false, -12, 1.5, "a", [1], {"a":1}]"#).elements())
        #expect(values.map(\.kind) == [.null, .bool, .bool, .integer, .number, .string, .array, .object])
        #expect(values.map { try? $0.bool() } == [nil, true, false, nil, nil, nil, nil, nil])
        #expect(values.map { try? $0.int() } == [nil, nil, nil, -12, nil, nil, nil, nil])
        #expect(values.map { try? $0.double() } == [nil, nil, nil, -12, 1.5, nil, nil, nil])
        #expect(values.map { try? $0.string() } == [nil, nil, nil, nil, nil, "a", nil, nil])
        #expect(values.map { (try? $0.elements()) != nil } == [false, false, false, false, false, false, true, false])
        #expect(values.map { (try? $0.members()) != nil } == [false, false, false, false, false, false, false, true])
        #expect(values.map(\.count) == [0, 0, 0, 0, 0, 0, 1, 1])
    }

    @Test("What is wrong is said with the path to it")
    func paths() throws {
        let body = try Self.root(
            #"{"n":5,"messages":[{"role":"user"},{"content":[{"text":"a"},{"type":"b","text":7}]}],"x":null,"o":{"p":{}}}"#
        )
        let text = body["messages"][1]["content"][1]["text"]
        #expect(Self.fault { () throws(JSONError) in try text.string() } == "messages.1.content.1.text is not a string")
        #expect(Self.fault { () throws(JSONError) in try body["n"].string() } == "n is not a string")
        #expect(Self.fault { () throws(JSONError) in try body["x"].int() } == "x is not an integer")
        #expect(Self.fault { () throws(JSONError) in try body["n"].bool() } == "n is not true or false")
        #expect(Self.fault { () throws(JSONError) in try body["n"].int(in: 6...7) } == "n is below 6")
        #expect(Self.fault { () throws(JSONError) in try body["n"].int(in: 6...) } == "n is below 6")
        #expect(Self.fault { () throws(JSONError) in try body["n"].int(in: 1...4) } == "n is above 4")
        #expect(Self.fault { () throws(JSONError) in try body["n"].double(in: 5.5...6) } == "n is below 5.5")
        #expect(Self.fault { () throws(JSONError) in try body["n"].double(in: 0...1) } == "n is above 1")
        let role = body["messages"][0]["role"]
        #expect(
            Self.fault { () throws(JSONError) in try role.string(oneOf: ["a", "b"]) }
                == "messages.0.role is none of a, b"
        )
        #expect(Self.fault { () throws(JSONError) in try body["n"].members() } == "n is not an object")
        #expect(Self.fault { () throws(JSONError) in try body.elements() } == "the top level is not an array")
        #expect("\(body["o"]["p"].error("is odd"))" == "o.p is odd")
        #expect("\(text.error(.custom("is odd", logged: "x")))" == "messages.1.content.1.text is odd")
    }

    @Test("What is absent is missing where it should be, or its holder is of another kind")
    func absent() throws {
        let body = try Self.root(#"{"a":{"b":null},"list":[1],"n":5}"#)
        #expect(Self.fault { () throws(JSONError) in try body["a"]["c"].string() } == "a.c is missing")
        #expect(Self.fault { () throws(JSONError) in try body["z"]["c"][4].string() } == "z is missing")
        #expect(Self.fault { () throws(JSONError) in try body["list"][1].int() } == "list.1 is missing")
        #expect(Self.fault { () throws(JSONError) in try body["list"][-1].int() } == "list.-1 is missing")
        #expect(Self.fault { () throws(JSONError) in try body["n"]["c"].int() } == "n is not an object")
        #expect(Self.fault { () throws(JSONError) in try body["list"]["c"].int() } == "list is not an object")
        #expect(Self.fault { () throws(JSONError) in try body["a"][0].int() } == "a is not an array")
        #expect("\(body["z"].error("is odd"))" == "z is missing")
        #expect(body["z"].kind == .null && body["z"].count == 0)

        #expect(try body["z"].optional == nil && body["a"]["c"].optional == nil && body["list"][7].optional == nil)
        #expect(try body["a"]["b"].optional?.kind == .null && body["a"]["b"].nullable == nil)
        #expect(try body["z"].nullable == nil && body["n"].nullable?.int() == 5 && body["n"].optional?.int() == 5)
        #expect(Self.fault { () throws(JSONError) in try body["n"]["c"].optional } == "n is not an object")
        #expect(Self.fault { () throws(JSONError) in try body["n"]["c"].nullable } == "n is not an object")
    }

    @Test("Of members with one name the last counts, and all are there for whoever reads them in turn")
    func duplicates() throws {
        let object = try Self.root(#"{"a":1,"b":2,"\u0061":3}"#)
        #expect(try object["a"].int() == 3 && object["b"].int() == 2)
        #expect(try object.members().map(\.name) == ["a", "b", "a"])
        #expect(try object.members().map { try $0.value.int() } == [1, 2, 3])
        #expect(try JSONValue(object, atMost: 4) == ["a": 3, "b": 2])
    }

    @Test("Names and strings are told apart by their bytes")
    func bytes() throws {
        let object = try Self.root(#"{"\u00e9":1,"e\u0301":2,"a\"b":3,"abc":4}"#)
        #expect(try object["\u{e9}"].int() == 1 && object["e\u{301}"].int() == 2)
        #expect(try object["a\"b"].int() == 3 && object["abc"].int() == 4)
        #expect(try object["ab"].optional == nil && object["abcd"].optional == nil && object["a\\"].optional == nil)
        #expect(try object.members().map(\.nameBytes) == ["\u{e9}", "e\u{301}", "a\"b", "abc"].map { Array($0.utf8) })
        let escaped = try Self.root(#"{"\u0061\/\n":5,"\ud83d\ude00":6,"a\u0062":7,"\ud800":8}"#)
        #expect(try escaped["a/\n"].int() == 5 && escaped["\u{1F600}"].int() == 6 && escaped["ab"].int() == 7)
        #expect(try escaped["\u{FFFD}"].int() == 8 && escaped["a"].optional == nil && escaped["a/"].optional == nil)
        #expect(try escaped["abc"].optional == nil && escaped["a/\n."].optional == nil)
        #expect(try Self.root(#""e\u0301""#).bytes() == Array("e\u{301}".utf8))
    }

    @Test("Values of every length are found again, short and long, with escapes at every place")
    func longValues() throws {
        for length in [0, 1, 7, 8, 9, 200] + Array(240...270) + [5000] {
            let long = String(repeating: "a", count: length)
            let escaped = String(repeating: "a", count: length) + #"\"\\"#
            let number = "1" + String(repeating: "0", count: length)
            let list = "[" + String(repeating: "[]", count: 1) + String(repeating: ",{}", count: length / 3) + "]"
            let text =
                #"{"\#(long)":1,"s":"\#(long)","e":"\#(escaped)","n":\#(number),"l":[\#(list),{"k":"\#(long)"},7],"last":8}"#
            let object = try Self.root(text)
            #expect(try object["s"].string() == long && object["e"].string() == long + "\"\\")
            #expect(try object["n"].int() == Int(number) ?? .max)
            #expect(try object["l"][0].count == length / 3 + 1 && object["l"][1]["k"].string() == long)
            #expect(try object["l"][2].int() == 7 && object["last"].int() == 8 && object.count == 6)
            if length != 1 { #expect(try object[long].int() == 1) }
            #expect("\(object["l"][2].error("x"))" == "l.2 x" && "\(object["last"].error("x"))" == "last x")
        }
        // Long names are cut in paths.
        let name = String(repeating: "b", count: 1000)
        #expect("\(try Self.root(#"{"\#(name)":1}"#)[name].error("x"))" == name.prefix(100) + " x")
    }

    @Test("Lists have bounds")
    func lists() throws {
        let object = try Self.root(#"{"three":["a","b","c"],"mixed":["a",1],"members":{"x":1,"y":2}}"#)
        #expect(try object["three"].strings() == ["a", "b", "c"] && object["three"].strings(atMost: 3).count == 3)
        #expect(
            Self.fault { () throws(JSONError) in try object["three"].strings(atMost: 2) }
                == "three has more than 2 elements"
        )
        #expect(Self.fault { () throws(JSONError) in try object["mixed"].strings() } == "mixed.1 is not a string")
        #expect(try Array(object["members"].members(atMost: 2)).count == 2)
        #expect(
            Self.fault { () throws(JSONError) in try object["members"].members(atMost: 1) }
                == "members has more than 1 elements"
        )
        #expect(throws: JSONError.self) { try JSONValue(object, atMost: 10) }
        #expect(
            try JSONValue(object, atMost: 11) == [
                "three": ["a", "b", "c"], "mixed": ["a", 1], "members": ["x": 1, "y": 2],
            ]
        )
        #expect(throws: JSONError.self) { try JSONValue(object["absent"], atMost: 10) }
    }

    @Test("Numbers are read as they are written")
    func numberText() throws {
        let list = try Self.root("[-1.50e+3 ,12]")
        #expect(try String(decoding: list[0].numberText(), as: UTF8.self) == "-1.50e+3" && list[0].double() == -1500)
        #expect(try String(decoding: list[1].numberText(), as: UTF8.self) == "12")
        #expect(throws: JSONError.self) { try list.numberText() }
    }

    @Test("The time for reading grows no faster than a hostile text", .timeLimit(.minutes(1)))
    func time() throws {
        // Containers just below the length that is looked up, one in the other; and errors that nobody asks the path of.
        let short = "[" + String(repeating: "[],", count: 80) + "[]]"
        let text =
            String(repeating: "[", count: 60) + String(repeating: short + ",", count: 20_000) + "1"
            + String(repeating: "]", count: 60)
        var node = try Self.root(text)
        for _ in 0..<59 { node = node[0] }
        #expect(node.count == 20_001)
        var refused = 0
        for element in try node.elements() where (try? element["x"].int()) == nil { refused += 1 }
        #expect(refused == 20_001)
        #expect("\(node[20_000].error("x"))" == String(repeating: "0.", count: 59) + "20000 x")
    }

    @Test(
        "Values are the same whatever their white space, order and spelling",
        arguments: [
            (#"{"a":1,"b":[true,null,"x"]}"#, #" { "b" : [ true , null , "\u0078" ] , "a" : 1.0 } "#),
            ("[1e2, -0, 0.5]", "[100, 0, 5e-1]"), (#"{"a":1,"a":2}"#, #"{"a":2}"#), (#""é""#, #""\u00e9""#),
            ("9007199254740993", "9007199254740993"), ("[]", "[ ]"), ("{}", "{ }"),
        ]
    )
    func sameValues(_ one: String, _ other: String) throws {
        #expect(try Self.root(one).hasSameValue(as: Self.root(other)))
        #expect(try Self.root(other).hasSameValue(as: Self.root(one)))
    }

    @Test(
        "Values that differ are not the same",
        arguments: [
            (#"{"a":1}"#, #"{"a":1,"b":2}"#), (#"{"a":1}"#, #"{"b":1}"#), ("[1,2]", "[2,1]"), ("[1]", "[1,1]"),
            ("1", #""1""#), ("0", "false"), ("null", "{}"), (#""a""#, #""A""#),
            ("9007199254740993", "9007199254740992"),
            // The two forms of é.
            (#""\u00e9""#, #""e\u0301""#), ("[]", "{}"), ("1.5", "1.25"),
        ]
    )
    func otherValues(_ one: String, _ other: String) throws {
        #expect(try !Self.root(one).hasSameValue(as: Self.root(other)))
        #expect(try !Self.root(other).hasSameValue(as: Self.root(one)))
    }
}
