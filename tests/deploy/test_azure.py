"""`build --target azure`: the function app answers as the app does, by Azure's own library, without Azure's host."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace as with_changes
from pathlib import Path

import pytest
from msgspec.structs import replace

from bff.deploy import Bundler, Project
from bff.deploy.azure import entry, manifests
from bff.errors import OperatorError
from clients.local.pocketbase import Backend
from tests.deploy.azure_app import FunctionApp, function_app
from tests.deploy.isolated import environ_for
from tests.deploy.small import built, project_of
from tests.deploy.visits import Answer, answers_on, differences, over_http
from tests.fakes import FakeBackend, answer
from tests.servers import SESSION_KEY, Layer

BY_HAND = """
from flask import Response, request

from bff import create_app

app = create_app()


@app.get("/api/by-hand/<name>")
def by_hand(name):
    seen = [name, request.remote_addr, request.scheme, request.host, [*request.access_route]]
    given = Response(repr([*seen, request.args.getlist("a"), dict(request.cookies)]))
    given.set_cookie("one", "1", httponly=True, samesite="Lax")
    given.set_cookie("two", "2", secure=True, max_age=60)
    given.headers.add("Vary", "Accept")
    given.headers.add("Vary", "Cookie")
    return given


@app.post("/api/by-hand/<name>")
def mirrored(name):
    print(name, file=request.environ["wsgi.errors"])
    return Response(request.get_data()[::-1], 500, mimetype="application/octet-stream")
"""


@pytest.fixture(scope="module")
def by_hand(small: Bundler, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionApp]:
    """A project with views by hand, which show what they are asked."""
    folder = tmp_path_factory.mktemp("azure")
    out = built(small, "azure", folder / "out")
    (out / "wsgi.py").write_text(BY_HAND)
    with function_app(out, TODOS_URL="http://127.0.0.1:9") as running:
        assert running.engine == str(out / "bff" / "__init__.py")
        yield running


@pytest.fixture(scope="module")
def project(small: Bundler) -> Project:
    return project_of(small, "azure")


def as_azure_gives_it(given: Answer) -> Answer:
    """An answer without a type gets one from Azure's library."""
    typeless = given.status == 204 and not given.all("Content-Type")
    more = (("content-type", "text/plain; charset=utf-8"),) if typeless else ()
    return with_changes(given, headers=(*given.headers, *more))


@pytest.mark.full  # every page, on the whole app
@pytest.mark.backend
def test_every_page_answers_as_the_resident_app_does(
    app_bundler: Bundler, app_backend: Backend, resident: Layer, tmp_path: Path
) -> None:
    out = built(app_bundler, "azure", tmp_path / "out")
    urls = dict.fromkeys(("PEOPLE_URL", "TODOS_URL", "NOTICES_URL"), app_backend.url)
    with function_app(out, BFF_SESSION_KEYS=SESSION_KEY, **urls) as running:
        forwarded = (("X-Forwarded-For", "203.0.113.9:51234"), ("X-Forwarded-Proto", "https"))
        there = answers_on(running.asking("https://todos.test"), forwarded)
    here = answers_on(over_http(resident.url), seen=as_azure_gives_it)
    assert differences(there, here) == []


def test_azure_is_told_of_every_path_and_method(by_hand: FunctionApp) -> None:
    trigger, _ = by_hand.told["bindings"]
    assert (trigger["type"], trigger["route"], trigger["authLevel"]) == (
        "httpTrigger",
        "{*path}",
        "ANONYMOUS",
    )
    assert set(trigger["methods"]) >= {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}


def test_a_request_comes_whole(by_hand: FunctionApp) -> None:
    headers = {
        "Host": "app.azurewebsites.net",
        "X-Forwarded-For": "198.51.100.1, 203.0.113.9:51234",
        "X-Forwarded-Host": "elsewhere.test",
        "Cookie": "a=1; b=2; c=3",
    }
    given = by_hand.ask("GET", "https://app.azurewebsites.net/api/by-hand/%E8%8C%B6?a=1&a=2%263", headers)
    assert given.body.decode() == repr(
        [
            *("茶", "203.0.113.9", "https", "app.azurewebsites.net", ["198.51.100.1"]),
            *(["1", "2&3"], {"a": "1", "b": "2", "c": "3"}),
        ]
    )


@pytest.mark.parametrize(
    ("written", "address"),
    [("[2001:db8::9]:51234", "2001:db8::9"), ("2001:db8::9", "2001:db8::9"), ("203.0.113.9", "203.0.113.9")],
)
def test_the_address_of_a_visitor_has_no_port(by_hand: FunctionApp, written: str, address: str) -> None:
    given = by_hand.ask("GET", "https://a.test/api/by-hand/x", {"X-Forwarded-For": written})
    assert eval(given.body)[1] == address


