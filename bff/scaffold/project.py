"""The files of a new project: those that all have, those of its template, and the page of a backend that was asked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bff.deploy.pins import LOCKS
from bff.dev.rows import FILE, PORT
from bff.errors import OperatorError
from bff.expressions.functions import FUNCTIONS
from bff.recipe.keys import KEYS, SCOPE_NAMES
from bff.recipe.schema import recipe_schema
from bff.scaffold.backend_page import files_for
from bff.scaffold.probe import Asked

TEMPLATES: Final = ("blank", "list", "sign-in")
LOCAL: Final = f"http://127.0.0.1:{PORT}"
"""Where `bff dev` serves the rows of a project's backend.json."""

_FOLDER: Final = Path(__file__).with_name("templates")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_HOLE: Final = re.compile(r"\{\{([a-z ]+)\}\}")
_IN_HAND: Final = {
    "gitignore": ".gitignore",
    "vscode.json": ".vscode/settings.json",
    "conftest.py": "tests/conftest.py",
}
"""Where files of the templates go whose names would mean something here."""
_KEYS_OF_SESSIONS: Final = (
    "# Encrypts sessions. A new one: python -c "
    "'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'\nBFF_SESSION_KEYS=\n"
)


def files_of(name: str, template: str, asked: Asked | None) -> dict[str, str]:
    """The files of a project of this name, by path; with `asked` its pages are about what that backend answered."""
    if not _NAME.fullmatch(name):
        raise OperatorError(
            f"{name!r} is no name for a project: begin with a letter, and go on with letters, digits, - and _"
        )
    url = LOCAL if asked is None else asked.origin
    signs_in = template == "sign-in"
    values = {
        "name": name,
        "url": url,
        "about": "The backend of this project.",
        "variable": "BACKEND_URL",
        **_words_of_the_language(),
    }
    found = {**read_template("common"), **read_template(template)}
    client = found.pop("client.py")
    if template == "list":
        found["clients/backend.py"] = client
    if asked is not None:
        found.pop(FILE, None)
        if template == "list":
            found = {path: text for path, text in found.items() if not _is_of_the_example(path)}
            found |= files_for(asked)
    found = {path: filled(text, values) for path, text in found.items()}
    variables = "" if template == "blank" else f"# BACKEND_URL={url}\n"
    found[".env.example"] = "# What the pages take from the environment.\n" + variables
    found[".env.example"] += _KEYS_OF_SESSIONS if signs_in else ""
    found["recipe.schema.json"] = json.dumps(recipe_schema(), indent=2, ensure_ascii=False) + "\n"
    found["requirements.txt"] = next(lock for lock in LOCKS if lock.is_file()).read_text("utf-8")
    return dict(sorted(found.items()))


def filled(text: str, values: Mapping[str, str]) -> str:
    """A template with its holes filled; a hole that nobody fills stays."""
    return _HOLE.sub(lambda hole: values.get(hole[1], hole[0]), text)


def _is_of_the_example(path: str) -> bool:
    return path.startswith("orchestrations/") or path == "tests/test_items.py"


def read_template(template: str) -> dict[str, str]:
    """The files of a template by their path in a project, with holes."""
    folder = _FOLDER / template
    # They end in .txt because they are no modules and recipes of ours, which tools would read.
    names = {path.relative_to(folder).as_posix()[:-4]: path for path in folder.rglob("*.txt")}
    return {_IN_HAND.get(name, name): path.read_text("utf-8") for name, path in names.items()}


def _words_of_the_language() -> dict[str, str]:
    def listed(names: object) -> str:
        return ", ".join(f"`{name}`" for name in names)  # type: ignore[attr-defined]

    return {
        "recipe keys": listed(key.name for key in KEYS["recipe"]),
        "request keys": listed(key.name for key in KEYS["request"]),
        "scope names": listed(SCOPE_NAMES),
        "functions": listed(sorted(FUNCTIONS)),
    }
