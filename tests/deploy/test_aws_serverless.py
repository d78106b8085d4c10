"""The Serverless Framework on what `build` writes: its own API Gateway, the app on it in a browser."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from playwright.sync_api import Page, expect

from clients.local import pocketbase
from clients.local.pocketbase import free_port, start_child, stop_child
from tests.chromium import chromium
from tests.conftest import missing, needs
from tests.deploy.aws_built import build
from tests.deploy.aws_emulator import HOSTS
from tests.servers import PATIENCE, SESSION_KEY, environ_of, until_answers

PASSWORD = "right horse battery"
SERVERLESS = HOSTS / "node_modules" / "serverless" / "bin" / "serverless.js"
OFFLINE = "serverless-offline"
# Loaded before the framework: whatever it asks AWS, no such stack is there yet.
NOTHING_DEPLOYED = """
const Module = require('module'), load = Module._load;
Module._load = function (...given) {
  const found = load.apply(this, given);
  if (typeof found === 'function' && found.getProviderName && found.prototype.request) {
    found.prototype.request = async () => { throw new Error('Stack with id x does not exist'); };
  }
  return found;
};
"""
pytestmark = [pytest.mark.full, pytest.mark.backend, pytest.mark.server]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every page as a folder."""
    return for_offline(build(tmp_path_factory.mktemp("serverless"), ["--all"]))


def for_offline(out: Path) -> Path:
    """A build whose serverless.yml has the plugin that it names in a comment."""
    if not SERVERLESS.exists():
        missing("needs the Serverless Framework in .local/hosts: make install-host-tools")
    needs("node")
    manifest = out / "serverless.yml"
    plugins = "plugins:\n- ./aliases.js\n"
    text = manifest.read_text()
    if plugins in text:
        text = text.replace(plugins, f"{plugins}- {OFFLINE}\n")
    else:
        text += f"plugins: [{OFFLINE}]\n"
    manifest.write_text(text)
    (out / "node_modules").symlink_to(HOSTS / "node_modules")
    return out


