"""`build --target google`: the folder runs under the real functions-framework, and its manifests say so."""

from __future__ import annotations

import http.client
import json
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from bff.deploy import Bundler, Project
from bff.deploy.google import manifests
from bff.errors import OperatorError
from clients.local.pocketbase import Backend, free_port
from tests.conftest import missing
from tests.deploy.isolated import BARE, environ_for, serving
from tests.deploy.small import built, project_of
from tests.deploy.visits import answers_on, differences, over_http
from tests.fakes import FakeBackend, after, answer
from tests.servers import PATIENCE, ROOT, SESSION_KEY, Layer

INSTALLED = ROOT / ".local" / "hosts-venv" / "bin" / "functions-framework"


def framework(port: int, *start: str) -> list[str]:
    found = [*start, "--source", "main.py", "--target", "page", "--host", "127.0.0.1"]
    return [*found, "--port", str(port)]


def flags_of(command: list[str]) -> dict[str, str]:
    """The flags of a command by name; one without a value is empty."""
    pairs = zip(command, [*command[1:], "--"], strict=True)
    return {flag: "" if value.startswith("--") else value for flag, value in pairs if flag.startswith("--")}


def ran(script: bytes, folder: Path, **variables: str) -> list[list[str]]:
    """Every `gcloud` that a script runs; the one on its path only notes what it is asked."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    notes = folder / "notes"
    (programs / "gcloud").write_text(f'#!/bin/sh\nprintf "%s\\0" "$@" END >>{notes}\necho 1234\n')
    (programs / "gcloud").chmod(0o755)
    (folder / "deploy.sh").write_bytes(script)
    (folder / "openapi.yaml").write_text("PROJECT_NUMBER REGION")
    environ = environ_for(variables)
    environ["PATH"] = f"{programs}:{environ['PATH']}"
    done = subprocess.run(["sh", "deploy.sh"], cwd=folder, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: list[list[str]] = [[]]
    for word in notes.read_text().split("\0")[:-1]:
        if word == "END":
            found.append([])
        else:
            found[-1].append(word)
    return found[:-1]


@pytest.fixture(scope="module")
def project(small: Bundler) -> Project:
    return project_of(small, "google")


@pytest.fixture(scope="module")
def whole(app_bundler: Bundler, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pages of the app in one function."""
    return built(app_bundler, "google", tmp_path_factory.mktemp("google") / "out", group="todos")


