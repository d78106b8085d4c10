"""Functions for AWS as `build` makes them: built once, unpacked elsewhere."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import yaml

from bff.cli import main
from tests.servers import ROOT

HANDLER = "aws_lambda.handler"


@dataclass(frozen=True)
class Built:
    """A build of archives, and where each function of it is unpacked."""

    out: Path
    unpacked: Path

    def function(self, page: str) -> Path:
        """The folder of a page's function."""
        folder = self.unpacked / page
        if not folder.exists():
            with ZipFile(self.out / f"{page}.zip") as archive:
                archive.extractall(folder)
        return folder

    def layers(self, page: str) -> Path | None:
        """What the host has at /opt for a page's function: its layers, one over the other; None for one without."""
        places = layers_in(self.out, page)
        folder = self.unpacked / "opt" / "+".join(place.stem for place in places)
        if places and not folder.exists():
            for place in places:
                with ZipFile(place) as archive:
                    archive.extractall(folder)
        return folder if places else None


def layers_in(out: Path, page: str) -> list[Path]:
    """The layers that the template gives a page's function, in their order."""
    resources = yaml.safe_load((out / "template.yaml").read_text())["Resources"]
    [properties] = (
        resource["Properties"]
        for resource in resources.values()
        if resource.get("Properties", {}).get("CodeUri", "").removesuffix("/") in (page, f"{page}.zip")
    )
    names = [layer["Ref"] for layer in properties.get("Layers", ())]
    return [out / resources[name]["Properties"]["ContentUri"] for name in names]


def build(folder: Path, pages: Sequence[str], *options: str, root: Path = ROOT) -> Path:
    """What `python -m bff build` has written for these pages, or for `--all`."""
    out = folder / "out"
    options = (*options, "--target", "aws-lambda", "--out", str(out))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        status = main(["--root", str(root), "build", *pages, *options])
    assert status == 0, said.getvalue()
    return out


def build_archives(folder: Path, *pages: str, root: Path = ROOT) -> Built:
    return Built(build(folder, pages, "--zip", root=root), folder / "unpacked")
