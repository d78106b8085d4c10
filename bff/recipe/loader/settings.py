"""The settings of a project: the table `[tool.bff]` of its pyproject.toml.

A setting is written there as in its environment variable, or as TOML has it: a number, a switch, a list. Secrets are
refused. No finding shows a value, since one in the wrong place may be a secret: the line ends with its `=`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bff.errors import Finding, Place
from bff.recipe.source.text import Source
from bff.settings import SETTINGS, variable_of
from bff.text import nearest

FILE = "pyproject.toml"
_TABLE = ("tool", "bff")
_MAX_BYTES = 1024 * 1024
_SECRET = re.compile(r"(?:^|_)(?:key|token|secret|password|passwd|pwd|credential)s?(?:_|$)")
_CREDENTIALS = re.compile(r"://[^/\s]*@")
_NO_SETTINGS = "\0"
"""A text that no setting takes, for a value of a kind that it has not."""

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*"
_HEADER = re.compile(rf"[ \t]*\[{_DOTTED}\]")
_KEY = re.compile(rf"{_DOTTED}=")
# What looks like a key in one of these is none; but a quoted key is one.
_TEXTS_AND_COMMENTS = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*', re.S
)
_AFTER_A_KEY = re.compile(r"[ \t]*[.=\]]")

_Problem = tuple[str, str]
"""What is wrong, and its cure."""


def project_settings(root: Path) -> tuple[dict[str, str], list[Finding]]:
    """The texts of the settings that a project has, by their names; and every mistake in them."""
    path = root / FILE
    if not path.is_file():
        return {}, []
    try:
        raw = path.read_bytes()
        text = raw[:_MAX_BYTES].decode()
    except OSError as error:
        return {}, [Finding(Place(FILE, 1, 1), f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError as error:
        return {}, [Finding(Place(FILE, raw.count(b"\n", 0, error.start) + 1, 1), "is not UTF-8 text")]
    if "bff" not in text:  # whatever else is wrong with the file is for others to say
        return {}, []
    if len(raw) > _MAX_BYTES:
        message = f"has {len(raw):,} bytes; with settings it may have {_MAX_BYTES:,}"
        return {}, [Finding(Place(FILE, 1, 1), message)]
    return _settings_of(Source(FILE, text))


def _settings_of(source: Source) -> tuple[dict[str, str], list[Finding]]:
    try:
        tool = tomllib.loads(source.text).get("tool")
    except tomllib.TOMLDecodeError as error:
        return {}, [_syntax_finding(source, str(error))]
    except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
        return {}, [Finding(Place(FILE, 1, 1), "is no TOML that can be read")]
    table = tool.get("bff", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        return {}, [
            _finding(source, (), ("tool.bff is no table", "write [tool.bff], and a line for each setting"))
        ]
    texts = {name: _text(name, value) for name, value in table.items()}
    problems = {name: _problem(name, text) for name, text in texts.items()}
    findings = [_finding(source, (name,), problem) for name, problem in problems.items() if problem]
    return {name: text for name, text in texts.items() if not problems[name]}, findings


def _text(name: str, value: Any) -> str:
    """A value as the environment would have it."""
    default = SETTINGS[name].default if name in SETTINGS else ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value) if isinstance(default, bool) else _NO_SETTINGS
    if isinstance(value, int) and isinstance(default, int | float) and abs(value) < 10**15:
        return str(value)
    if isinstance(value, list) and isinstance(default, tuple):
        parts = [one for one in value if isinstance(one, str) and "," not in one]
        return ",".join(parts) if len(parts) == len(value) else _NO_SETTINGS
    return _NO_SETTINGS


def _problem(name: str, text: str) -> _Problem | None:
    plain = name.lower().replace("-", "_").removeprefix("bff_")
    declared = SETTINGS.get(plain)
    if declared is not None and declared.secret:
        return (
            f"{plain} is a secret",
            f"take it out of the file: {variable_of(plain)} stands in the environment only",
        )
    if name not in SETTINGS:
        return _unknown(name, plain)
    if _CREDENTIALS.search(text):
        return f"{name} holds a user name or a password", "take it out of the file: it stays in its history"
    try:
        SETTINGS[name].parse(text)
    except ValueError as error:
        return f"{name}: expected {error}", ""
    return None


def _unknown(name: str, plain: str) -> _Problem:
    if _SECRET.search(plain):
        return "this looks like a secret", "take it out of the file: secrets stand in the environment only"
    known = [name for name, declared in SETTINGS.items() if not declared.secret]
    near = nearest(plain, known)
    shown = f" {name}" if re.fullmatch("[A-Za-z0-9_-]{1,60}", name) else ""
    cure = f"did you mean {near}?" if near else f"the settings are {', '.join(sorted(known))}"
    return f"unknown setting{shown}", cure


# --- places ----------------------------------------------------------------------------------------------------------


def _finding(source: Source, key: tuple[str, ...], problem: _Problem) -> Finding:
    """The finding about a key of the table; at the nearest that is found above it where it is written otherwise."""
    wanted, found, most = (*_TABLE, *key), (0, 1), 0
    for path, start, stop in _keys(source.text):
        same = next(
            (at for at, (one, other) in enumerate(zip(path, wanted, strict=False)) if one != other), None
        )
        length = len(path) if same is None else 0
        if most < length <= len(wanted) or (same is None and length > len(wanted) > most):
            found, most = (start, stop), min(length, len(wanted))
    return _shown(source, *found, *problem)


def _keys(text: str) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Each header and key that a line begins with: its whole path, and where it stands."""
    plain = _TEXTS_AND_COMMENTS.sub(_blank, text)
    header: tuple[str, ...] = ()
    at = 0
    for line in plain.splitlines(keepends=True):
        if match := _HEADER.match(line):
            header = _parts(match[1])
            yield header, at + match.start(1), at + match.end(1)
        elif line.lstrip().startswith("[["):
            header = ("[[",)
        elif match := _KEY.match(line):
            yield (*header, *_parts(match[1])), at + match.start(1), at + match.end(1)
        at += len(line)


def _blank(match: re.Match[str]) -> str:
    """As many spaces and lines, where it is no quoted key."""
    if match[0][0] != "#" and "\n" not in match[0] and _AFTER_A_KEY.match(match.string, match.end()):
        return match[0]
    return re.sub(r"[^\n]", " ", match[0])


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))


def _syntax_finding(source: Source, said: str) -> Finding:
    """The finding about what is no TOML, without its line: in a file that nobody can read any may be a secret's."""
    match = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", said)
    if match is None:
        return Finding(Place(FILE, 1, 1), f"is no TOML: {said}")
    place = Place(FILE, int(match[1]), int(match[2])) if match[1] else source.place(len(source.text))
    return Finding(place, f"is no TOML: {said[: match.start()]}")


def _shown(source: Source, start: int, stop: int, message: str, hint: str) -> Finding:
    """A finding with its line up to the `=`."""
    mark = source.mark(start, stop)
    before, equals, _ = mark.source.partition("=")
    return Finding(mark.place, message, f"{before}{equals} …" if equals else before, mark.length, hint)
