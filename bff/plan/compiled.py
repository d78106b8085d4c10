"""The pages of a project in one file, as they run: plans and generated code, without recipes, loader or checker.

`python -m bff build` writes the file, `create_app` reads it where there are no recipes beside it. It is made of pickle
and marshal, so it can do whatever code can do: it is read from the app's own folder only, as the app's own modules are,
and nothing may ever write it there but `build`. Of a recipe's trees is left whether they were written, which is all
that a running page asks of them; clients and functions stay in their modules and are found by their names.

A Python module in its place would have to say all of that in source, and is no faster; JSON would need a reader for
each class. Replies' decoders stand as the paths that they read. A header names the form and the bytecode; sets are
written in order and code without references, so that the same project makes the same bytes. Generated functions are
made when they are first run, and so are the types of replies.
"""

from __future__ import annotations

import io
import marshal
import pickle
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from msgspec import Struct

from bff import jsontext
from bff.errors import AuthorError, OperatorError, Place
from bff.expressions.running import PLACE, Compiled
from bff.expressions.tree import Constant, Each, EachClause, Expression, Let, PathTemplate
from bff.expressions.tree import Mapping as MappingTree
from bff.expressions.tree import Sequence as SequenceTree
from bff.http import Client
from bff.modules import ProjectModules, is_of_project, public_functions
from bff.plan.model import Planned
from bff.recipe.model import Mark, Marks
from bff.text import meant
from bff.validation import Validator

FILE = "pages.compiled"
VERSION = 9
"""Of this form and of all that it names in the engine: what changes either, changes this."""

BELONGS_TOGETHER = "the folder that `python -m bff build` writes belongs together"

ANY_PYTHON = "any Python"
"""What the file says that it is for where it holds source instead of bytecode."""

_KIND = b"bff pages"
_TREES = (Constant, Each, EachClause, Expression, Let, MappingTree, PathTemplate, SequenceTree)
Encode = Callable[[str], bytes | str]
"""What is kept of generated source: the marshalled code of a Python, or for any Python the source itself."""


class CompiledPages(Struct, frozen=True):
    """The content of the file, and the modules that it needs: in `clients/`, and of functions in `orchestrations/`.

    `validates` says whether it holds schemas that are more than plain.
    """

    content: bytes
    clients: tuple[str, ...]
    functions: tuple[str, ...]
    validates: bool


def compile_pages(planned: Planned, encode: Encode, python: str) -> CompiledPages:
    """The pages as they stand in the file: the same bytes for the same project, engine and Python.

    `python` is the `this_python` of that which will run them, or ANY_PYTHON; `encode` makes what that takes.
    """
    plans = io.BytesIO()
    writer = _Writer(plans, planned, encode)
    writer.dump(dict(planned.plans))
    clients, functions = tuple(sorted(writer.clients)), tuple(sorted(writer.functions))
    if planned.whole:  # views by hand may ask for any
        clients = tuple(sorted(planned.clients))
    needs = pickle.dumps((planned.whole, clients, functions), protocol=5)
    settings = jsontext.encode(dict(sorted(planned.settings.items())))
    content = b"%b%b\n%b%b" % (_head(python), settings, needs, plans.getvalue())
    return CompiledPages(content, clients, functions, writer.validates)


def read_settings(root: Path) -> dict[str, str]:
    """The texts of the settings that the project of a folder's file had; raises OperatorError as `read_pages` does."""
    found: dict[str, str] = jsontext.decode(_content(root / FILE).partition(b"\n")[0])
    return found


def read_pages(root: Path, pages: Sequence[str] | None = None) -> Planned:
    """The pages in a folder's file, or some of them.

    Raises OperatorError where the file is of another Python or engine, or something that it needs is not there, and
    AuthorError where a module cannot be imported.
    """
    content = io.BytesIO(_content(root / FILE))
    content.readline()  # the settings, which are read before the pages
    whole, client_names, function_modules = pickle.load(content)
    modules = ProjectModules(root, fresh=False)
    clients = {name: _client(modules, name) for name in client_names}
    functions = {
        name: public_functions(_module(modules, "orchestrations", name)) for name in function_modules
    }
    plans = _Reader(content, clients, functions).load()
    if pages is None:
        return Planned(plans, clients, whole)
    for page in pages:
        if page not in plans:
            cure = meant(page, plans)
            raise OperatorError(f"no page {page} in {root / FILE}; {cure}there are: {', '.join(plans)}")
    return Planned({name: plan for name, plan in plans.items() if name in pages}, clients, False)


def this_python() -> str:
    """Which bytecode the running Python takes."""
    return f"{sys.implementation.cache_tag} {MAGIC_NUMBER[:2].hex()}"


def _head(python: str) -> bytes:
    return b"%s %d for %s\n" % (_KIND, VERSION, python.encode())


