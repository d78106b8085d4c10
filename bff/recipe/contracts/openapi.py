"""What an OpenAPI description (3.0 or 3.1) promises of the requests that steps make."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import yaml

from bff.errors import Finding, Place
from bff.expressions.tree import PathTemplate
from bff.recipe.contracts.document import Document, Table
from bff.recipe.contracts.operations import (
    HOLE,
    PARAMETER,
    Template,
    candidates,
    matching,
    path_of,
    template_of,
)
from bff.recipe.contracts.promise import Promise
from bff.text import nearest
from bff.types.model import NULL, Type, Unknown, union_of
from bff.types.schemas import Schemas, UnknownReference, resolved

_METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
_EMPTY = {"204", "205"}
_JSON = re.compile(r"(?:application/(?:[\w.+-]+\+)?json|application/\*|\*/\*)\s*(?:;.*)?", re.IGNORECASE)


class OpenApi:
    """The description in a document; `findings` grow while operations are read."""

    def __init__(self, document: Document, base_path: str = "", *, enforced: bool = True) -> None:
        self.findings: list[Finding] = list(problems_of(document))
        self._document = document
        self._base = base_path
        self._enforced = enforced
        self._promises: dict[tuple[str, str], Promise | None] = {}
        self._root: Mapping[str, Any] = {} if self.findings else document.root
        self._references = _References(document, self._root, self.findings)
        self._schemas = Schemas(self._root, document.place_of, said=self._references.say)

    def promise(self, method: str, path: PathTemplate) -> Promise | None:
        """What a request is answered with when all is well; None where the description lists no such operation."""
        key = method, path_of(path)
        if key not in self._promises:
            found = self._operation(*key)
            self._promises[key] = None if found is None else self._promise_of(found)
        return self._promises[key]

    def missing(self, method: str, path: PathTemplate) -> Promise:
        """What is known of a request that the description does not list: why nothing is, and what is nearest."""
        file = self._document.source.file
        known = [
            template for one in self._candidates(path_of(path)) for template in matching(one, self._templates)
        ]
        if known:
            methods = ", ".join(word.upper() for word in _METHODS if word in self._item(known[0].written))
            return self._nothing(f"{file} lists no {method} of {known[0].written}", f"it has: {methods}")
        listed = [one.written for one in self._templates if method.lower() in self._item(one.written)]
        shapes = {PARAMETER.sub(HOLE, written): written for written in listed}
        near = shapes.get(nearest(path_of(path), shapes) or "")
        cure = f"did you mean {near}?" if near else "add it there, or correct the path"
        return self._nothing(f"{file} lists no {method} {path.text}", cure)

    def _nothing(self, cause: str, cure: str) -> Promise:
        return Promise(Unknown(cause, cure), enforced=False, source=f"{self._document.source.file}:1")

    # --- operations ----------------------------------------------------------------------------------------------

    @cached_property
    def _templates(self) -> list[Template]:
        paths = self._root.get("paths")
        return (
            [template_of(path) for path in paths if path.startswith("/")]
            if isinstance(paths, Mapping)
            else []
        )

    @cached_property
    def _servers(self) -> list[str]:
        servers = self._root.get("servers")
        found = servers if isinstance(servers, Sequence) and not isinstance(servers, str) else ()
        return [_path_of_server(server) for server in found if isinstance(server, Mapping)]

    def _candidates(self, path: str) -> list[str]:
        return candidates(path, self._base, self._servers)

    def _operation(self, method: str, path: str) -> Mapping[str, Any] | None:
        for one in self._candidates(path):
            for template in matching(one, self._templates):
                operation = self._item(template.written).get(method.lower())
                if isinstance(operation, Mapping):
                    return operation
        return None

    def _item(self, path: str) -> Mapping[str, Any]:
        return self._whole(self._root["paths"][path])

    def _whole(self, part: Any) -> Mapping[str, Any]:
        """A part of the description, or what it refers to; nothing where that is nothing."""
        for _ in range(8):
            if not isinstance(part, Mapping):
                break
            reference = part.get("$ref")
            if not isinstance(reference, str):
                return part
            try:
                part = resolved(self._root, reference)
            except UnknownReference as error:
                self._references.say(part, reference, str(error))
                break
        return {}

    # --- replies -------------------------------------------------------------------------------------------------

    def _promise_of(self, operation: Mapping[str, Any]) -> Promise:
        found = self._reply(operation)
        known = not isinstance(found, Unknown)
        return Promise(found, self._enforced and known, self._document.place_of(operation))

    def _reply(self, operation: Mapping[str, Any]) -> Type:
        listed = operation.get("responses")
        responses = listed if isinstance(listed, Mapping) else {}
        good = {
            code: responses[code] for code in responses if re.fullmatch("2([0-9]{2}|XX)", code, re.IGNORECASE)
        }
        if not good and "default" in responses:
            good = {"default": responses["default"]}
        bodies = [
            body for code, response in good.items() for body in self._bodies(code, self._whole(response))
        ]
        described = [body for body in bodies if body is not None]
        if not described:
            cause = f"{self._document.place_of(operation)} describes no JSON body of a good reply"
            return Unknown(cause, "write it there: responses: 200: content: application/json: schema:")
        return union_of(*described, *([NULL] if len(described) < len(bodies) else []))

    def _bodies(self, code: str, response: Mapping[str, Any]) -> Iterator[Type | None]:
        """The types of a response's JSON bodies; None where it describes no body."""
        content = response.get("content")
        if code in _EMPTY:
            yield NULL
        elif not isinstance(content, Mapping) or not len(content):
            yield None
        else:
            for kind in content:
                media = content[kind]
                if _JSON.fullmatch(kind) and isinstance(media, Mapping) and "schema" in media:
                    yield self._schemas.type_of(media["schema"])


