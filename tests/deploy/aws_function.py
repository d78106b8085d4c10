"""A built function of AWS in a process of its own, handed one event after the other."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.deploy.isolated import BARE, environ_for, isolated

_DRIVER = """
import json, sys

sys.stdout, out = sys.stderr, sys.stdout  # the app has its log lines there
sys.path.insert(0, "")

import aws_lambda

for line in sys.stdin:
    print(json.dumps(aws_lambda.handler(json.loads(line), None)), file=out, flush=True)
"""


class AwsFunction:
    """The started function."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def hand(self, event: Any) -> dict[str, Any]:
        """What it gives back for an event."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps(event), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, self.said()
        found: dict[str, Any] = json.loads(line)
        return found

    def said(self) -> str:
        return self._log.read_text()


@contextmanager
def aws_function(folder: Path, log: Path, **variables: str) -> Iterator[AwsFunction]:
    with log.open("w") as errors:
        process = subprocess.Popen(
            isolated(folder, [*BARE, "-c", _DRIVER]),
            env=environ_for(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    with process:
        try:
            yield AwsFunction(process, log)
        finally:
            assert process.stdin is not None
            process.stdin.close()
