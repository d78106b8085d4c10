"""`benchmarks/results.json`: what was measured, part by part, with machine, versions and date."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema_rs

from benchmarks import installing, machine
from benchmarks.lineup import HERE

RESULTS = HERE / "results.json"
SCHEMA = HERE / "results.schema.json"

# What tells the rows of a part apart.
KEYS: Mapping[str, tuple[str, ...]] = {
    "harness": ("name",),
    "pages": ("name", "work", "users", "backend_ms"),
    "headers": ("name", "more_headers"),
    "app": ("name", "users"),
    "fan_out": ("name", "calls"),
    "sizes": ("name", "reply_kb"),
    "list": ("name", "way"),
    "cold_start": ("name",),
    "lambda": ("name",),
    "hosts": ("page", "host"),
    "static": ("name",),
    "expressions": ("name", "items"),
    "overload": ("name",),
    "sick": ("name", "kind", "breaker", "retries", "fallback"),
    "scale": ("burst", "host", "name"),
}
# What is computed from other parts: it was measured when they were, and with their versions.
_COMPUTED = frozenset({"scale"})
_OURS = ("flask", "granian", "requests", "msgspec")
_PYTHON_PEERS = HERE / "peers" / "python" / "requirements.in"
_NODE_PEERS = HERE / "peers" / "node" / "package.json"


class WrongResults(ValueError):
    """The file is not what its schema says, with the first thing that is wrong."""


def read(path: Path = RESULTS) -> dict[str, Any]:
    """The results so far; none where there is no file."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def merged(
    results: Mapping[str, Any], part: str, rows: list[dict[str, Any]], *, whole: bool, how: Mapping[str, Any]
) -> dict[str, Any]:
    """The results with the rows of one part put in; other parts are as they were.

    A whole run of the part replaces it, where it found anything; a run of some of it replaces its rows alone,
    which then say when they were measured.
    """
    if not rows:
        return dict(results)
    stamp = {"date": _today(), "machine": machine.described(), **how}
    parts = dict(results.get("parts", {}))
    if whole or part not in results:
        kept = rows
        parts[part] = stamp
    else:
        new = {_key(part, row): row | {"measured": stamp} for row in rows}
        kept = [new.pop(_key(part, row), row) for row in results[part]] + list(new.values())
    about = {} if part in _COMPUTED and "versions" in results else about_this_run()
    return {**results, part: kept, "parts": parts} | about


def _key(part: str, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column] for column in KEYS[part])


def about_this_run() -> dict[str, Any]:
    """Machine, versions and date of the run that wrote last."""
    return {"machine": machine.described(), "versions": versions(), "date": _today()}


def versions() -> dict[str, str]:
    """What was measured, by name; of peers what their lock files say."""
    found = {"python": platform.python_version(), **{name: version(name) for name in _OURS}}
    node = _said(["node", "--version"])
    if node:
        found["node"] = node.lstrip("v")
    if go := installing.go():
        found["go"] = _said([go, "env", "GOVERSION"]).removeprefix("go")
    commit = _said(["git", "-C", str(HERE), "rev-parse", "--short=12", "HEAD"])
    if commit:
        found["bff"] = commit
    pinned = dict(line.split("==", 1) for line in _PYTHON_PEERS.read_text().splitlines() if "==" in line)
    packages = json.loads(_NODE_PEERS.read_text("utf-8"))["dependencies"]
    return found | {name: one for name, one in {**pinned, **packages}.items() if name not in found}


def _said(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def check(results: Mapping[str, Any]) -> None:
    """Raises WrongResults where they are not what results.schema.json says."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    found = next(jsonschema_rs.validator_for(schema).iter_errors(dict(results)), None)
    if found is not None:
        place = "/".join(map(str, found.instance_path))
        raise WrongResults(f"results at /{place}: {found.message}")


def write(results: Mapping[str, Any], path: Path = RESULTS) -> None:
    """Check and write, so that a stop in the middle leaves the old file."""
    check(results)
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    beside.replace(path)