@pytest.fixture(scope="module")
def variables(whole: Path, app_backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the function's command sets where its variables are set in the shell, and what its secret holds."""
    urls = dict.fromkeys(("PEOPLE_URL", "TODOS_URL", "NOTICES_URL"), app_backend.url)
    script = (whole / "deploy.sh").read_bytes()
    asked = ran(script, tmp_path_factory.mktemp("asked"), REGION="europe-west1", **urls)
    flags = flags_of(asked[0])
    assert flags["--set-secrets"] == "BFF_SESSION_KEYS=BFF_SESSION_KEYS:latest"
    found = dict(item.split("=", 1) for item in flags["--set-env-vars"].removeprefix("^|^").split("|"))
    return {**found, "BFF_SESSION_KEYS": SESSION_KEY}


@pytest.fixture(scope="module")
def function(
    whole: Path, variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of that function."""
    port, log = free_port(), tmp_path_factory.mktemp("logs") / "google.log"
    with serving(whole / "todos", framework(port, *BARE, "-m", "functions_framework"), port, variables, log):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.full  # every page, on the whole app
@pytest.mark.backend
def test_every_page_answers_as_the_resident_app_does(function: str, resident: Layer) -> None:
    there = answers_on(over_http(function))
    here = answers_on(over_http(resident.url))
    assert differences(there, here) == []


@pytest.mark.full  # every page, on the whole app
@pytest.mark.backend
def test_it_runs_beside_what_google_has_installed(
    whole: Path, variables: dict[str, str], resident: Layer, tmp_path: Path
) -> None:
    """The framework and what it needs come before the folder on the path there, not from it."""
    if not INSTALLED.is_file():
        missing("needs functions-framework: make install-hosts")
    port = free_port()
    with serving(whole / "todos", framework(port, str(INSTALLED)), port, variables, tmp_path / "log"):
        there = answers_on(over_http(f"http://127.0.0.1:{port}"))
    here = answers_on(over_http(resident.url))
    assert differences(there, here) == []


def test_a_page_in_lines_goes_out_as_it_comes(small: Bundler, tmp_path: Path) -> None:
    out = built(small, "google", tmp_path / "out", "slow_page")
    with FakeBackend() as backend:
        go_on = threading.Event()
        backend.on("GET /first", answer(json=1))
        backend.on("GET /part", after(go_on, answer(json=2)))
        port = free_port()
        command = framework(port, *BARE, "-m", "functions_framework")
        started = serving(out / "slow_page", command, port, {"TODOS_URL": backend.url}, tmp_path / "log")
        with started, closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
            connection.request("GET", "/api/slow", headers={"Accept": "application/x-ndjson"})
            reply = connection.getresponse()
            first = json.loads(reply.readline())
            go_on.set()
            rest = [json.loads(line) for line in reply.read().splitlines()]
    assert first == {"page": {"first": 1, "part": None}, "pending": ["part"]}
    assert rest[0]["patch"] == [{"op": "replace", "path": "/part", "value": 2}]
    assert rest[-1] == {"complete": True, "partial": []}


def test_a_setting_that_is_missing_is_one_line(small: Bundler, tmp_path: Path) -> None:
    out = built(small, "google", tmp_path / "out", "slow_page")
    command = framework(free_port(), *BARE, "-m", "functions_framework")
    done = subprocess.run(command, cwd=out / "slow_page", env=environ_for({}), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "The app cannot start: client todos: the environment variable TODOS_URL is not set (base_url)"
    )


def test_each_function_is_deployed_with_its_own_settings_only(project: Project, tmp_path: Path) -> None:
    script = manifests(project)["deploy.sh"]
    asked = ran(
        script, tmp_path / "ran", REGION="europe-west1", PEOPLE_URL="https://a.test/?b=1,2", OTHER="x"
    )
    deployed = {command[2]: flags_of(command) for command in asked if command[1] == "deploy"}
    python = project.python.replace(".", "")
    assert list(deployed) == ["of-one", "slow-page", "undone"]
    assert deployed["undone"] == {
        "--gen2": "",
        "--quiet": "",
        "--region": "europe-west1",
        "--runtime": f"python{python}",
        "--source": "undone",
        "--entry-point": "page",
        "--trigger-http": "",
        "--allow-unauthenticated": "",
        "--memory": "1024Mi",
        "--cpu": "1",
        "--concurrency": "40",
        "--min-instances": "2",
        "--timeout": "9s",
        "--set-env-vars": "^|^BFF_TRUSTED_PROXIES=1|THREADS=40|BFF_THREADS=40|PEOPLE_URL=https://a.test/?b=1,2",
        "--set-secrets": "TODOS_URL=TODOS_URL:latest",
    }
    assert deployed["of-one"]["--set-env-vars"] == "^|^BFF_TRUSTED_PROXIES=1|THREADS=16|BFF_THREADS=16"
    assert "--clear-secrets" in deployed["of-one"]


def test_the_files_of_the_app_go_to_a_bucket_where_one_is_named(project: Project, tmp_path: Path) -> None:
    script = manifests(project)["deploy.sh"]
    settings = {"REGION": "europe-west1", "BUCKET": "todos", "URL_MAP": "web", "API_BACKEND": "api"}
    asked = [shlex.join(command) for command in ran(script, tmp_path / "ran", **settings)]
    assert "storage rsync --recursive --delete-unmatched-destination-objects public gs://todos" in asked
    assert (
        "compute url-maps add-path-matcher web --path-matcher-name pages --new-hosts '*' "
        "--default-backend-bucket todos --backend-service-path-rules '/api=api,/api/*=api'"
    ) in asked
    without = ran(script, tmp_path / "without", REGION="europe-west1")
    assert not [command for command in without if command[0] in ("storage", "compute")]


def test_the_gateway_sends_each_page_to_its_function(project: Project) -> None:
    gateway: dict[str, Any] = yaml.safe_load(manifests(project)["openapi.yaml"])
    assert gateway["swagger"] == "2.0"
    routes = {path: list(operations) for path, operations in gateway["paths"].items()}
    assert routes == {
        "/api/one/{id}": ["get", "head", "options"],
        "/api/slow": ["get", "head", "options"],
        "/api/undone": ["put", "options"],
    }
    operation = gateway["paths"]["/api/one/{id}"]["get"]
    assert operation == {
        "operationId": "of_one_get",
        "parameters": [{"name": "id", "in": "path", "required": True, "type": "string"}],
        "responses": {"default": {"description": "As the page answers."}},
        "x-google-backend": {
            "address": "https://of-one-PROJECT_NUMBER.REGION.run.app",
            "path_translation": "APPEND_PATH_TO_ADDRESS",
            "deadline": 14.0,
            "disable_auth": True,
        },
    }


def test_the_requirements_pin_the_framework_with_all_that_it_needs(project: Project) -> None:
    own = project.functions[0].bundle.own["requirements.txt"].decode()
    pinned = re.findall(r"^([a-z0-9-]+)==\S+ --hash=sha256:", own, re.M)
    assert own.splitlines()[0] == "--only-binary=:all:"
    assert len(pinned) == len(own.splitlines()) - 1
    assert {"flask", "functions-framework", "gunicorn", "werkzeug"} <= set(pinned)
    assert set(pinned) <= project.functions[0].bundle.packages.keys()


def test_two_pages_of_one_name_are_refused(project: Project) -> None:
    first, *_ = project.functions
    doubles = [replace(first, name="add_todo"), replace(first, name="Add-Todo")]
    with pytest.raises(OperatorError) as caught:
        manifests(replace(project, functions=doubles))
    assert str(caught.value) == (
        "add_todo and Add-Todo are both add-todo on google, whose names have no _ and no capitals: "
        "rename one of the recipes"
    )


def test_what_is_no_name_there_is_refused(project: Project) -> None:
    with pytest.raises(OperatorError) as caught:
        manifests(replace(project, functions=[replace(project.functions[0], name="2do")]))
    assert str(caught.value) == (
        "google takes no function 2do: its names are up to 63 small letters, digits and hyphens, "
        "a letter first and no hyphen last"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arch": "arm64"}, "--arch arm64: google has x86_64 only"),
        ({"suffix": ".zip"}, "--zip: gcloud deploys folders, and packs them itself"),
    ],
)
def test_what_google_does_not_take_is_refused(
    changes: dict[str, str], message: str, project: Project
) -> None:
    with pytest.raises(OperatorError) as caught:
        manifests(replace(project, **changes))
    assert str(caught.value) == message
