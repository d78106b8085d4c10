"""The recorded right answers: a file for each kind of step, in which misbehaviours with one record stand together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "answers"

Records = dict[str, dict[str, Any]]
"""By misbehaviour, what came of it."""


def read(kind: str) -> Records:
    groups = json.loads(_file(kind).read_text(encoding="utf-8"))
    return {
        name: {key: value for key, value in group.items() if key != "cases"}
        for group in groups
        for name in group["cases"]
    }


def write(kind: str, records: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes a file whose lines are short enough to be compared, in the order of these records."""
    groups: dict[str, dict[str, Any]] = {}
    for name, record in records.items():
        group = groups.setdefault(json.dumps(record, sort_keys=True), {"cases": [], **record})
        group["cases"].append(name)
    FOLDER.mkdir(exist_ok=True)
    text = "[\n" + ",\n".join(map(_text, groups.values())) + "\n]\n"
    _file(kind).write_text(text, encoding="utf-8")


def kinds() -> set[str]:
    """The kinds of which there are answers, by the names of their files."""
    return {path.stem for path in FOLDER.glob("*.json")}


def stem(kind: str) -> str:
    return kind.replace(", ", "-").replace(" ", "_")


def _file(kind: str) -> Path:
    return FOLDER / f"{stem(kind)}.json"


def _text(group: Mapping[str, Any]) -> str:
    """A line for each part; lists and mappings that are long have one for each of theirs."""
    return "{" + ",\n ".join(f"{json.dumps(key)}: {_part(value)}" for key, value in group.items()) + "}"


def _part(value: Any) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if len(line) <= 160 or not isinstance(value, dict | list):
        return line
    if isinstance(value, list):
        return "[\n   " + ",\n   ".join(json.dumps(part, ensure_ascii=False) for part in value) + "]"
    return (
        "{\n   "
        + ",\n   ".join(
            f"{json.dumps(key)}: {json.dumps(part, ensure_ascii=False)}" for key, part in value.items()
        )
        + "}"
    )
