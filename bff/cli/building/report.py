"""What `build` says of what it wrote: files, sizes, start, environment, and what has no effect on the host."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from bff.cli.building.start import start_time
from bff.deploy import Function, Project, Target
from bff.deploy.effects import without_effect
from bff.deploy.layers import FOLDER
from bff.deploy.python import Python, running_version
from bff.settings import KIB, MIB

_MOST_NAMES = 5
_LOOPBACK = re.compile(r"https?://(127\.|localhost\b|\[::1\])")


def lines(
    project: Project, target: Target, python: Python, folder: Path, *, show_files: bool
) -> Iterator[str]:
    """All of it, for people; `folder` is where the functions stand unpacked."""
    functions = project.functions
    if show_files or len(functions) == 1:
        for function in functions:
            yield from _files(function, every=show_files)
            yield ""
    yield from table(
        [("function", "files", "size", "start"), *(_row(one, target, python, folder) for one in functions)]
    )
    yield from _layers(project)
    if not python.has_bytecode:
        yield ""
        yield (
            f"No bytecode: Python {python.version} is not the running one, and the start takes about four times "
            "as long. Name one with --python-bin."
        )
    yield from _environment(functions, target)
    yield from _effects(functions, target)


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows in columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *cells]).rstrip()


def size(count: int) -> str:
    if count < KIB:
        return f"{count} B"
    return f"{count / KIB:.1f} KiB" if count < MIB else f"{count / MIB:.1f} MiB"


def _row(function: Function, target: Target, python: Python, folder: Path) -> tuple[str, ...]:
    files = function.files
    start = "not run here"
    if python.version == running_version() and (target.need.vendored or not function.bundle.packages):
        own = folder if target.alone else folder / function.name
        start = start_time(function, target, own, [folder / FOLDER / one.name for one in function.layers])
    return function.name, str(len(files)), size(sum(map(len, files.values()))), start


def _layers(project: Project) -> Iterator[str]:
    """What functions share, and which of them do."""
    if not project.layers:
        return
    yield ""
    rows = [("layer", "files", "size", "packages", "functions")]
    for layer in project.layers:
        takers = [function.name for function in project.functions if layer in function.layers]
        largest = size(sum(map(len, layer.files.values())))
        packages = (
            layer.packages if len(layer.packages) < _MOST_NAMES else (f"{len(layer.packages)} packages",)
        )
        shown = ", ".join(packages)
        rows.append((layer.name, str(len(layer.files)), largest, shown, _those(takers, project.functions)))
    yield from _left(rows)


def _files(function: Function, *, every: bool) -> Iterator[str]:
    """A line for each file, or for each folder at the top and each package; bytecode belongs to its module."""
    sizes: dict[str, list[int]] = defaultdict(list)
    for name, content in function.bundle.own.items():
        sizes[name if every else _head(name)].append(len(content))
    for package, files in function.bundle.packages.items():
        for name, content in files.items():
            sizes[name if every else f"{package} (package)"].append(len(content))
    for name, found in sorted(sizes.items()):
        count = f" ({len(found)} files)" if len(found) > 1 else ""
        yield f"{size(sum(found)):>10}  {name}{count}"


def _head(name: str) -> str:
    head, slash, _ = name.replace("__pycache__/", "").partition("/")
    return f"{head.partition('.')[0]}.py" if name.startswith("__pycache__/") else head + slash


def _environment(functions: Sequence[Function], target: Target) -> Iterator[str]:
    """Which function takes which variable, and no other function's; says which default is no backend of a host."""
    takers: dict[str, list[str]] = defaultdict(list)
    defaults: dict[str, str | None] = {}
    for function in functions:
        for name, default in function.bundle.variables.items():
            takers[name].append(function.name)
            defaults[name] = default
    if not takers:
        return
    yield ""
    rows = [("variable", "value", "functions")]
    for name in sorted(takers):
        default = defaults[name]
        rows.append((name, "must be set" if default is None else default, _those(takers[name], functions)))
    yield from _left(rows)
    at_home = [name for name in sorted(takers) if _LOOPBACK.match(defaults[name] or "")]
    if at_home and target.name != "wsgi":
        yield f"There {', '.join(at_home)} would lead to the function itself: set the backend's address"


def _effects(functions: Sequence[Function], target: Target) -> Iterator[str]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for function in functions:
        for page, plan in function.plans.items():
            for key, why in without_effect(plan, target):
                if page not in found[key, why]:
                    found[key, why].append(page)
    if not found:
        return
    yield ""
    yield f"No effect on {target.name}, or less than elsewhere:"
    for (key, why), pages in found.items():
        yield f"  {key} ({', '.join(pages)}): {why}"


def _those(names: Sequence[str], functions: Sequence[Function]) -> str:
    return "all" if len(names) == len(functions) > 1 else ", ".join(names)


def _left(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