def test_an_answer_keeps_every_cookie_and_every_header(by_hand: FunctionApp) -> None:
    given = by_hand.ask("GET", "https://a.test/api/by-hand/x", {})
    cookies = [re.sub("expires=[^;]*; ", "", cookie) for cookie in given.all("Set-Cookie")]
    assert cookies == ["one=1; HttpOnly; Path=/; SameSite=Lax", "two=2; Max-Age=60; Path=/; Secure"]
    assert given.all("Vary") == ["Accept, Cookie"]


def test_bodies_are_bytes_and_an_error_is_the_apps_own_answer(by_hand: FunctionApp) -> None:
    sent = bytes(range(256))
    for _ in range(2):
        given = by_hand.ask("POST", "https://a.test/api/by-hand/x", {"Content-Length": "256"}, sent)
        assert (given.status, given.body) == (500, sent[::-1])


def test_a_problem_of_a_backend_reaches_the_visitor(small: Bundler, tmp_path: Path) -> None:
    out = built(small, "azure", tmp_path / "out", "of_one")
    with FakeBackend() as backend, function_app(out, NOTICES_URL=backend.url) as running:
        backend.on("GET /part/7", answer(status=500))
        given = running.ask("GET", "https://a.test/api/one/7", {})
    assert (given.status, given.all("Content-Type")) == (502, ["application/problem+json"])
    assert given.json["type"] == "urn:bff:problem:backend-failed"


def test_the_host_gives_a_page_its_deadline_and_what_taking_back_may_add(project: Project) -> None:
    files = entry(project.functions[0])
    assert json.loads(files["host.json"]) == {
        "version": "2.0",
        "functionTimeout": "00:00:31",
        "extensions": {"http": {"routePrefix": ""}},
    }
    assert json.loads(files["local.settings.json"])["Values"] == {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsStorage": "",
        "AzureWebJobsDisableHomepage": "true",
        "NOTICES_URL": "http://notices.test",
        "PEOPLE_URL": "http://people.test",
        "TODOS_URL": "",
    }
    assert "local.settings.json" in files[".funcignore"].decode().splitlines()


def ran(script: bytes, folder: Path, **variables: str) -> list[str]:
    """Every `az` that a script runs; the one on its path only notes what it is asked."""
    (folder / "bin").mkdir()
    for program in ("az", "zip"):
        (folder / "bin" / program).write_text(f'#!/bin/sh\necho {program} "$@" >>{folder}/notes\n')
        (folder / "bin" / program).chmod(0o755)
    (folder / "deploy.sh").write_bytes(script)
    environ = environ_for(variables)
    environ["PATH"] = f"{folder}/bin:{environ['PATH']}"
    done = subprocess.run(["sh", "deploy.sh"], cwd=folder, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return re.sub(r"/\S+/my_todos.zip", "my_todos.zip", (folder / "notes").read_text()).splitlines()


def test_the_function_app_gets_its_own_settings_only(project: Project, tmp_path: Path) -> None:
    place = {"APP": "todos", "RESOURCE_GROUP": "web", "STORAGE": "files", "REGION": "westeurope"}
    asked = ran(manifests(project)["deploy.sh"], tmp_path, **place, TODOS_URL="https://t.test", OTHER="x")
    app = "--name todos --resource-group web"
    assert asked == [
        f"az functionapp show {app}",
        f"az functionapp scale config set {app} --trigger-type http --trigger-settings perInstanceConcurrency=40",
        f"az functionapp scale config always-ready set {app} --settings http=2",
        f"az functionapp config appsettings set {app} --output none --settings AzureWebJobsDisableHomepage=true "
        "PYTHON_THREADPOOL_THREAD_COUNT=32 BFF_TRUSTED_PROXIES=0 TODOS_URL=https://t.test",
        "zip -qr my_todos.zip . --exclude .built .env .env.example .funcignore deploy.sh local.settings.json",
        f"az functionapp deployment source config-zip {app} --src my_todos.zip --build-remote false",
    ]


def test_what_must_be_set_is_missed_before_anything_is_deployed(project: Project, tmp_path: Path) -> None:
    (tmp_path / "deploy.sh").write_bytes(manifests(project)["deploy.sh"])
    place = {"APP": "todos", "RESOURCE_GROUP": "web", "STORAGE": "files", "REGION": "westeurope"}
    done = subprocess.run(["sh", "deploy.sh"], cwd=tmp_path, env=environ_for(place), capture_output=True)
    assert done.returncode != 0
    assert b"TODOS_URL" in done.stderr


def test_another_machine_than_azure_has_is_refused(project: Project) -> None:
    with pytest.raises(OperatorError) as caught:
        manifests(replace(project, arch="arm64"))
    assert str(caught.value) == "--arch arm64: azure has x86_64 only"
