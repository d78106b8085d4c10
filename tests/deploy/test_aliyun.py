"""`build --target aliyun-fc`: what s.yaml starts serves as the app does, and Serverless Devs reads it."""

from __future__ import annotations

import errno
import json
import shutil
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from msgspec.structs import replace

from bff.deploy import Bundler, Project
from bff.deploy.aliyun import manifests
from bff.errors import OperatorError
from clients.local.pocketbase import Backend, free_port
from tests.conftest import missing
from tests.deploy.isolated import BARE, environ_for, serving
from tests.deploy.small import built, project_of
from tests.deploy.visits import answers_on, differences, over_http
from tests.fakes import FakeBackend, after, answer
from tests.servers import PATIENCE, ROOT, SESSION_KEY, Layer

SERVERLESS_DEVS = ROOT / ".local" / "hosts" / "node_modules" / "@serverless-devs" / "s" / "bin" / "s"


def rendered(folder: Path, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """What `s preview` makes of a folder's s.yaml, in JSON."""
    node = shutil.which("node")
    if node is None or not SERVERLESS_DEVS.is_file():
        missing("needs node and @serverless-devs/s: make install-host-tools")
    home.mkdir(exist_ok=True)
    command = [node, str(SERVERLESS_DEVS), "preview", "-t", "s.yaml", "-o", "json", "--silent"]
    environ = environ_for({"HOME": str(home), **variables})
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)


def resources_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])["resources"]
    return {name: resource["props"] for name, resource in found.items()}


def command_of(function: dict[str, Any], port: int) -> list[str]:
    """What the host starts, by a bare Python of this machine and on a port that is free here."""
    _, *arguments = function["customRuntimeConfig"]["command"]
    place = arguments.index("--port") + 1
    assert int(arguments[place]) == function["customRuntimeConfig"]["port"]
    return [*BARE, *arguments[:place], str(port), *arguments[place + 1 :]]


@pytest.fixture(scope="module")
def project(small: Bundler) -> Project:
    return project_of(small, "aliyun-fc", python="3.11")


@pytest.mark.full  # Serverless Devs comes with the tools of function hosts
@pytest.mark.backend
def test_every_page_answers_as_the_resident_app_does(
    app_bundler: Bundler, app_backend: Backend, resident: Layer, tmp_path: Path
) -> None:
    out = built(app_bundler, "aliyun-fc", tmp_path / "out", group="todos")
    urls = dict.fromkeys(("PEOPLE_URL", "TODOS_URL", "NOTICES_URL"), app_backend.url)
    [function, _] = resources_of(
        rendered(out, tmp_path / "home", BFF_SESSION_KEYS=SESSION_KEY, **urls)
    ).values()
    port = free_port()
    command, variables = command_of(function, port), function["environmentVariables"]
    with serving(out / "todos", command, port, variables, tmp_path / "log"):
        there = answers_on(over_http(f"http://127.0.0.1:{port}"))
    here = answers_on(over_http(resident.url))
    assert differences(there, here) == []


@pytest.mark.full
def test_an_instance_that_is_told_to_stop_ends_its_pages_first(small: Bundler, tmp_path: Path) -> None:
    out = built(small, "aliyun-fc", tmp_path / "out", "slow_page")
    function = yaml.safe_load((out / "s.yaml").read_text())["resources"]["slow_page"]["props"]
    port, go_on = free_port(), threading.Event()
    with FakeBackend() as backend, ThreadPoolExecutor() as visitors:
        backend.on("GET /first", answer(json=1))
        backend.on("GET /part", after(go_on, answer(json=2)))
        variables, log = {"TODOS_URL": backend.url}, tmp_path / "log"
        try:
            with serving(out / "slow_page", command_of(function, port), port, variables, log) as process:
                page = visitors.submit(requests.get, f"http://127.0.0.1:{port}/api/slow", timeout=PATIENCE)
                assert backend.wait_for_requests(2)
                process.terminate()
                assert refuses(port)
                go_on.set()
                assert page.result(PATIENCE).json() == {"first": 1, "part": 2}
                assert process.wait(PATIENCE) == 0
        finally:
            go_on.set()


