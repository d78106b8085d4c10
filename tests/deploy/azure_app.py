"""A built function app of Azure in a process of its own, asked as Azure's worker asks what it has found."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bff.deploy.azure import TARGET
from tests.deploy.isolated import BARE, environ_for, isolated
from tests.deploy.visits import Answer, Ask, Asked

_DRIVER = """
import base64, json, sys

sys.stdout, out = sys.stderr, sys.stdout  # the app has its log lines there

import azure.functions as func
from azure.functions.http import HttpResponseConverter
import bff, function_app

[found] = function_app.app.get_functions()
called = found.get_user_function()
print(json.dumps([bff.__file__, json.loads(found.get_function_json())]), file=out, flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    body = base64.b64decode(asked.pop("body"))
    answer = HttpResponseConverter.encode(called(func.HttpRequest(**asked, body=body)), expected_type=None).value
    headers = [[name, datum.value] for name, datum in answer["headers"].items()]
    cookies = [["Set-Cookie", one.OutputString()] for jar in answer["cookies"] or () for one in jar.values()]
    sent = base64.b64encode(answer["body"].value).decode()
    print(json.dumps([int(answer["status_code"].value), headers + cookies, sent]), file=out, flush=True)
"""


class FunctionApp:
    """The started app; `engine` is the file of its engine, `told` what it tells the host of its function."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.engine, self.told = self._read()

    def asking(self, base_url: str) -> Ask:
        """Asks it; Azure makes the URL of the scheme and the host that the visitor has used."""

        def ask(asked: Asked) -> Answer:
            return self.ask(asked.method, f"{base_url}{asked.path}", dict(asked.headers), asked.body)

        return ask

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        assert self._process.stdin is not None
        asked = {"method": method, "url": url, "headers": dict(headers)}
        line = json.dumps({**asked, "body": base64.b64encode(body).decode()})
        print(line, file=self._process.stdin, flush=True)
        status, found, sent = self._read()
        return Answer(status, tuple((name, value) for name, value in found), base64.b64decode(sent))

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline() or "null")


@contextmanager
def function_app(folder: Path, **variables: str) -> Iterator[FunctionApp]:
    """The function app of a folder, which is as read-only as on its host."""
    paths = {"PYTHONPATH": str(folder / TARGET.need.site)}
    process = subprocess.Popen(
        isolated(folder, [*BARE, "-c", _DRIVER]),
        env=environ_for({**variables, **paths}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield FunctionApp(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
