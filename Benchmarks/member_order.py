"""Puts the members of an instance into the order in which its JSON Schema names them.

It knows nothing of the grammars that `maskbench.py` measures: it follows the schema by itself, and asks PyPI's jsonschema which
alternatives hold.
"""

from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

MOST_DEPTH = 40


class MemberOrder:
    def __init__(self, schema):
        self.root = schema
        self.validator = validator_for(schema, default=Draft202012Validator)(schema)

    def put(self, value, schemas=None):
        """The same value, its members in order; those that the schema does not name come last, as they came."""
        schemas = [self.root] if schemas is None else schemas
        if isinstance(value, list):
            elements = [s for keyword, s in self.walk(schemas, value) if keyword == "items"]
            return [self.put(element, elements) for element in value]
        if not isinstance(value, dict):
            return value
        found = list(self.walk(schemas, value))
        named, others = {}, [s for keyword, s in found if keyword == "others"]
        for keyword, content in found:
            for name, schema in content.items() if keyword == "properties" else ():
                named.setdefault(name, []).append(schema)
        for name in [name for keyword, names in found if keyword == "required" for name in names]:
            named.setdefault(name, list(others))
        places = {name: place for place, name in enumerate(named)}
        order = sorted(value, key=lambda name: places.get(name, len(places)))
        return {name: self.put(value[name], named.get(name, others)) for name in order}

    def walk(self, schemas, value, depth=0):
        """What schemas say of members and elements of a value, as pairs of a kind and its content, in the order of the text."""
        for schema in schemas if depth < MOST_DEPTH else ():
            has_members = False
            for keyword, content in schema.items() if isinstance(schema, dict) else ():
                if keyword in ("properties", "patternProperties", "additionalProperties"):
                    # They depend on each other, and count where the first of them stands.
                    if not has_members:
                        yield "properties", schema.get("properties", {})
                        yield from (("others", s) for s in schema.get("patternProperties", {}).values())
                        yield "others", schema.get("additionalProperties", True)
                    has_members = True
                elif keyword == "required" and isinstance(content, list):
                    yield keyword, content
                elif keyword in ("items", "prefixItems", "additionalItems"):
                    yield from (("items", s) for s in (content if isinstance(content, list) else [content]))
                else:
                    yield from self.walk(self.applied(keyword, content, value), value, depth + 1)

    def applied(self, keyword, content, value):
        """The schemas that a keyword applies to the whole value."""
        if keyword == "$ref":
            return [self.target(content)]
        if keyword == "allOf":
            return content
        if keyword in ("anyOf", "oneOf"):
            return [s for s in content if self.validator.evolve(schema=s).is_valid(value)]
        if keyword in ("if", "then", "else"):
            return [content]
        if keyword in ("dependencies", "dependentSchemas") and isinstance(value, dict):
            return [s for name, s in content.items() if name in value]
        return []

    def target(self, reference):
        """The schema that a pointer into the document names; one that says nothing for other references."""
        node = self.root if reference.startswith("#") else {}
        for part in reference.split("/")[1:]:
            part = part.replace("~1", "/").replace("~0", "~")
            node = node[int(part)] if isinstance(node, list) else node.get(part, {})
        return node
