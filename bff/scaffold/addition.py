"""What is added to a project: a page with its test, a client, a workflow of GitHub, a plugin for Vite."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from bff.errors import OperatorError
from bff.recipe.keys import PLACE_NAMES, SCOPE_NAMES
from bff.scaffold.project import filled, read_template
from bff.text import meant

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_PATH: Final = re.compile(r"/[A-Za-z0-9/_.~-]*(\?[A-Za-z0-9_=&.,~-]*)?")
_EXAMPLE: Final = "http://127.0.0.1:8080"
_WORKFLOW: Final = ".github/workflows/pages.yml"


def added(root: Path, kind: str, name: str | None, *, client: str | None, path: str | None) -> dict[str, str]:
    """The files of a `page`, a `client`, `ci` or `vite`, by path; raises OperatorError for what cannot be added."""
    if not (root / "orchestrations").is_dir():
        raise OperatorError(
            f"no folder orchestrations/ in {root}: add goes into a project, which `bff new` begins"
        )
    if kind == "ci":
        return {_WORKFLOW: read_template("ci")["workflow.yml"]}
    if kind == "vite":
        return read_template("vite")
    if name is None or not _NAME.fullmatch(name) or name in (*SCOPE_NAMES, *PLACE_NAMES):
        raise OperatorError(f"add {kind} takes a name of small letters, digits and _, such as orders")
    if kind == "client":
        values = {"about": f"The backend {name}.", "variable": f"{name.upper()}_URL", "url": _EXAMPLE}
        return {f"clients/{name}.py": filled(read_template("common")["client.py"], values)}
    if client is None and path is None:
        template = read_template("blank")
        return {
            f"orchestrations/{name}.yaml": template["orchestrations/hello.yaml"].replace("hello", name),
            f"tests/test_{name}.py": template["tests/test_hello.py"].replace("hello", name),
        }
    if client is None or path is None:
        raise OperatorError("add page takes --client and --get together: whom it asks, and for what")
    return _page(root, name, client, path)


def _page(root: Path, name: str, client: str, path: str) -> dict[str, str]:
    """A page that asks a client of the project for a path."""
    there = {file.stem: file for file in sorted((root / "clients").glob("[!_]*.py"))}
    if client not in there:
        cure = meant(client, there)
        raise OperatorError(f"no client clients/{client}.py; {cure}there are: {', '.join(there) or 'none'}")
    if not _PATH.fullmatch(path):
        raise OperatorError("--get takes a path of the backend without holes, such as /orders?limit=20")
    asks_as_visitor = "forward_token" in there[client].read_text("utf-8")
    values = {
        "page": name,
        "client": client,
        "path": path,
        "pattern": re.escape(path.partition("?")[0]),
        "auth": "" if asks_as_visitor else "auth: none\n",
    }
    template = read_template("page")
    test = template["visitors.py" if asks_as_visitor else "test.py"]
    return {
        f"orchestrations/{name}.yaml": filled(template["page.yaml"], values),
        f"tests/test_{name}.py": filled(test, values),
    }
