"""The input of a page: names and JSON Schemas, as plain JSON, with each mistake at its place."""

from __future__ import annotations

from typing import Any

from bff.recipe.loader.reading import Reading, Table, kind_of
from bff.recipe.model import Input, Parameter, Schema
from bff.recipe.source import ListNode, MapNode, Node, ScalarNode, mark_of
from bff.text import nearest
from bff.validation import validator_of

TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
# What a type is called elsewhere.
_TYPES_ELSEWHERE = {
    **{"str": "string", "text": "string", "date": "string", "datetime": "string", "uuid": "string"},
    **{"int": "integer", "long": "integer", "float": "number", "double": "number", "bool": "boolean"},
    **{"list": "array", "dict": "object", "map": "object", "none": "null"},
}
_SUBSCHEMA = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_SUBSCHEMAS = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED_SUBSCHEMAS = ("properties", "patternProperties", "$defs", "dependentSchemas")
_UNEVALUATED = ("unevaluatedItems", "unevaluatedProperties")
KEYWORDS = (
    *("type", "enum", "const", "default", "title", "description", "examples", "deprecated", "format"),
    *("minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("multipleOf", "minItems", "maxItems", "uniqueItems", "minContains", "maxContains"),
    *("required", "minProperties", "maxProperties", "dependentRequired"),
    *(*_SUBSCHEMA, *_SUBSCHEMAS, *_NAMED_SUBSCHEMAS, *_UNEVALUATED),
    *("$ref", "$comment", "readOnly", "writeOnly", "contentEncoding", "contentMediaType"),
)
_KEYWORDS_ELSEWHERE = {
    "nullable": "write type: [string, 'null']",
    "optional": "what is not required is optional",
    **dict.fromkeys(("values", "choices", "oneof"), "did you mean 'enum'?"),
    **dict.fromkeys(("min", "max"), "write minimum, maximum, minLength, maxLength, minItems or maxItems"),
}
_FORMATS = ("date", "date-time", "time", "duration", "email", "uuid", "uri", "uri-reference", "hostname")
_MORE_FORMATS = ("idn-email", "idn-hostname", "ipv4", "ipv6", "iri", "iri-reference", "regex", "json-pointer")
FORMATS = (*_FORMATS, *_MORE_FORMATS, "relative-json-pointer", "uri-template")


def plain(node: Node) -> Any:
    """The JSON value that a node stands for."""
    if isinstance(node, MapNode):
        return {key.text: plain(value) for key, value in node.items}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return node.value


class SchemaReading:
    """Reads schemas for one recipe; mistakes go to `reading`."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    def input(self, node: Node) -> Input:
        found = self.reading.table(node, "input", "input") or {}
        return Input(
            path=self._parameters(found, "path"),
            query=self._parameters(found, "query"),
            headers=self._parameters(found, "headers"),
            body=self.body(found["body"][1]) if "body" in found else None,
        )

    def body(self, node: Node) -> Schema | None:
        if isinstance(node, ScalarNode) and node.value is True:
            return {}
        return self.schema("body", node)

    def _parameters(self, found: Table, where: str) -> tuple[Parameter, ...]:
        if where not in found:
            return ()
        node = found[where][1]
        if not isinstance(node, MapNode):
            self.reading.wrong(where, node, "a mapping of names to JSON Schemas")
            return ()
        parameters = (self._parameter(where, key, value) for key, value in node.items)
        return tuple(parameter for parameter in parameters if parameter is not None)

    def _parameter(self, where: str, key: ScalarNode, node: Node) -> Parameter | None:
        required = False
        if isinstance(node, MapNode):
            flags = [value for name, value in node.items if name.text == "required"]
            required = bool(flags) and self.reading.boolean("required", flags[0]) is True
            items = tuple((name, value) for name, value in node.items if name.text != "required")
            node = MapNode(node.source, node.start, node.stop, items, node.flow)
        schema = self.schema(key.text, node)
        if schema is None:
            return None
        if required and "default" in schema:
            self.reading.say(key.whole, f"'{key.text}' is required, so its default is never used", "keep one")
        if schema.get("type") == "object":
            self.reading.say(
                key.whole, f"'{key.text}' is an object; in {where} a value is one text or a list"
            )
        types = schema.get("type")
        if where == "path" and (types == "array" or (isinstance(types, list) and "array" in types)):
            hint = f"write split(path.{key.text}, ',') where it is used"
            self.reading.say(key.whole, f"'{key.text}' is a list; a part of a path is one text", hint)
        return Parameter(key.text, schema, required or where == "path")

    def schema(self, name: str, node: Node) -> Schema | None:
        """A JSON Schema that a validator takes; None after saying what is wrong with it."""
        if not isinstance(node, MapNode):
            self.reading.wrong(name, node, "a JSON Schema", "for example: {type: string}")
            return None
        before = len(self.reading.findings)
        self._walk(node)
        if len(self.reading.findings) > before:
            return None
        schema: Schema = plain(node)
        return schema if self._valid(node, schema) else None

    def _valid(self, node: MapNode, schema: Schema) -> bool:
        """Whether the schema is one, and its defaults fit it; says at which keyword it is not."""
        import jsonschema_rs  # only recipes with input need it

        try:
            jsonschema_rs.meta.validate(schema)
            # Resolves what is referred to within the schema.
            jsonschema_rs.Draft202012Validator(schema)
        except jsonschema_rs.ValidationError as error:
            place = _below(node, error.instance_path)
            self.reading.say(mark_of(place), f"not a JSON Schema: {error.message}")
            return False
        except ValueError as error:
            self.reading.say(node.mark, f"not a JSON Schema: {error}")
            return False
        return self._defaults_fit(node, schema)

    def _defaults_fit(self, node: Node, schema: Any) -> bool:
        """Check the default of the schema and of every property below it."""
        fits = True
        if not isinstance(schema, dict) or not isinstance(node, MapNode):
            return True
        children = {key.text: value for key, value in node.items}
        if "default" in schema:
            # `$ref` needs the whole schema; a default beside one is not looked at.
            alone = validator_of(schema) if "$ref" not in schema else None
            for error in alone.iter_errors(schema["default"]) if alone else ():
                self.reading.say(mark_of(children["default"]), f"the default does not fit: {error.message}")
                fits = False
        for name, below in schema.get("properties", {}).items():
            inner = _below(children["properties"], [name])
            fits = self._defaults_fit(inner, below) and fits
        if "items" in schema:
            fits = self._defaults_fit(children["items"], schema["items"]) and fits
        return fits

    def _walk(self, node: Node) -> None:
        """Say which keywords, types and formats nobody knows: a validator would ignore most of them."""
        if not isinstance(node, MapNode):
            if not (isinstance(node, ScalarNode) and isinstance(node.value, bool)):
                self.reading.say(mark_of(node), f"a JSON Schema is a mapping, not {kind_of(node)}")
            return
        for key, value in node.items:
            self._keyword(key, value)
            if key.text in (*_SUBSCHEMA, *_UNEVALUATED):
                self._walk(value)
            elif key.text in _SUBSCHEMAS and isinstance(value, ListNode):
                for item in value.items:
                    self._walk(item)
            elif key.text in _NAMED_SUBSCHEMAS and isinstance(value, MapNode):
                for _, item in value.items:
                    self._walk(item)

    def _keyword(self, key: ScalarNode, value: Node) -> None:
        if key.text not in KEYWORDS and not key.text.startswith("x-"):
            near = nearest(key.text, KEYWORDS)
            meant = f"did you mean '{near}'?" if near else "it would have no effect"
            hint = _KEYWORDS_ELSEWHERE.get(key.text, meant)
            self.reading.say(key.whole, f"'{key.text}' is no keyword of JSON Schema", hint)
        elif key.text == "type":
            for item in value.items if isinstance(value, ListNode) else (value,):
                self._type(item)
        elif key.text == "format" and isinstance(value, ScalarNode) and value.text not in FORMATS:
            self._unknown("format", value, FORMATS)
        elif key.text == "$ref" and isinstance(value, ScalarNode) and not value.text.startswith("#"):
            self.reading.say(value.whole, "a schema refers only to itself", "write '#/$defs/…'")
        elif key.text == "required" and not isinstance(value, ListNode):
            hint = "in an object: required: [title]; beside a parameter's schema: required: true"
            self.reading.say(
                mark_of(value), f"'required' takes a list of names here, not {kind_of(value)}", hint
            )

    def _type(self, node: Node) -> None:
        if not isinstance(node, ScalarNode):
            self.reading.wrong("type", node, "the name of a type")
        elif node.value is not None and node.text not in TYPES:
            self._unknown("type", node, TYPES, _TYPES_ELSEWHERE.get(node.text.lower()))
        elif node.value is None:
            self.reading.say(
                node.whole, "YAML reads this as nothing", "the type null is written 'null', in quotes"
            )

    def _unknown(self, what: str, node: ScalarNode, known: tuple[str, ...], meant: str | None = None) -> None:
        near = meant or nearest(node.text, known)
        start = f"did you mean '{near}'?  " if near else ""
        hint = f"{start}allowed are: {', '.join(known)}"
        self.reading.say(node.whole, f"unknown {what} '{node.text}'", hint)


def _below(node: Node, path: list[Any]) -> Node:
    """The node at a path of keys and indexes, or the last one on the way that there is."""
    for part in path:
        if isinstance(node, MapNode):
            inner = next((value for key, value in node.items if key.text == part), None)
        elif isinstance(node, ListNode) and isinstance(part, int) and part < len(node.items):
            inner = node.items[part]
        else:
            inner = None
        if inner is None:
            return node
        node = inner
    return node
