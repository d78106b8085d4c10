"""A command and the group of all: `--root` anywhere, an example in each help, commands in sections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

_ROOT_HELP = "The project folder, that of wsgi.py (default: this one)."


def _keep(context: click.Context, _: click.Parameter, root: Path | None) -> None:
    if root is not None or context.obj is None:
        context.obj = root or Path()


def _root() -> click.Option:
    return click.Option(
        ["--root"],
        type=click.Path(path_type=Path),
        metavar="DIR",
        expose_value=False,
        is_eager=True,
        callback=_keep,
        help=_ROOT_HELP,
    )


class Command(click.Command):
    """A command of a project; `example` is a line that somebody may type."""

    def __init__(self, name: str | None, *, example: str = "", **more: Any) -> None:
        super().__init__(name, **more)
        self.params.append(_root())
        self.example = example

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        if self.example:
            with formatter.section("Example"):
                formatter.write(f"  {self.example}\n")


class Commands(click.Group):
    """All commands, in `sections`: their titles, and the names below each."""

    command_class = Command

    def __init__(self, name: str | None, *, sections: Mapping[str, Sequence[str]], **more: Any) -> None:
        super().__init__(name, **more)
        self.params.append(_root())
        self.sections = sections

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        widest = max(map(len, self.commands))
        for title, names in self.sections.items():
            with formatter.section(title):
                lines = [(name.ljust(widest), self.commands[name].get_short_help_str(80)) for name in names]
                formatter.write_dl(lines)


class Parsed(click.ParamType[Any]):
    """What a function makes of a text; where it makes None, `expected` says what it would take, without the text.

    A value may come from the environment, and be a secret that stands in the wrong place.
    """

    def __init__(self, name: str, parse: Callable[[str], Any], expected: str) -> None:
        self.name = name
        self._parse = parse
        self._expected = expected

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        if not isinstance(value, str):  # a default
            return value
        parsed = self._parse(value)
        if parsed is None:
            self.fail(f"expected {self._expected}", parameter, context)
        return parsed
