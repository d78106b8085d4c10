"""`dev`: serve a project while it is written."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import click

from bff.cli.call import visitor_in
from bff.cli.check import coloured
from bff.dev.serving import Terminal, Wanted, serve


def dev(root: Path, port: int, run: str, who: Path | None, learn: bool) -> int:
    """Serve until it is stopped; mistakes are printed as `check` prints them."""
    # Threads have no context of click's to ask for this.
    write = partial(click.echo, color=False if os.environ.get("NO_COLOR") else None)
    wanted = Wanted(port, run, None if who is None else visitor_in(who), learn)
    return serve(root, wanted, Terminal(write, lambda finding: write(coloured(finding))))
