"""What a client's replies have looked like, in `clients/NAME.types.yaml`: good for warnings, never enforced.

Its keys are requests as recipes write them, `GET /people/{id}`, each with the JSON Schema of the reply.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bff.errors import Finding, Place
from bff.expressions.tree import PathTemplate
from bff.recipe.contracts.document import Document, Table
from bff.recipe.contracts.operations import Template, matching, path_of, template_of
from bff.recipe.contracts.promise import Promise
from bff.types.model import Unknown
from bff.types.schemas import Schemas

_KEY = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/\S*)")
_CURE = "a key is a request such as 'GET /people/{id}', with the JSON Schema of its reply"


def learned_file(client: str) -> str:
    """The file of a client's learned types, as it is printed."""
    return f"clients/{client}.types.yaml"


class Learned:
    """The types in a document of learned ones."""

    def __init__(self, document: Document) -> None:
        self.findings: list[Finding] = list(problems_of(document))
        self._document = document
        root: Mapping[str, object] = {} if self.findings else document.root or {}
        self._root = root
        self._templates: dict[str, list[Template]] = {}
        for key in root:
            method, _, path = key.partition(" ")
            self._templates.setdefault(method, []).append(template_of(path))
        self._schemas = Schemas(root, document.place_of)

    def promise(self, method: str, path: PathTemplate) -> Promise | None:
        """What a request has been answered with; None where nobody has seen it."""
        for template in matching(path_of(path), self._templates.get(method, ())):
            schema = self._root[f"{method} {template.written}"]
            found = self._schemas.type_of(schema)
            if not isinstance(found, Unknown):
                return Promise(found, enforced=False, source=self._document.place_of(schema))
        return None


def problems_of(document: Document) -> Iterator[Finding]:
    """What keeps a document from being one of learned types."""
    root = document.root
    if root is None:
        return
    if not isinstance(root, Table):
        yield Finding(Place(document.source.file, 1, 1), "is no mapping", hint=_CURE)
        return
    for text, (key, value) in root.nodes.items():
        if not _KEY.fullmatch(text):
            yield document.finding(key, "is no request", _CURE)
        elif not isinstance(root[text], Mapping):
            yield document.finding(value, "is no JSON Schema", _CURE)
