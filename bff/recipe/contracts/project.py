"""The contracts of a project's clients: the file of `schema=`, and the types that were learned."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bff.errors import Finding, Place
from bff.expressions.tree import PathTemplate
from bff.http import Client
from bff.recipe.contracts.document import read_document
from bff.recipe.contracts.learned import Learned, learned_file
from bff.recipe.contracts.openapi import OpenApi
from bff.recipe.contracts.promise import Promise
from bff.recipe.model import Recipe, Request
from bff.text import nearest

_SUFFIXES = (".yaml", ".yml", ".json")


class ClientContract:
    """What one client's backend promises: its schema says so, or else what was learned; `files` are where."""

    def __init__(self, schema: OpenApi | None, learned: Learned | None, files: tuple[str, ...]) -> None:
        self.files = files
        self._schema = schema
        self._learned = learned

    def promise(self, method: str, path: PathTemplate) -> Promise | None:
        """What it promises of a request; where its schema does not list that, the promise says so."""
        found = None if self._schema is None else self._schema.promise(method, path)
        if found is None and self._learned is not None:
            found = self._learned.promise(method, path)
        if found is None and self._schema is not None:
            found = self._schema.missing(method, path)
        return found

    def describes(self, method: str, path: PathTemplate) -> bool:
        """Whether its schema says what a request is answered with."""
        return self._schema is not None and self._schema.promise(method, path) is not None

    @property
    def findings(self) -> list[Finding]:
        """What is wrong with its files, as far as they were read."""
        return [
            finding for one in (self._schema, self._learned) if one is not None for finding in one.findings
        ]


def contracts_of(
    root: Path, clients: Mapping[str, Client], recipes: Iterable[Recipe]
) -> tuple[dict[str, ClientContract], list[Finding]]:
    """The contracts of those clients that have one, and what is wrong with what recipes use of them."""
    contracts: dict[str, ClientContract] = {}
    findings: list[Finding] = []
    for name, client in clients.items():
        contract, found = _contract_of(root, name, client)
        findings += found
        if contract is not None:
            contracts[name] = contract
    for request in _requests(recipes):
        if request.client in contracts and request.graphql is None:
            contracts[request.client].promise(request.method, request.path)
    return contracts, findings + [finding for one in contracts.values() for finding in one.findings]


def _requests(recipes: Iterable[Recipe]) -> Iterator[Request]:
    for recipe in recipes:
        for step in recipe.steps:
            if isinstance(step, Request):
                yield step
                if step.undo is not None:
                    yield step.undo


def _contract_of(root: Path, name: str, client: Client) -> tuple[ClientContract | None, list[Finding]]:
    schema, learned, files, findings = None, None, [], []
    if client.schema is not None:
        path, problem = _schema_file(root, client.schema)
        if path is None:
            findings.append(_at_argument(root / "clients" / f"{name}.py", root, client.schema, *problem))
        else:
            files.append(path.relative_to(root).as_posix())
            document, found = read_document(path, files[-1])
            findings += found
            if document is not None:
                schema = OpenApi(document, client.base_path, enforced=client.enforces_schema)
    if (root / learned_file(name)).is_file():
        files.append(learned_file(name))
        document, found = read_document(root / files[-1], files[-1])
        findings += found
        learned = None if document is None else Learned(document)
    return (ClientContract(schema, learned, tuple(files)) if files else None), findings


def _schema_file(root: Path, written: str) -> tuple[Path | None, tuple[str, str]]:
    """The file that `schema=` names, or what is wrong with the name and its cure."""
    folder = root / "clients"
    if "://" in written:
        return None, ("a schema is a file of the project, no address", "save it beside the client")
    path = Path(written)
    if path.is_absolute() or "\\" in written or ":" in written:
        return None, ("a schema is named from clients/ on, by no absolute path", "save it beside the client")
    whole = folder / path
    if ".." in path.parts or not whole.resolve().is_relative_to(folder.resolve()):
        return None, ("a schema stands in clients/ or below", "save it beside the client")
    if whole.is_file() and path.suffix in _SUFFIXES:
        return whole, ("", "")
    there = [
        found.relative_to(folder).as_posix()
        for found in sorted(whole.parent.glob("*"))
        if found.suffix in _SUFFIXES and not found.name.endswith(".types.yaml")
    ]
    if whole.is_file():
        return None, (f"a schema is a file of {', '.join(_SUFFIXES)}", "")
    near = nearest(path.as_posix(), there)
    cure = f"did you mean {near}?" if near else f"there are: {', '.join(there)}" if there else ""
    return None, (f"no file clients/{path.as_posix()}", cure)


def _at_argument(path: Path, root: Path, written: str, message: str, hint: str) -> Finding:
    """What is wrong with `schema=`, at its text in the client's file where that stands there."""
    file = path.relative_to(root).as_posix()
    text = path.read_text("utf-8", errors="replace")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.keyword) and node.arg == "schema" and _is_text(node.value, written):
            line = text.splitlines()[node.value.lineno - 1]
            column = len(line.encode()[: node.value.col_offset].decode(errors="replace")) + 1
            length = (node.value.end_col_offset or 0) - node.value.col_offset
            return Finding(Place(file, node.value.lineno, column), message, line, max(1, length), hint)
    return Finding(Place(file, 1, 1), message, hint=hint)


def _is_text(node: ast.expr, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text