def environment(folder: Path, url: str, layers: Sequence[Path] = ()) -> dict[str, str]:
    """What the framework runs with; `python3` is one without any packages but those of layers."""
    bare = folder / "python3"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -B "$@"\n')
    bare.chmod(0o755)
    quiet = {"SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off", "CI": "1"}
    plain = environ_of(url, **quiet, PATH=f"{folder}{os.pathsep}{os.environ['PATH']}")
    found = {name: value for name, value in plain.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return {**found, "PYTHONPATH": os.pathsep.join(str(layer / "python") for layer in layers)}


def node() -> str:
    found = shutil.which("node")
    assert found is not None
    return found


def test_the_framework_reads_the_manifest(built: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [node(), SERVERLESS, "print", "--format", "yaml"],
        cwd=built,
        env=environment(tmp_path, "http://backend.test"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    home = found["functions"]["home"]
    assert home["environment"] == {
        "BFF_SESSION_KEYS": SESSION_KEY,
        **dict.fromkeys(("NOTICES_URL", "PEOPLE_URL", "TODOS_URL"), "http://backend.test"),
    }
    assert {"httpApi": {"method": "GET", "path": "/api/todos/{id}"}} in found["functions"]["todo"]["events"]


def test_routes_ask_the_alias_of_a_version_with_its_layers(built: Path, tmp_path: Path) -> None:
    """What the framework would hand to CloudFormation."""
    (tmp_path / "nothing.js").write_text(NOTHING_DEPLOYED)
    keys = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    done = subprocess.run(
        [
            node(),
            "--require",
            str(tmp_path / "nothing.js"),
            SERVERLESS,
            "package",
            "--package",
            tmp_path / "out",
        ],
        cwd=built,
        env={**environment(tmp_path, "http://backend.test"), **keys},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    template = json.loads((tmp_path / "out" / "cloudformation-template-update-stack.json").read_text())
    resources: dict[str, Any] = template["Resources"]
    alias = resources["HomeLambdaFunctionAliasLive"]["Properties"]
    version, _ = alias["FunctionVersion"]["Fn::GetAtt"]
    assert (alias["Name"], resources[version]["Type"]) == ("live", "AWS::Lambda::Version")
    lambda_of = {"Fn::Join": [":", [{"Fn::GetAtt": ["HomeLambdaFunction", "Arn"]}, "live"]]}
    assert resources["HttpApiIntegrationHome"]["Properties"]["IntegrationUri"] == lambda_of
    assert resources["HomeLambdaPermissionHttpApi"]["Properties"]["FunctionName"] == lambda_of
    layers = [layer["Ref"] for layer in resources["HomeLambdaFunction"]["Properties"]["Layers"]]
    titles = [resources[layer]["Properties"]["LayerName"] for layer in layers]
    assert [re.sub("[0-9a-f]{12}$", "", title).split("-")[-2] for title in titles] == ["base", "session"]


@pytest.fixture(scope="module")
def gateway(
    built: Path, app_backend: pocketbase.Backend, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The API Gateway of serverless-offline."""
    folder = tmp_path_factory.mktemp("gateway")
    layers = sorted((built / "lambda-layers").iterdir())
    with offline(built, environment(folder, app_backend.url, layers), folder, "/api/notices") as url:
        yield url


@contextlib.contextmanager
def offline(built: Path, environ: dict[str, str], folder: Path, path: str) -> Iterator[str]:
    """The gateway before a build, from when it answers to a path."""
    port, inner, log = free_port(), free_port(), folder / "serverless.log"
    command = [node(), str(SERVERLESS), "offline", "start", "--host", "127.0.0.1"]
    command += ["--httpPort", str(port), "--lambdaPort", str(inner)]
    with log.open("wb") as said:
        process = start_child(command, cwd=built, env=environ, stdout=said, stderr=said)
    try:
        until_answers(f"http://127.0.0.1:{port}{path}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop_child(process)


@pytest.fixture(scope="module")
def beside(built: Path, gateway: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The files and the gateway under one name."""
    needs("nginx")
    folder, port = tmp_path_factory.mktemp("site"), free_port()
    config = folder / "nginx.conf"
    config.write_text(
        textwrap.dedent(f"""
        user root; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; worker_processes 1;
        events {{ worker_connections 256; }}
        http {{
            include /etc/nginx/mime.types; access_log off;
            client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
            fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
            server {{
                listen 127.0.0.1:{port}; client_max_body_size 6m; root {built}/public;
                location /api/ {{
                    proxy_pass {gateway}; proxy_set_header Host $http_host;
                }}
                location / {{ try_files $uri /index.html; }}
            }}
        }}
        """)
    )
    program = shutil.which("nginx")
    assert program is not None
    process = start_child([program, "-p", str(folder), "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        until_answers(f"http://127.0.0.1:{port}/", process, config)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop_child(process)


@pytest.fixture(scope="module")
def within(app_backend: pocketbase.Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The gateway before one function of all pages and the files."""
    folder = tmp_path_factory.mktemp("within")
    out = for_offline(build(folder, ["--all"], "--group", "todos", "--with-public"))
    with offline(out, environment(folder, app_backend.url), folder, "/") as url:
        yield url


@pytest.fixture(scope="module", params=["beside", "within"])
def site(request: pytest.FixtureRequest) -> str:
    """The address of the app, whose files are beside its functions, or in the one that it has."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def page(site: str) -> Iterator[Page]:
    needs("chromium")
    with chromium() as browser:
        # Each function starts with its first page.
        expect.set_options(timeout=20_000)
        page = browser.new_context(base_url=site, locale="en-GB").new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page
        assert wrong == []


def words(page: Page, key: str, **values: str) -> str:
    ask = "([key, values]) => import('/i18n.js').then((i18n) => i18n.t(key, values))"
    return str(page.evaluate(ask, [key, values]))


def test_somebody_signs_up_and_adds_finishes_and_deletes_a_todo(page: Page) -> None:
    page.goto("/signup")
    form = page.get_by_test_id("signup-form")
    account = {"name": "Ada", "email": f"{time.time_ns()}@example.com", "password": PASSWORD}
    for name, value in account.items():
        form.locator(f"[name={name}]").fill(value)
    form.locator("button[type=submit]").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ada")

    composer = page.get_by_test_id("composer")
    composer.get_by_label(words(page, "title")).fill("Water the plants 浇花")
    composer.get_by_role("button", name=words(page, "add"), exact=True).click()
    row = page.get_by_test_id("todo")
    expect(row).to_contain_text("Water the plants 浇花")

    tick = page.get_by_role("checkbox", name=words(page, "finish", title="Water the plants 浇花"))
    tick.click()
    expect(tick).to_be_checked()
    done = page.get_by_test_id("statuses").locator("[data-status=done] .count")
    expect(done).to_have_text("1")

    row.locator("[data-focus=more]").click()
    with page.expect_response(lambda answer: answer.request.method == "DELETE", timeout=20_000) as removed:
        page.get_by_role("menuitem", name=words(page, "remove")).click()
    assert removed.value.status == 200
    expect(page.get_by_test_id("empty")).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("empty")).to_be_visible()


def test_the_session_cookie_comes_through_the_gateway(site: str) -> None:
    account = {"name": "Bo", "email": f"{time.time_ns()}@example.com", "password": PASSWORD}
    with requests.Session() as visitor:
        visitor.trust_env = False
        assert visitor.post(f"{site}/api/signup", json=account, timeout=PATIENCE).status_code == 201
        assert "bff-session" in visitor.cookies
        assert visitor.get(f"{site}/api/home?q=a%26b", timeout=PATIENCE).json()["me"]["name"] == "Bo"
