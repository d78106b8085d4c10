"""The part `lambda`: a page as a function under AWS's own runtime client and emulator, from its start on.

Beside it the same page written by hand with Flask and requests, behind the same adapter, with dependencies and
bytecode made in the same way. A start is what is between an event for a function that does not run yet and its answer:
Python, imports, the app, the page. The download and the virtual machine of a function are not in it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import platform
import re
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import emulator, fixtures
from benchmarks.answers import first_difference
from benchmarks.lineup import BFF, HERE, HOME, INSTALLED, ROOT
from benchmarks.machine import cores, pinned, tree
from benchmarks.measuring import middle
from benchmarks.parts import Rows, Run
from benchmarks.servers import SESSION_KEY, DidNotStart, backend
from bff.cli.building.archive import archive
from bff.cli.building.folder import write
from bff.deploy.pins import Pins
from bff.deploy.python import running_python, running_version
from bff.deploy.wheels import Wheels
from bff.identity import Session, SessionSeal
from bff.settings import MIB

WARM = 30
"""Pages of each started function after its first."""

_PEER = HERE / "peers" / "python"
_IMPORTED = ("flask", "requests", "orjson", "pydantic", "cryptography", "apig-wsgi")
_WRAPPED = b'''"""The hand-written pages for AWS Lambda."""

from apig_wsgi import make_lambda_handler
from flask_requests import app

handler = make_lambda_handler(app, binary_support=True)
'''
FIGURES = ("first_page_ms", "init_ms", "warm_ms", "memory_mb", "size_mb", "zipped_mb")


@dataclass
class Function:
    """A function in a folder; `cookie` is of somebody who has signed in."""

    name: str
    folder: Path
    handler: str
    environ: Mapping[str, str]
    size_mb: float
    zipped_mb: float
    cookie: str = ""


def run(this: Run) -> Rows:
    """First page, warm page, memory and size: medians of starts that take turns."""
    if lacking := emulator.missing():
        this.missing.append(lacking)
        return []
    found: dict[str, Rows] = defaultdict(list)
    with backend() as asked, pinned(cores().others):
        functions = [_ours(asked.at_once), _by_hand(asked.at_once)]
        for function in functions:
            with this.attempt():
                _sign_in(function)
        for _ in this.each_round():
            for _ in range(this.starts):
                for function in functions:
                    with this.attempt():
                        found[function.name].append(_start(function))
    rows = [{"name": name, **middle(starts, FIGURES)} for name, starts in found.items()]
    for row in rows:
        this.say(
            "    " + ", ".join([f"{row['name']:16}", *(f"{figure} {row[figure]}" for figure in FIGURES)])
        )
    starts_of = {row["name"]: row["first_page_ms"] for row in rows}
    if len(rows) == 2 and starts_of["bff"] > starts_of["flask-requests"]:
        this.fail("lambda: the first page of bff is later than that of the page written by hand")
    return rows


# --- what is measured ----------------------------------------------------------------------------------------------


def _ours(port: int) -> Function:
    project, out = INSTALLED / "lambda-project", INSTALLED / "lambda-bff"
    project.mkdir(parents=True, exist_ok=True)
    for path in (*BFF.folder.iterdir(), ROOT / "requirements.txt"):
        link = project / path.name
        link.unlink(missing_ok=True)
        link.symlink_to(path)
    build = [sys.executable, "-m", "bff", "--root", str(project), "build", HOME.name, "--out", str(out)]
    done = subprocess.run([*build, "--target", "aws-lambda"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise DidNotStart(f"bff (lambda) was not built: {done.stderr.strip()}")
    session = Session({"id": fixtures.USER}, {}, int(time.time()) + 3600)
    cookie = f"bff-session={SessionSeal([SESSION_KEY], 3600).seal(session, time.time())}"
    environ = {"BACKEND": f"http://127.0.0.1:{port}", "BFF_SESSION_KEYS": SESSION_KEY}
    folder = out / HOME.name
    paths = [path for path in folder.rglob("*") if path.is_file()]
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return Function("bff", folder, "aws_lambda.handler", environ, *_sizes(files), cookie)


def _by_hand(port: int) -> Function:
    """The peer with its own pins: the wheels and the bytecode are made as those of a bundle."""
    python, folder = running_python(), INSTALLED / "lambda-flask-requests"
    machine = "arm64" if platform.machine() == "aarch64" else "x86_64"
    wheels = Wheels(Pins(_PEER, running_version(), machine), running_version(), machine)
    sources = {path.name: path.read_bytes() for path in _PEER.glob("*.py")}
    kept = {name: sources[name] for name in ("flask_requests.py", "pages.py")} | {"function.py": _WRAPPED}
    for files in wheels.files(_IMPORTED).values():
        kept |= files
    files = python.with_bytecode(kept)
    write(files, folder)
    environ = {
        "BACKEND": f"http://127.0.0.1:{port}",
        "WORK": "same",
        "SESSION_KEY": SESSION_KEY,
    }
    return Function("flask-requests", folder, "function.handler", environ, *_sizes(files))


def _sizes(files: Mapping[str, bytes]) -> tuple[float, float]:
    return sum(map(len, files.values())) / MIB, len(archive(files)) / MIB


def _sign_in(function: Function) -> None:
    """Sign in where nobody has, and look at the page once: it must be the one that all make."""
    with _running(function) as (port, _):
        if not function.cookie:
            body = json.dumps({"user": fixtures.USER})
            answer = emulator.invoke(port, _event("POST", "/api/sign-in", body=body))
            function.cookie = answer["cookies"][0].partition(";")[0]
        answer = emulator.invoke(port, _home(function))
        page = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"]
        difference = first_difference(HOME.expected, json.loads(page))
        if difference is not None:
            raise DidNotStart(f"{function.name} (lambda): {difference}")


# --- one start -----------------------------------------------------------------------------------------------------


def _start(function: Function) -> dict[str, float]:
    event = _home(function)
    with _running(function) as (port, process):
        first = _timed(port, event)
        warm = statistics.median(_timed(port, event) for _ in range(WARM))
        memory = max(_most_memory(number) for number in tree(process.pid)[1:])
    found = re.search(r"INIT REPORT\(durationMs: ([\d.]+)\)", _log(function).read_text())
    if found is None:
        raise DidNotStart(f"{function.name} (lambda): the emulator tells of no start")
    return {
        "first_page_ms": first * 1000,
        "init_ms": float(found[1]),
        "warm_ms": warm * 1000,
        "memory_mb": memory,
        "size_mb": function.size_mb,
        "zipped_mb": function.zipped_mb,
    }


def _timed(port: int, event: Mapping[str, Any]) -> float:
    begun = time.perf_counter()
    answer = emulator.invoke(port, event)
    took = time.perf_counter() - begun
    if answer.get("statusCode") != 200:
        raise DidNotStart(f"a page of a function was {str(answer)[:200]}")
    return took


def _running(function: Function) -> contextlib.AbstractContextManager[tuple[int, subprocess.Popen[bytes]]]:
    return emulator.emulated(function.folder, function.handler, function.environ, _log(function))


def _log(function: Function) -> Path:
    return INSTALLED / f"lambda-{function.name}.log"


def _home(function: Function) -> dict[str, Any]:
    query = "&".join(f"{name}={value}" for name, value in HOME.input.items())
    return _event("GET", f"/api/{HOME.name}", query, cookie=function.cookie)


def _event(method: str, path: str, query: str = "", *, cookie: str = "", body: str = "") -> dict[str, Any]:
    """An event of an HTTP API, payload format 2.0."""
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": ""}
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "cookies": [cookie] if cookie else [],
        "headers": {"host": "127.0.0.1"} | ({"content-type": "application/json"} if body else {}),
        "requestContext": {"http": http, "stage": "$default"},
        "body": body,
        "isBase64Encoded": False,
    }


def _most_memory(number: int) -> float:
    """The most that a process ever held, in MB."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{number}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0
