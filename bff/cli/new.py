"""`new` and `add`: a project that runs, passes its own check and its own tests, and what comes into it later."""

from __future__ import annotations

import sys
from pathlib import Path

from bff.scaffold import added, files_of, write_beside, write_new
from bff.scaffold.probe import ask
from bff.text import counted

_VITE = """
vite.config.js takes it so:

  import bff from './vite-plugin-bff.js';
  export default {plugins: [bff()]};

bff dev --run 'npm run dev' starts both."""


def new(name: str, template: str, url: str | None) -> int:
    """Write the folder NAME, and say what to do there; raises OperatorError where it is there already."""
    folder = Path(name)
    asked = None if url is None else ask(url)
    files = files_of(folder.resolve().name, template, asked)
    write_new(folder, files)
    if asked is not None and asked.trouble:
        print(f"{asked.origin}{asked.target} {asked.trouble}: its page hands on whatever it answers.")
    print(f"{folder} has {counted(len(files), 'file')}. What next:\n")
    print(f"  cd {folder}\n  bff dev       # http://127.0.0.1:5000\n  bff check\n  pytest\n")
    print("AGENTS.md is one page of how to write recipes, for a colleague or a coding assistant.")
    return 0


def add(root: Path, kind: str, name: str | None, *, client: str | None, path: str | None) -> int:
    """Write the files of a page, a client, CI or a plugin into a project, name them, and say what is to do."""
    files = added(root.resolve(), kind, name, client=client, path=path)
    write_beside(root, files)
    for file in files:
        print(root / file)
    if kind == "client":
        print(
            "Its address is an example: write the backend's, and a page with it: bff add page",
            file=sys.stderr,
        )
    if kind == "vite":
        print(_VITE)
    return 0
