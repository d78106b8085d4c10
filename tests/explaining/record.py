"""Writes the texts of the ten recipes anew: `python -m tests.explaining.record`.

What has changed is read by a person before it is committed: these texts are what the tests compare with.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bff.explaining.mermaid import mermaid
from bff.explaining.nodes import drawing_of
from bff.explaining.report import report
from bff.explaining.subject import subject_of
from tests.explaining.project import RECIPES, TEN, page_of, write_ten


def record() -> None:
    """Write what explain and graph say of each."""
    with tempfile.TemporaryDirectory() as folder:
        root = write_ten(Path(folder))
        for stem in TEN:
            subject = subject_of(root, page_of(stem))
            (RECIPES / f"{stem}.txt").write_text(report(subject), "utf-8")
            (RECIPES / f"{stem}.mmd").write_text(mermaid(drawing_of(subject)), "utf-8")


if __name__ == "__main__":
    record()
