"""Makes Fixtures/schemas.jsonl: schemas, and instances that PyPI's jsonschema calls valid or invalid.

    python -m pip install 'jsonschema[format]' && python schemas.py > ../Fixtures/schemas.jsonl

Each line is {"schema": …, "valid": [text, …], "invalid": [text, …]}. Texts are JSON as Python writes it, without white space.
"""

import json
import random
import re

from jsonschema import Draft202012Validator as Validator

WORDS = ["a", "bc", "name", "x1", "é", "日本", "two words", "", "quo\"te", "back\\slash", "tab\t", "AB12", "2024-02-29"]
KEYS = ["a", "b", "name", "id", "tags", "zip-code", "ü", "x y"]
PATTERNS = ["^a+b?$", "^[A-Z]{2}[0-9]+$", "b", "^(?!ab)[a-c]{1,4}$", "^\\d{3}-\\d{2}$", "^\\w+$", "[^x]$", "^(on|off)$"]
SAMPLES = ["a", "aab", "AB1", "ZZ99", "b", "abc", "ba", "c", "123-45", "word", "x", "on", "off", "offs"]
FORMATS = {
    "date": ["2024-02-29", "2023-02-29", "1999-12-31", "1999-13-01", "99-1-1"],
    "time": ["12:30:00Z", "23:59:59.5+01:00", "24:00:00Z", "12:30"],
    "date-time": ["2024-01-01T00:00:00Z", "2024-01-01 00:00:00", "2024-01-32T00:00:00Z"],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000", "123e4567"],
    "email": ["a@b.org", "a.b@c.de", "nobody"],
    "ipv4": ["127.0.0.1", "256.1.1.1", "1.2.3"],
    "ipv6": ["::1", "1:2:3:4:5:6:7:8", "1::2::3", "1:2"],
    "uri": ["http://a.b/c?d=e#f", "mailto:a@b.c", "no uri"],
}


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def maybe(self, share=0.5):
        return self.random.random() < share

    # Schemas

    def schema(self, depth=0, names=()):
        kinds = ["string", "integer", "number", "boolean", "enum", "const", "null", "format", "types"]
        if depth < 3:
            kinds += ["object"] * 5 + ["array"] * 3 + ["anyOf", "oneOf", "allOf", "tuple", "map", "not", "if"]
            kinds += ["ref"] * (2 if names else 0)
        return getattr(self, "make_" + self.random.choice(kinds))(depth, names)

    def make_string(self, depth, names):
        schema = {"type": "string"}
        if self.maybe(0.3):
            schema["minLength"] = self.random.randint(1, 3)
        if self.maybe(0.3):
            schema["maxLength"] = self.random.randint(3, 9)
        if self.maybe(0.3) and len(schema) == 1:
            schema["pattern"] = self.random.choice(PATTERNS)
        return schema

    def make_integer(self, depth, names):
        schema = {"type": "integer"}
        if self.maybe(0.4):
            schema[self.random.choice(["minimum", "exclusiveMinimum"])] = self.random.randint(-20, 20)
        if self.maybe(0.4):
            schema[self.random.choice(["maximum", "exclusiveMaximum"])] = self.random.randint(21, 200)
        if self.maybe(0.2):
            schema["multipleOf"] = self.random.choice([2, 3, 5, 10])
        return schema

    def make_number(self, depth, names):
        schema = {"type": "number"}
        if self.maybe(0.4):
            schema["minimum"] = self.random.randint(-50, 50) / 4
        if self.maybe(0.4):
            schema["exclusiveMaximum"] = 20 + self.random.randint(0, 50) / 4
        return schema

    def make_boolean(self, depth, names):
        return self.random.choice([{"type": "boolean"}, True])

    def make_null(self, depth, names):
        return {"type": "null"}

    def make_enum(self, depth, names):
        values = self.random.sample([1, 2.5, "a", "b c", None, True, {"a": 1}, [1, 2], "é"], self.random.randint(1, 4))
        return {"enum": values}

    def make_const(self, depth, names):
        return {"const": self.random.choice([7, "on", None, False, ["x"], {"k": "v"}])}

    def make_format(self, depth, names):
        return {"type": "string", "format": self.random.choice(sorted(FORMATS))}

    def make_types(self, depth, names):
        return {"type": self.random.sample(["string", "integer", "null", "boolean", "array"], 2)}

    def make_object(self, depth, names):
        keys = self.random.sample(KEYS, self.random.randint(0, 4))
        schema = {"type": "object", "properties": {key: self.schema(depth + 1, names) for key in keys}}
        required = [key for key in keys if self.maybe()]
        if required:
            schema["required"] = required
        if self.maybe(0.4):
            schema["additionalProperties"] = self.random.choice([False, False, {"type": "integer"}])
        if self.maybe(0.15):
            schema["maxProperties"] = max(len(required), 2)
        if self.maybe(0.15):
            schema["patternProperties"] = {"^x": {"type": "boolean"}}
        return schema

    def make_map(self, depth, names):
        return {"type": "object", "additionalProperties": self.schema(depth + 1, names)}

    def make_array(self, depth, names):
        schema = {"type": "array", "items": self.schema(depth + 1, names)}
        if self.maybe(0.4):
            schema["minItems"] = self.random.randint(1, 2)
        if self.maybe(0.4):
            schema["maxItems"] = self.random.randint(2, 4)
        return schema

    def make_tuple(self, depth, names):
        schema = {"type": "array", "prefixItems": [self.schema(depth + 1, names) for _ in range(2)]}
        if self.maybe():
            schema["items"] = self.random.choice([False, {"type": "string"}])
        return schema

    def make_anyOf(self, depth, names):
        return {"anyOf": [self.schema(depth + 1, names) for _ in range(self.random.randint(1, 3))]}

    def make_oneOf(self, depth, names):
        kinds = self.random.sample(["circle", "square", "line"], 2)
        return {
            "oneOf": [
                {
                    "type": "object",
                    "properties": {"kind": {"const": kind}, "size": self.schema(depth + 2, names)},
                    "required": ["kind"],
                }
                for kind in kinds
            ]
        }

    def make_allOf(self, depth, names):
        return {
            "allOf": [
                {"type": "object", "properties": {"a": self.schema(depth + 1, names)}, "required": ["a"]},
                {"properties": {"a": self.schema(depth + 2, names), "b": self.schema(depth + 1, names)}},
            ]
        }

    def make_not(self, depth, names):
        return {"type": ["string", "integer"], "not": self.random.choice([{"const": "a"}, {"type": "integer"}, {"minimum": 5}])}

    def make_if(self, depth, names):
        return {
            "type": "object",
            "properties": {"kind": {"enum": ["p", "q"]}, "v": {"type": ["integer", "string"]}},
            "required": ["kind"],
            "if": {"properties": {"kind": {"const": "p"}}},
            "then": {"properties": {"v": {"type": "integer"}}},
            "else": {"required": ["v"]},
        }

    def make_ref(self, depth, names):
        return {"$ref": "#/$defs/" + self.random.choice(names)}

    def root(self):
        if self.maybe(0.3):
            return {"$defs": {"node": self.schema(1, ["node"]), "leaf": self.schema(2)}} | self.make_object(0, ["node", "leaf"])
        return self.make_object(0, ()) if self.maybe() else self.schema()

    # Instances

    def instance(self, schema, root, depth=0):
        """A value that often is valid."""
        if depth > 6 or isinstance(schema, bool) or self.maybe(0.04):
            return self.anything(depth)
        if "$ref" in schema:
            return self.instance(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root, depth + 1)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        for name in ("anyOf", "oneOf"):
            if name in schema:
                return self.instance(self.random.choice(schema[name]), root, depth + 1)
        if "allOf" in schema:
            parts = [self.instance(part, root, depth + 1) for part in schema["allOf"]]
            objects = [part for part in parts if isinstance(part, dict)]
            return {key: value for part in reversed(objects) for key, value in part.items()} if objects else parts[0]
        kind = schema.get("type", "object" if "properties" in schema or "prefixItems" not in schema else "array")
        if isinstance(kind, list):
            kind = self.random.choice(kind)
        return getattr(self, "some_" + kind)(schema, root, depth)

    def some_string(self, schema, root, depth):
        if "format" in schema:
            return self.random.choice(FORMATS[schema["format"]])
        return self.random.choice(SAMPLES if "pattern" in schema else WORDS + ["abcd", "abcdefghij"])

    def some_integer(self, schema, root, depth):
        step = schema.get("multipleOf", 1)
        bounds = [schema[k] for k in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum") if k in schema]
        if bounds and self.maybe():
            return int(self.random.choice(bounds)) + self.random.randint(-1, 1)
        return self.random.randint(-10, 60) * self.random.choice([1, step])

    def some_number(self, schema, root, depth):
        value = self.random.choice([self.random.randint(-20, 40), self.random.randint(-80, 160) / 4, schema.get("minimum", 0)])
        return int(value) if value == int(value) else value

    def some_boolean(self, schema, root, depth):
        return self.maybe()

    def some_null(self, schema, root, depth):
        return None

    def some_array(self, schema, root, depth):
        prefix = schema.get("prefixItems", [])
        count = self.random.randint(0, 3 if depth < 4 else 0) + (len(prefix) if self.maybe(0.8) else 0)
        items = schema.get("items", True)
        return [
            self.instance(prefix[i] if i < len(prefix) else items if not items is False else True, root, depth + 1)
            for i in range(min(count, 4 + len(prefix)))
        ]

    def some_object(self, schema, root, depth):
        result = {}
        for key, value in schema.get("properties", {}).items():
            if key in schema.get("required", []) and self.maybe(0.93) or self.maybe():
                result[key] = self.instance(value, root, depth + 1)
        if self.maybe(0.3) and depth < 4:
            others = schema.get("additionalProperties", True)
            result[self.random.choice(["x1", "other", "xa"])] = self.instance(others or True, root, depth + 1)
        return result

    def anything(self, depth):
        return self.random.choice([None, True, 3, -1.5, "s", [], {}, [1], {"q": 1}])


def main():
    lines, seed = [], 0
    while len(lines) < 360:
        seed += 1
        maker = Maker(seed)
        schema = maker.root()
        if len(json.dumps(schema)) > 900:
            continue
        try:
            Validator.check_schema(schema)
            validator = Validator(schema, format_checker=Validator.FORMAT_CHECKER)
            valid, invalid = [], []
            for _ in range(80):
                value = maker.instance(schema, schema)
                text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
                # An integer that is written with a point is valid, and never written.
                if len(text) > 300 or re.search(r"\d\.0\b|\de", text):
                    continue
                target = valid if validator.is_valid(value) else invalid
                if text not in target and len(target) < 6:
                    target.append(text)
        except RecursionError:
            continue
        if valid:
            lines.append({"schema": schema, "valid": valid, "invalid": invalid})
    for line in lines:
        print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))


main()
