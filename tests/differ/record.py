"""Writes what is answered now as the right answers: `python -m tests.differ.record [KIND …]`. Read what has changed."""

from __future__ import annotations

import sys

from tests.differ import answers
from tests.differ.differences import settled
from tests.differ.kinds import KINDS
from tests.differ.suite import MISBEHAVIOURS, records

if __name__ == "__main__":
    for kind in sys.argv[1:] or KINDS:
        found = records(kind, MISBEHAVIOURS, "sockets")
        answers.write(kind, {name: settled(kind, name, record) for name, record in found.items()})
        print(answers.stem(kind))