def _content(path: Path) -> bytes:
    raw = path.read_bytes()
    head = raw[: raw.find(b"\n", 0, 100) + 1]
    if head in (_head(this_python()), _head(ANY_PYTHON)):
        return raw[len(head) :]
    if not head.startswith(_KIND):
        raise OperatorError(f"{path} was not written by `python -m bff build`")
    theirs, ours = (text.decode("ascii", "replace").strip() for text in (head, _head(this_python())))
    raise OperatorError(f"{path} holds {theirs}, and only {ours} can run here: build it with this Python")


class Stored(Struct, frozen=True):
    """The code of a compiled tree, marshalled or as source: of its fast and of its safe version."""

    fast: bytes | str
    safe: bytes | str

    def __call__(self, fast: bool) -> CodeType:
        stored = self.fast if fast else self.safe
        if isinstance(stored, str):
            return compile(stored, PLACE, "exec")
        code: CodeType = marshal.loads(stored)
        return code


# --- writing -----------------------------------------------------------------------------------------------------


class _Writer(pickle.Pickler):
    """Writes plans; `clients` and `functions` name the modules that they needed."""

    def __init__(self, file: io.BytesIO, planned: Planned, encode: Encode) -> None:
        super().__init__(file, protocol=5)
        self._encode = encode
        self.validates = False
        self.clients: set[str] = set()
        self.functions: set[str] = set()
        self._quotes = {
            id(quote): (name, kind)
            for name, client in sorted(planned.clients.items())
            for kind, quote in (("quote", client.quote), ("quote_like", client.quote_like))
            if quote is not None
        }

    def persistent_id(self, found: Any) -> Any:
        """What is read from the project's modules, or has to be written in an order of its own."""
        if isinstance(found, Client):
            self.clients.add(found.name)
            return "client", found.name
        if id(found) in self._quotes:
            name, kind = self._quotes[id(found)]
            self.clients.add(name)
            return "quote", name, kind
        if isinstance(found, FunctionType) and is_of_project(found):
            module, name = _place_of(found)
            self.functions.add(module)
            return "function", module, name
        if isinstance(found, Validator) and found.needs_library:
            self.validates = True
        if isinstance(found, frozenset):
            return "set", *sorted(found)
        return None

    def reducer_override(self, found: Any) -> Any:
        """What is written in another form than it has."""
        if isinstance(found, _TREES):
            return _written, ()
        if isinstance(found, Marks):
            return _nowhere, ()
        if isinstance(found, Compiled):
            assert found.source_of is not None  # it was generated in this process
            codes = (self._encode(found.source_of(fast)) for fast in (True, False))
            made = (None, found.structs, found.depth, found.patterns)
            return Compiled, (Stored(*codes), found.functions, found.quotes, *made)
        return NotImplemented


def _place_of(function: FunctionType) -> tuple[str, str]:
    """The module that a function of the project stands in, and its name there."""
    module = sys.modules[function.__module__]
    assert module.__file__ is not None
    names = (name for name, found in public_functions(module).items() if found is function)
    return Path(module.__file__).stem, next(names)


# --- reading -----------------------------------------------------------------------------------------------------


class _Reader(pickle.Unpickler):
    def __init__(
        self,
        file: io.BytesIO,
        clients: Mapping[str, Client],
        functions: Mapping[str, Mapping[str, Callable[..., Any]]],
    ) -> None:
        super().__init__(file)
        self._clients = clients
        self._functions = functions

    def persistent_load(self, found: Any) -> Any:
        kind, *names = found
        if kind == "set":
            return frozenset(names)
        if kind == "client":
            return self._clients[names[0]]
        if kind == "quote":
            return getattr(self._clients[names[0]], names[1])
        module, name = names
        function = self._functions[module].get(name)
        if function is None:
            raise OperatorError(f"orchestrations/{module}.py has no function {name}: build the pages again")
        return function


def _module(modules: ProjectModules, folder: str, name: str) -> ModuleType:
    path = modules.root / folder / f"{name}.py"
    if not path.is_file():
        raise OperatorError(f"{path} is missing: {BELONGS_TOGETHER}")
    module, findings = modules.load(path)
    if module is None:
        raise AuthorError(findings)
    return module


def _client(modules: ProjectModules, name: str) -> Client:
    client = getattr(_module(modules, "clients", name), "client", None)
    if not isinstance(client, Client):
        raise OperatorError(f"clients/{name}.py holds no client: build the pages again")
    client.name = name
    return client


_WRITTEN = Constant(None)
_NOWHERE = Marks(Mark(Place("", 1, 1)))


def _written() -> Constant:
    """Stands for every tree of a recipe."""
    return _WRITTEN


def _nowhere() -> Marks:
    """Stands for the places of a recipe's parts."""
    return _NOWHERE
