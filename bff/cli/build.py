"""`build`: pages in compiled form, in folders that run by themselves, with what brings them to a host."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bff import clock
from bff.cli.building import report
from bff.cli.building.archive import archive
from bff.cli.building.folder import write
from bff.deploy import TARGETS, Bundler, Function, Project, Target
from bff.deploy.layers import FOLDER, Layer, layers_of
from bff.deploy.python import python_of
from bff.deploy.target import INDEX, SITE
from bff.errors import OperatorError
from bff.settings import MIB, PACKAGES
from bff.text import counted, meant


class Wanted(Struct, frozen=True):
    """What the command line asks for; without `pages` all of them. `max_mb` is in MiB, None for the host's own."""

    pages: Sequence[str]
    target: str = "wsgi"
    out: Path = Path("build")
    zipped: bool = False
    arch: str = "x86_64"
    python: str | None = None
    python_bin: Path | None = None
    group: str | None = None
    with_public: bool = False
    max_mb: int | None = None
    show_files: bool = False
    settings: Sequence[str] = ()


def build(root: Path, wanted: Wanted) -> int:
    """Write what a target makes of some pages, or of all where none are named, and say what was written."""
    target, begun = _target(wanted.target), clock.monotonic()
    if wanted.with_public and wanted.group is None:
        raise OperatorError(
            "--with-public puts the files of public/ into one function: name it with --group NAME"
        )
    with closing(python_of(wanted.python, wanted.python_bin)) as python:
        bundler = Bundler(root, python, wanted.arch, _settings(wanted.settings))
        if wanted.with_public:
            _check_files(bundler, target)
        functions = [_told(_with_entry(one, target)) for one in _functions(bundler, wanted, target)]
        if target.layered and len(functions) > 1:
            functions = [replace(one, layers=layers_of(one.bundle)) for one in functions]
        suffix = ".zip" if wanted.zipped else ""
        whole = not wanted.pages
        if wanted.with_public and target.alone and whole:
            print(
                f"--with-public adds nothing: with --all {target.name} has the files anyway", file=sys.stderr
            )
        is_beside = whole and not (target.alone or target.site or wanted.with_public)
        public = bundler.public() if is_beside else {}
        project = Project(bundler.root.name, functions, python.version, wanted.arch, whole, public, suffix)
        too_large = list(_too_large(functions, wanted, target))
        if too_large:
            raise OperatorError("\n".join(too_large))
        layers = _layers_laid_out(project.layers, wanted)
        files = {**_laid_out(functions, target, wanted), **layers, **target.manifests(project), **public}
        write(files, wanted.out)
        with _unpacked(project, target, wanted) as folder:
            for line in report.lines(project, target, python, folder, show_files=wanted.show_files):
                print(line)
    pages = {page for function in functions for page in function.plans}
    what = f"{counted(len(pages), 'page')} for {target.name} in {wanted.out}"
    took = f"{clock.monotonic() - begun:.1f} s"
    print(
        f"{what}: {len(files)} files, {report.size(sum(map(len, files.values())))}, {took}", file=sys.stderr
    )
    return 0


def _target(name: str) -> Target:
    if name not in TARGETS:
        cure = meant(name, TARGETS)
        raise OperatorError(f"no target {name}; {cure}there are: {', '.join(TARGETS)}")
    return TARGETS[name]


def _settings(names: Sequence[str]) -> Sequence[str]:
    for name in names:
        if name not in PACKAGES:
            cure = meant(name, PACKAGES)
            raise OperatorError(f"--setting {name} brings no package; {cure}there are: {', '.join(PACKAGES)}")
    return names


def _functions(bundler: Bundler, wanted: Wanted, target: Target) -> Iterator[Function]:
    """One for each page, or one of all: where a group is named, or the host is one server; and the site's."""
    pages = list(wanted.pages) or None
    if target.alone or wanted.group is not None:
        name = wanted.group or (pages[0] if pages and len(pages) == 1 else bundler.root.name)
        if pages is None and not target.alone:
            pages = list(bundler.pages)
        yield Function(name, bundler.bundle(pages, target.need, with_public=wanted.with_public))
    else:
        for page in pages or bundler.pages:
            yield Function(page, bundler.bundle([page], target.need))
    if target.site and not (wanted.pages or wanted.with_public):
        yield Function(SITE, bundler.bundle(None, target.need))


def _check_files(bundler: Bundler, target: Target) -> None:
    """Raises OperatorError where `public/` is no app for browsers, or has files that the host does not answer with."""
    files = bundler.public()
    if INDEX not in files:
        raise OperatorError(
            f"--with-public needs {bundler.root / INDEX}, which every path without a page answers"
        )
    if target.max_file is None:
        return
    most = report.size(target.max_file)
    too_large = [
        f"{path} has {report.size(len(content))}, and an answer of {target.name} holds a file of {most} at most: "
        "make it smaller, or take it out of public/ and serve it from a bucket or a CDN"
        for path, content in files.items()
        if len(content) > target.max_file
    ]
    if too_large:
        raise OperatorError("\n".join(too_large))


def _told(function: Function) -> Function:
    """A function that is made, with a line for whoever waits at a terminal."""
    if sys.stderr.isatty():
        what = f"{counted(len(function.files), 'file')}, {report.size(_count(function.files))}"
        print(f"{function.name}: {what}", file=sys.stderr, flush=True)
    return function


@contextmanager
def _unpacked(project: Project, target: Target, wanted: Wanted) -> Iterator[Path]:
    """Where the functions stand unpacked: as they were written, or beside that where archives were."""
    if not wanted.zipped:
        yield wanted.out.resolve()
        return
    plain = replace(wanted, zipped=False)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        write({**_laid_out(project.functions, target, plain), **_layers_laid_out(project.layers, plain)}, out)
        yield out


def _with_entry(function: Function, target: Target) -> Function:
    bundle = function.bundle
    return replace(function, bundle=replace(bundle, own={**bundle.own, **target.entry(function)}))


def _laid_out(functions: Sequence[Function], target: Target, wanted: Wanted) -> dict[str, bytes]:
    """All files of the functions by their path in the folder."""
    if target.alone:
        files = dict(functions[0].files)
        return {f"{functions[0].name}.zip": archive(files)} if wanted.zipped else files
    if wanted.zipped:
        return {f"{function.name}.zip": archive(function.files) for function in functions}
    return {
        f"{function.name}/{path}": content
        for function in functions
        for path, content in function.files.items()
    }


def _layers_laid_out(layers: Sequence[Layer], wanted: Wanted) -> dict[str, bytes]:
    """All files of the layers, likewise."""
    if wanted.zipped:
        return {f"{FOLDER}/{layer.name}.zip": archive(layer.files) for layer in layers}
    return {
        f"{FOLDER}/{layer.name}/{path}": content for layer in layers for path, content in layer.files.items()
    }


def _too_large(functions: Sequence[Function], wanted: Wanted, target: Target) -> Iterator[str]:
    most = wanted.max_mb if wanted.max_mb is not None else target.max_mb
    if most is None:
        return
    for function in functions:
        count = sum(map(len, function.bundle.files.values()))
        if count > most * MIB:
            sizes = sorted(
                ((_count(files), name) for name, files in function.bundle.packages.items()), reverse=True
            )
            largest = ", ".join(f"{name} {report.size(found)}" for found, name in sizes[:3])
            yield f"{function.name} has {report.size(count)}, more than {most} MiB; its largest packages: {largest}"


def _count(files: Mapping[str, bytes]) -> int:
    return sum(map(len, files.values()))
