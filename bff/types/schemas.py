"""JSON Schemas as types: those of 2020-12, of OpenAPI 3.0 (`nullable`) and of 3.1 (lists of types).

A schema says which values may come; a type says as much of that as pages use. What it leaves out (lengths, patterns,
formats, `not`, `if`) makes it wider, never narrower. Members that a schema does not list are taken for absent, unless
it lists none at all or says `additionalProperties`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec.structs import replace

from bff.types.intersection import intersection
from bff.types.model import (
    BOOLEAN,
    INTEGER,
    NEVER,
    NULL,
    NUMBER,
    STRING,
    Array,
    Literal,
    Member,
    Named,
    Record,
    Type,
    Unknown,
    options,
    union_of,
)

Schema: TypeAlias = Mapping[str, Any]
PlaceOf: TypeAlias = Callable[[Any], str]
"""The place (`file:line`) of a part of a schema, '' where nobody knows it."""

MOST_NESTED = 60
_FAR = 30
"""How deep a schema stands within others until what it refers to is known by its name, and read after them."""
_SCALARS = {"string": STRING, "integer": INTEGER, "number": NUMBER, "boolean": BOOLEAN, "null": NULL}
_OF_OBJECTS = ("properties", "additionalProperties", "patternProperties", "unevaluatedProperties", "required")
_OF_ARRAYS = ("items", "prefixItems")
_OF_OTHERS = ("$ref", "allOf", "oneOf", "anyOf")
_OF_SELF = (*_OF_OBJECTS, *_OF_ARRAYS, "type", "enum", "const")
_BARE = Record((), Unknown())
_OBJECT = Record(())
_SCALAR_KINDS = (STRING, NUMBER, BOOLEAN, NULL)


def type_of_schema(
    schema: Schema | bool, root: Schema | None = None, place_of: PlaceOf | None = None, *, reply: bool = True
) -> Type:
    """The type of what a schema describes; `root` is what its `$ref` count from, by default itself.

    In a `reply` nothing is that is `writeOnly`, and `properties` or `items` without a `type` mean objects or lists.
    What visitors send is held to the letter of a schema: there it may be of any other type too. What cannot be read
    is unknown, and says why.
    """
    if root is None:
        root = schema if isinstance(schema, Mapping) else {}
    return Schemas(root, place_of, reply=reply).type_of(schema)


class UnknownReference(LookupError):
    """A `$ref` that leads nowhere in its own file; its text says why."""


def resolved(root: Schema, reference: str) -> Any:
    """What a `$ref` stands for; raises UnknownReference where it is of another file, or nothing is there."""
    if not reference.startswith("#"):
        raise UnknownReference("is of another file")
    if reference != "#" and not reference.startswith("#/"):
        raise UnknownReference("is no path of keys")
    found: Any = root
    for part in reference.split("/")[1:]:
        key = _unescaped(part)
        if isinstance(found, Mapping) and key in found:
            found = found[key]
        elif (
            isinstance(found, Sequence)
            and not isinstance(found, str)
            and key.isdecimal()
            and int(key) < len(found)
        ):
            found = found[int(key)]
        else:
            raise UnknownReference("leads nowhere")
    return found


def _unescaped(part: str) -> str:
    plain = re.sub("%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), part)
    return plain.replace("~1", "/").replace("~0", "~")


class Schemas:
    """The types of one document's schemas. One that contains itself is `Named`, with the name that it has there.

    `said` is told each `$ref` that leads nowhere: the schema that has it, its text, and why.
    """

    def __init__(
        self,
        root: Schema,
        place_of: PlaceOf | None = None,
        *,
        reply: bool = True,
        said: Callable[[Schema, str, str], None] | None = None,
    ) -> None:
        self._root = root
        self._place_of = place_of or (lambda part: "")
        self._reply = reply
        self._said = said
        self._types: dict[str, Type] = {}
        self._names: dict[str, str] = {}
        self._definitions: dict[str, Type] = {}
        self._open: dict[str, int] = {}  # references under way, each with how many values deep it began
        self._waiting: dict[str, Any] = {}  # references that have a name, and are read after all others
        self._depth = 0
        self._values = 0

    def type_of(self, schema: Any) -> Type:
        """The type of a schema in the document."""
        found = self._type_of(schema)
        while self._waiting:
            self._read_waiting(next(iter(self._waiting)))
        return found

    def _type_of(self, schema: Any) -> Type:
        if isinstance(schema, bool):
            return Unknown() if schema else NEVER
        if not isinstance(schema, Mapping):
            return self._unknown(schema, "is no JSON Schema", "write a mapping")
        if self._depth == MOST_NESTED:
            return self._unknown(schema, f"is nested more than {MOST_NESTED} deep", "name its parts")
        self._depth += 1
        try:
            found = self._read(schema)
        finally:
            self._depth -= 1
        return union_of(found, NULL) if schema.get("nullable") is True else found

    def _read(self, schema: Schema) -> Type:
        parts = list(self._parts(schema))
        known = [part for part in parts if part != _BARE and not isinstance(part, Unknown)]
        if known:
            found: Type = known[0]
            for part in known[1:]:
                found = intersection(found, part)
            if _BARE in parts and not self._reply:
                found = intersection(found, _OBJECT)
            if found == NEVER and NEVER not in known:
                return self._unknown(schema, "has parts that exclude each other", "correct the schema")
            if len(known) > 1 and isinstance(found, Record):
                found = replace(found, source=self._place_of(schema))  # where its parts are put together
            return found
        if _BARE in parts:
            return Record((), self._unknown(schema, "lists no properties", "write properties: there"))
        unread = next((part for part in parts if isinstance(part, Unknown) and part.cause), None)
        return unread or self._unknown(schema, "says no type", "write type: there")

    def _parts(self, schema: Schema) -> Iterator[Type]:
        """What a schema says, each of which must hold."""
        if "$ref" in schema:
            yield self._referred(schema)
        yield from self._own(schema)
        for part in _listed(schema, "allOf"):
            yield _BARE if _is_bare(part) else self._type_of(part)
        for word in ("oneOf", "anyOf"):
            if options := _listed(schema, word):
                yield union_of(*(self._type_of(option) for option in options))

    def _own(self, schema: Schema) -> Iterator[Type]:
        """What a schema says itself of type and values."""
        types = schema.get("type")
        if isinstance(types, Sequence):
            kinds = [types] if isinstance(types, str) else types
            of_type: Type | None = union_of(*(self._of_kind(schema, kind) for kind in kinds))
        else:
            of_type = None
        if "const" in schema or isinstance(schema.get("enum"), Sequence):
            values = [schema["const"]] if "const" in schema else schema["enum"]
            yield self._values_of(schema, values, of_type)
        elif of_type is not None:
            yield of_type
        else:
            yield from self._by_its_words(schema)

    def _by_its_words(self, schema: Schema) -> Iterator[Type]:
        """What a schema without `type` says: `properties` of objects, `items` of lists."""
        is_object = any(word in schema for word in _OF_OBJECTS)
        is_array = any(word in schema for word in _OF_ARRAYS)
        if self._reply and (is_object or is_array):
            yield self._of_kind(schema, "object" if is_object else "array")
        elif is_object or is_array:
            record = self._record(schema) if is_object else Record((), Unknown())
            yield union_of(record, self._array(schema), *_SCALAR_KINDS)

    def _of_kind(self, schema: Schema, kind: Any) -> Type:
        if kind == "object":
            return _BARE if _is_bare(schema) else self._record(schema)
        if kind == "array":
            return self._array(schema)
        if isinstance(kind, str) and kind in _SCALARS:
            return _SCALARS[kind]
        return self._unknown(
            schema, "has an unknown type", f"allowed are: {', '.join(_SCALARS)}, array, object"
        )

    def _values_of(self, schema: Schema, values: Sequence[Any], of_type: Type | None) -> Type:
        """The values that are listed, as far as they are of the type; null is one where either says so.

        Where none is, the type counts: `type: string` above numbers without quotes is what a backend means.
        """
        found: list[Type] = []
        for value in values:
            if value is None:
                found.append(NULL)
            elif isinstance(value, str | bool | int | float):
                found.append(Literal(value))
            else:
                return self._unknown(schema, "lists values that are no scalars", "describe them by type:")
        if of_type is None or isinstance(of_type, Unknown):
            return union_of(*found)
        fitting = [one for one in found if intersection(of_type, one) != NEVER]
        nothing = [NULL] if NULL in (*found, *options(of_type)) else []
        return union_of(*(fitting or [of_type]), *nothing)

    def _array(self, schema: Schema) -> Type:
        first = [self._inner(part) for part in _listed(schema, "prefixItems")]
        if "items" not in schema:
            if first:
                return Array(union_of(*first, Unknown()))
            return Array(self._unknown(schema, "says nothing of its items", "write items: there"))
        rest = schema["items"]
        if isinstance(rest, Sequence) and not isinstance(rest, str):  # as it was before 2020-12
            return Array(union_of(*(self._inner(part) for part in rest)))
        return Array(union_of(*first, self._inner(rest)))

    def _record(self, schema: Schema) -> Type:
        listed = schema.get("properties")
        properties = listed if isinstance(listed, Mapping) else {}
        names = schema.get("required")
        required = set(names) if isinstance(names, Sequence) and not isinstance(names, str) else set()
        other = self._other(schema)
        members: dict[str, Member] = {}
        for name, part in properties.items():
            if self._reply and isinstance(part, Mapping) and self._is_write_only(part):
                required.discard(name)
            else:
                members[name] = Member(self._inner(part), name in required)
        for name in names if required and names else ():
            if name in required and name not in members:
                members[name] = Member(Unknown() if other is None else other)
        return Record(tuple(members.items()), other, self._place_of(schema))

    def _is_write_only(self, part: Schema) -> bool:
        if part.get("writeOnly") is True:
            return True
        reference = part.get("$ref")
        try:
            target = resolved(self._root, reference) if isinstance(reference, str) else None
        except UnknownReference:
            return False
        return isinstance(target, Mapping) and target.get("writeOnly") is True

    def _other(self, schema: Schema) -> Type | None:
        """What members hold that are not listed."""
        patterns = schema.get("patternProperties")
        found = [self._inner(part) for part in patterns.values()] if isinstance(patterns, Mapping) else []
        for word in ("additionalProperties", "unevaluatedProperties"):
            if word in schema and schema[word] is not False:
                found.append(self._inner(schema[word]))
                break
        return union_of(*found) if found else None

    def _inner(self, schema: Any) -> Type:
        """The type of a value within the value."""
        self._values += 1
        try:
            found = self._far(schema) if self._depth >= _FAR else None
            return self._type_of(schema) if found is None else found
        finally:
            self._values -= 1

    def _far(self, schema: Any) -> Type | None:
        """The type by name of a schema that does no more than refer to others; None for any other."""
        if not isinstance(schema, Mapping):
            return None
        words = [word for word in (*_OF_SELF, *_OF_OTHERS) if word in schema]
        if words == ["$ref"]:
            found = self._later(schema["$ref"])
        elif words in (["oneOf"], ["anyOf"]):
            options = _listed(schema, words[0])
            found = union_of(*(self._far(option) or self._type_of(option) for option in options))
        else:
            return None
        return union_of(found, NULL) if found is not None and schema.get("nullable") is True else found

    def _later(self, reference: Any) -> Type | None:
        """The name of what a reference stands for, which is read later; None where it leads nowhere."""
        if not isinstance(reference, str):
            return None
        if reference not in self._open and reference not in self._types:
            try:
                target = resolved(self._root, reference)
            except UnknownReference:
                return None
            if not isinstance(target, Mapping):
                return None
            self._waiting[reference] = target
            self._types[reference] = self._named(reference)
        return self._types.get(reference)

    def _read_waiting(self, reference: str) -> None:
        self._definitions[self._names[reference]] = self._opened(reference, self._waiting.pop(reference))

    def _referred(self, schema: Schema) -> Type:
        reference = schema["$ref"]
        if not isinstance(reference, str):
            return self._unknown(schema, "has a $ref that is no text", "write '#/components/schemas/…'")
        if reference in self._open:
            return self._again(schema, reference)
        if reference in self._waiting and self._depth < _FAR:
            self._read_waiting(reference)
        if reference in self._types:
            return self._types[reference]
        try:
            target = resolved(self._root, reference)
        except UnknownReference as error:
            if self._said is not None:
                self._said(schema, reference, str(error))
            cause = f"has the $ref {reference}, which {error}"
            return self._unknown(schema, cause, "write what it stands for into the file")
        found = self._opened(reference, target)
        if reference in self._names:  # it was met within itself
            name = self._names[reference]
            self._definitions[name] = found
            found = Named(name, self._definitions)
        self._types[reference] = found
        return found

    def _opened(self, reference: str, target: Any) -> Type:
        self._open[reference] = self._values
        try:
            return self._type_of(target)
        finally:
            del self._open[reference]

    def _again(self, schema: Schema, reference: str) -> Type:
        """A schema within itself: its name, or nothing that could be known where no value stands between the two."""
        if self._open[reference] == self._values:
            return self._unknown(
                schema, f"has the $ref {reference}, which leads back to it", "correct the schema"
            )
        return self._named(reference)

    def _named(self, reference: str) -> Type:
        if reference not in self._names:
            self._names[reference] = self._name_of(reference)
            self._definitions[self._names[reference]] = Unknown()
        return Named(self._names[reference], self._definitions)

    def _name_of(self, reference: str) -> str:
        last = re.sub(r"\W", "_", _unescaped(reference.rpartition("/")[2])) or "Value"
        plain = f"_{last}" if last[0].isdigit() else last
        names, number = self._definitions, 2
        name = plain
        while name in names:
            name, number = f"{plain}{number}", number + 1
        return name

    def _unknown(self, part: Any, cause: str, cure: str) -> Unknown:
        return Unknown(f"{self._place_of(part) or 'the schema'} {cause}", cure)


def _listed(schema: Schema, word: str) -> Sequence[Any]:
    found = schema.get(word)
    return found if isinstance(found, Sequence) and not isinstance(found, str) else ()


def _is_bare(schema: Any) -> bool:
    """Whether a schema says no more than that there is an object."""
    if not isinstance(schema, Mapping) or schema.get("type") != "object" or schema.get("nullable") is True:
        return False
    words = (*_OF_OBJECTS, "$ref", "allOf", "oneOf", "anyOf", "enum", "const")
    return not any(word in schema for word in words)
