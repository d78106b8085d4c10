"""Functions for AWS as `build` makes them: built once, unpacked elsewhere."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

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
