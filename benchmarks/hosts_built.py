"""The app's pages as they are built for hosts, and what each host starts them by."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZipFile

import yaml

from benchmarks.lineup import ROOT
from benchmarks.servers import DidNotStart
from bff.deploy.container import PACKAGES
from bff.deploy.google import THREADS
from bff.deploy.layers import INSIDE
from bff.settings import MIB

HANDLER = "aws_lambda.handler"
# Where pages differ less: all of them are measured on the other hosts.
SOME = ("home", "login")

# A Python without packages of its own: what a page imports has to be in its folder.
_BARE = (sys.executable, "-S", "-B")
_OF_GOOGLE = {"BFF_TRUSTED_PROXIES": "1", "THREADS": str(THREADS), "BFF_THREADS": str(THREADS)}


@dataclass(frozen=True)
class Place:
    """A page in a built folder, and its host's command there; AWS's is given to the emulator."""

    page: str
    host: str
    command: str
    folder: Path
    bundle_mb: float
    zipped_mb: float | None = None
    words: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)


def build(folder: Path) -> None:
    """Build every page for every host; raises DidNotStart."""
    # Knative's functions are container images of one page each, where `container` makes one of all pages.
    whole = (("aws-lambda", "--all", "--zip"), ("knative", "--all"), ("google", *SOME), ("wsgi", "--all"))
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(lambda asked: _build(folder, *asked), whole))


def places(folder: Path, pages: Sequence[str]) -> list[Place]:
    """What was built there: each page on AWS and in a container, some of them on the others."""
    found = [_on_aws(folder / "aws-lambda", page) for page in pages]
    found += [_in_a_container(folder / "knative" / page) for page in pages]
    some = [page for page in pages if page in SOME]
    found += [_on_google(folder / "google" / page) for page in some]
    return found + [_anywhere(folder / "wsgi", page) for page in some]


def _build(folder: Path, target: str, *asked: str) -> None:
    command = [sys.executable, "-m", "bff", "build", *asked, "--target", target]
    done = subprocess.run([*command, "--out", str(folder / target)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise DidNotStart(f"the pages were not built for {target}: {done.stderr.strip()}")


def _on_aws(out: Path, page: str) -> Place:
    folder = out / page
    with ZipFile(out / f"{page}.zip") as archive:
        archive.extractall(folder)
    layers, shared = _layers_on_aws(out, page), out / "opt" / page
    for layer in layers:
        with ZipFile(layer) as archive:
            archive.extractall(shared)
    return Place(
        page,
        "aws-lambda",
        f"python -m awslambdaric {HANDLER}",
        folder,
        _size(folder) + (_size(shared) if layers else 0),
        sum(path.stat().st_size for path in [out / f"{page}.zip", *layers]) / MIB,
        environ={"PYTHONPATH": str(shared / INSIDE)},
    )


def _layers_on_aws(out: Path, page: str) -> list[Path]:
    """The archives of the layers that the template gives a page's function."""
    resources = yaml.safe_load((out / "template.yaml").read_text("utf-8"))["Resources"]
    [function] = (
        resource["Properties"]
        for resource in resources.values()
        if resource.get("Properties", {}).get("CodeUri") == f"{page}.zip"
    )
    named = (resources[layer["Ref"]]["Properties"]["ContentUri"] for layer in function.get("Layers", ()))
    return [out / place for place in named]


def _in_a_container(folder: Path) -> Place:
    """As the image's Containerfile says, on a Python as bare as its own."""
    said = (folder / "Containerfile").read_text("utf-8")
    entry, command = (re.findall(rf"^{name} (.*)$", said, re.M)[-1] for name in ("ENTRYPOINT", "CMD"))
    words = json.loads(entry) + json.loads(command)
    return Place(
        folder.name,
        "container",
        " ".join(words),
        folder,
        _size(folder),
        words=(*_BARE, *words[1:]),
        environ={"PYTHONPATH": str(folder / PACKAGES)},
    )


def _on_google(folder: Path) -> Place:
    """The framework that is in the page's own folder."""
    words = ("--target", "page")
    return Place(
        folder.name,
        "google",
        " ".join(("functions-framework", *words)),
        folder,
        _size(folder),
        words=(*_BARE, "-m", "functions_framework", *words),
        environ=_OF_GOOGLE,
    )


def _anywhere(folder: Path, page: str) -> Place:
    """The folder of all pages, with packages of the environment."""
    words = ("-m", "bff", "serve")
    command = " ".join(("python", *words))
    return Place(page, "wsgi", command, folder, _size(folder), words=(sys.executable, *words))


def _size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MIB
