"""Functions for AWS as `build` makes them: built once, unpacked elsewhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

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
    command = [sys.executable, "-m", "bff", "--root", str(root), "build", *pages, *options]
    done = subprocess.run(
        [*command, "--target", "aws-lambda", "--out", str(out)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def build_archives(folder: Path, *pages: str, root: Path = ROOT) -> Built:
    return Built(build(folder, pages, "--zip", root=root), folder / "unpacked")
