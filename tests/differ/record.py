"""Writes what is answered now as the right answers: `python -m tests.differ.record [KIND …]`. Read what has changed."""

from __future__ import annotations

import sys

from tests.differ import answers
from tests.differ.kinds import KINDS
from tests.differ.suite import MISBEHAVIOURS, running


def main(kinds: list[str]) -> None:
    with running() as runs:
        for kind in kinds:
            runs.begin(kind, MISBEHAVIOURS, "sockets")
        for kind in kinds:
            answers.write(kind, runs.of(kind, MISBEHAVIOURS, "sockets"))
            print(answers.stem(kind), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(KINDS))