def refuses(port: int) -> bool:
    """Whether a server takes no more connections before the patience ends."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED:
                return True
        time.sleep(0.01)  # leaves the processor to what is ending
    return False


@pytest.mark.full  # Serverless Devs comes with the tools of function hosts
def test_serverless_devs_renders_each_function_with_its_own_variables(
    project: Project, tmp_path: Path
) -> None:
    (tmp_path / "s.yaml").write_bytes(manifests(project)["s.yaml"])
    variables = {"TODOS_URL": "https://todos.test", "REGION": "eu-central-1", "OTHER": "x"}
    found = resources_of(rendered(tmp_path, tmp_path / "home", **variables))
    assert list(found) == ["of_one", "slow_page", "undone", "domain"]
    assert found["of_one"]["environmentVariables"] == {
        "BFF_TRUSTED_PROXIES": "1",
        "NOTICES_URL": "http://notices.test",
    }
    undone = found["undone"]
    assert undone.pop("customRuntimeConfig") == {
        "command": [
            *("/usr/bin/python3", "-m", "bff", "serve", "--host", "0.0.0.0", "--port", "9000"),
            *("--threads", "40", "--drain", "0s"),
        ],
        "port": 9000,
    }
    assert undone.pop("triggers")[0]["triggerConfig"]["authType"] == "anonymous"
    assert undone == {
        "region": "eu-central-1",
        "functionName": "undone",
        "runtime": "custom.debian12",
        "code": "./undone",
        "handler": "wsgi.app",
        "memorySize": 1024,
        "cpu": 0.5,
        "diskSize": 512,
        "timeout": 9,
        "instanceConcurrency": 40,
        "internetAccess": True,
        "environmentVariables": {
            "BFF_TRUSTED_PROXIES": "1",
            "PEOPLE_URL": "http://people.test",
            "TODOS_URL": "https://todos.test",
        },
        "provisionConfig": {"defaultTarget": 2, "alwaysAllocateCPU": False},
    }


@pytest.mark.full  # Serverless Devs comes with the tools of function hosts
def test_the_domain_sends_each_page_to_its_function(project: Project, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_bytes(manifests(project)["s.yaml"])
    found = resources_of(rendered(tmp_path, tmp_path / "home", TODOS_URL="https://todos.test"))
    routes = found["domain"]["routeConfig"]["routes"]
    assert [(route["functionName"], route["path"], route["methods"]) for route in routes] == [
        ("undone", "/api/undone", ["PUT", "OPTIONS"]),
        ("of_one", "/api/one/*", ["GET", "HEAD", "OPTIONS"]),
        ("slow_page", "/api/slow", ["GET", "HEAD", "OPTIONS"]),
    ]


@pytest.mark.full  # Serverless Devs comes with the tools of function hosts
def test_what_must_be_set_is_missed_before_anything_is_deployed(project: Project, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_bytes(manifests(project)["s.yaml"])
    done = rendered(tmp_path, tmp_path / "home")
    assert done.returncode != 0
    assert "env('TODOS_URL') not found" in done.stdout + done.stderr


def test_pages_that_the_host_could_not_tell_apart_are_refused(project: Project) -> None:
    first, *_ = project.functions
    with pytest.raises(OperatorError) as caught:
        manifests(replace(project, functions=[first, replace(first, name="another")]))
    assert str(caught.value) == (
        "of_one and another are both GET /api/one/* to aliyun-fc, which knows no parameters in paths: "
        "put them into one function with --group"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"python": "3.13"}, "--python 3.13: aliyun-fc has 3.11 and 3.12"),
        ({"arch": "arm64"}, "--arch arm64: aliyun-fc has x86_64 only"),
    ],
)
def test_what_the_host_does_not_have_is_refused(
    changes: dict[str, str], message: str, project: Project
) -> None:
    with pytest.raises(OperatorError) as caught:
        manifests(replace(project, **changes))
    assert str(caught.value) == message


def test_each_python_has_its_runtime(project: Project) -> None:
    content = yaml.safe_load(manifests(replace(project, python="3.12"))["s.yaml"])
    props = content["resources"]["undone"]["props"]
    assert (props["runtime"], props["customRuntimeConfig"]["command"][0]) == (
        "custom.debian11",
        "/var/fc/lang/python3.12/bin/python3",
    )