class _References:
    """Says which references of a document lead nowhere."""

    def __init__(self, document: Document, root: Mapping[str, Any], findings: list[Finding]) -> None:
        self._document = document
        self._root = root
        self._findings = findings

    def say(self, part: Any, reference: str, why: str) -> None:
        """Note a part's reference, and why it is none; once."""
        node = part.nodes["$ref"][1] if isinstance(part, Table) else None
        if node is None:
            return
        hint = "write what it stands for into this file: '#/components/…'"
        if reference.startswith("#"):
            near = _nearest_reference(self._root, reference)
            hint = f"did you mean {near}?" if near else ""
        finding = self._document.finding(node, f"the $ref {reference} {why}", hint)
        if finding not in self._findings:
            self._findings.append(finding)


def problems_of(document: Document) -> Iterator[Finding]:
    """What keeps a document from being a description that can be read."""
    root = document.root
    start = Place(document.source.file, 1, 1)
    cure = "a schema is an OpenAPI description, 3.0 or 3.1, in YAML or JSON"
    if not isinstance(root, Table):
        yield Finding(start, "is no mapping", hint=cure)
    elif "swagger" in root:
        node = root.nodes["swagger"][1]
        yield document.finding(node, f"Swagger {_text(node)} is not read", "convert it to OpenAPI 3.0 or 3.1")
    elif "openapi" not in root:
        yield Finding(start, "has no key 'openapi'", hint=cure)
    elif not re.fullmatch(r"3\.\d+(\.\d+)?", _text(root.nodes["openapi"][1])):
        node = root.nodes["openapi"][1]
        yield document.finding(node, f"OpenAPI {_text(node)} is not read", "3.0 and 3.1 are")
    elif "paths" in root and not isinstance(root["paths"], Table):
        yield document.finding(
            root.nodes["paths"][1], "'paths' is no mapping", "write /path: and its operations"
        )


def _text(node: yaml.Node) -> str:
    return str(node.value)[:30] if isinstance(node, yaml.ScalarNode) else "without a version"


def _path_of_server(server: Mapping[str, Any]) -> str:
    """The path of a server's address, its variables at their defaults."""
    url, variables = server.get("url"), server.get("variables")

    def default(found: re.Match[str]) -> str:
        variable = variables.get(found[1]) if isinstance(variables, Mapping) else None
        return str(variable.get("default", "")) if isinstance(variable, Mapping) else ""

    written = re.sub(r"\{([^{}]*)\}", default, url) if isinstance(url, str) else ""
    try:
        return urlsplit(written).path.rstrip("/")
    except ValueError:
        return ""


def _nearest_reference(root: Mapping[str, Any], reference: str) -> str | None:
    """The reference to what has the nearest name, where all but the last part is right."""
    around, _, name = reference.rpartition("/")
    try:
        beside = resolved(root, around)
    except UnknownReference:
        return None
    near = nearest(name, beside) if isinstance(beside, Mapping) else None
    return f"{around}/{near}" if near else None
