"""An app in the browser and the pages it asks, from one function of Alibaba Cloud; its rows are in a PocketBase."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from playwright.sync_api import Browser, Page, expect

from bff.cli import main
from clients.local import pocketbase
from clients.local.pocketbase import free_port
from tests.chromium import chromium
from tests.conftest import needs
from tests.deploy.isolated import serving
from tests.deploy.test_aliyun import command_of, rendered, resources_of
from tests.quick_backend import quick
from tests.servers import PATIENCE, ROOT

SEED = Path(__file__).with_name("seed")
GROUP, RULES = "rules", 45
pytestmark = pytest.mark.backend


def build(root: Path, out: Path) -> dict[str, bytes]:
    """The files that the command writes of all pages and the files in one function."""
    options = ["--all", "--group", GROUP, "--with-public", "--target", "aliyun-fc", "--out", str(out)]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        status = main(["--root", str(root), "build", *options])
    assert status == 0, said.getvalue()
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("seed") / "rules"
    shutil.copytree(SEED, root, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "requirements.txt", root)
    return root


@pytest.fixture(scope="module")
def out(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "out"
    build(project, folder)
    return folder


@pytest.fixture
def backend(backend_program: Path) -> Iterator[pocketbase.Backend]:
    """A PocketBase with rules and who looks at them, open to all who reach it."""
    with quick() as running:
        _add_collection(running, "profiles", name="text", access="text")
        _add_collection(running, "rules", name="text", desc="text", callNo="number", status="number")
        running.add("profiles", name="Serati Ma", access="admin")
        for number in range(RULES):
            running.add("rules", name=f"TradeCode {number}", desc="A description", callNo=number)
        yield running


def _add_collection(backend: pocketbase.Backend, collection: str, **fields: str) -> None:
    columns: list[dict[str, Any]] = [{"name": field, "type": kind} for field, kind in fields.items()]
    columns.append({"name": "created", "type": "autodate", "onCreate": True})
    open_to_all = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), "")
    backend.request(
        "POST", "/api/collections", {"name": collection, "type": "base", "fields": columns, **open_to_all}
    )


class Function:
    """The function on a port of its own, started by the command of its s.yaml."""

    def __init__(self, out: Path, backend_url: str, log: Path) -> None:
        [function, _] = yaml.safe_load((out / "s.yaml").read_text())["resources"].values()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = command_of(function["props"], self.port)
        self._folder, self._log = out / GROUP, log
        self._variables = {"BFF_TRUSTED_PROXIES": "1", "RULES_URL": backend_url}

    def running(self) -> contextlib.AbstractContextManager[object]:
        return serving(self._folder, self._command, self.port, self._variables, self._log)


@pytest.fixture
def function(out: Path, backend: pocketbase.Backend, tmp_path: Path) -> Function:
    return Function(out, backend.url, tmp_path / "log")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    needs("chromium")
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in which nothing may go wrong unseen."""
    expect.set_options(timeout=10_000)
    page = browser.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    page.close()
    assert wrong == []


def test_the_app_is_used_while_its_function_is_restarted(
    function: Function, backend: pocketbase.Backend, page: Page
) -> None:
    heading, first = page.get_by_role("heading"), page.get_by_role("row").first
    with function.running():
        page.goto(f"{function.url}/")
        expect(page.get_by_text("Welcome, Serati Ma")).to_be_visible()
        page.get_by_role("button", name="Rules").click()
        expect(heading).to_have_text("45 rules")
        expect(first).to_contain_text("TradeCode 44")
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text("2 of 3")).to_be_visible()
        expect(first).to_contain_text("TradeCode 24")
        page.get_by_label("Name", exact=True).fill("New rule 茶")
        page.get_by_label("Description", exact=True).fill("as added")
        page.get_by_role("button", name="New").click()
        expect(heading).to_have_text("46 rules")
        page.get_by_role("button", name="Previous").click()
        expect(first).to_contain_text("New rule 茶")
    with function.running():
        page.get_by_label("Description of New rule 茶").fill("as changed")
        with page.expect_response(lambda answered: answered.request.method == "PUT"):
            first.get_by_role("button", name="Save").click()
        found = page.goto(f"{function.url}/list?current=1")
        assert found is not None and found.text() == (SEED / "public" / "index.html").read_text()
        expect(page.get_by_label("Description of New rule 茶")).to_have_value("as changed")
        page.get_by_label("Choose New rule 茶").check()
        page.get_by_label("Choose TradeCode 44").check()
        page.get_by_role("button", name="Delete").click()
        expect(heading).to_have_text("44 rules")
    with function.running():
        page.goto(f"{function.url}/list?current=3")
        expect(page.get_by_text("3 of 3")).to_be_visible()
        expect(page.get_by_role("row")).to_have_count(4)
    names = {row["name"] for row in backend.rows("rules")}
    assert names == {f"TradeCode {number}" for number in range(RULES - 1)}


def test_what_the_app_asks_is_answered_as_its_mock_does(
    function: Function, backend: pocketbase.Backend
) -> None:
    with function.running():
        page = ask(function, "GET", "/api/rule?current=2&pageSize=20").json()
        assert {name: page[name] for name in page if name != "data"} == {
            "total": 45,
            "success": True,
            "pageSize": 20,
            "current": 2,
        }
        assert [rule["name"] for rule in page["data"]] == [
            f"TradeCode {number}" for number in range(24, 4, -1)
        ]
        user = ask(function, "GET", "/api/currentUser").json()
        assert (user["success"], user["data"]["name"]) == (True, "Serati Ma")
        added = ask(function, "POST", "/api/rule", json={"name": "New rule", "desc": "one"}).json()
        changed = ask(function, "PUT", "/api/rule", json={"key": added["key"], "desc": "two"}).json()
        assert changed == {"key": added["key"], "name": "New rule", "desc": "two"}
        removed = ask(function, "DELETE", "/api/rule", json={"key": [added["key"]]})
        assert (removed.status_code, removed.json()) == (200, {"success": True})
        assert ask(function, "GET", "/api/rule").json()["total"] == RULES
        unknown = ask(function, "GET", "/api/rules")
        assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:bff:problem:not-found")


def ask(function: Function, method: str, path: str, **body: Any) -> requests.Response:
    return requests.request(method, f"{function.url}{path}", timeout=PATIENCE, **body)


@pytest.mark.full  # Serverless Devs comes with the tools of function hosts
def test_serverless_devs_renders_the_one_function_and_its_domain(out: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    found = resources_of(rendered(out, home, RULES_URL="https://rules.test", DOMAIN="rules.example.com"))
    assert list(found) == [GROUP, "domain"]
    assert found["domain"]["domainName"] == "rules.example.com"
    assert [(one["functionName"], one["path"]) for one in found["domain"]["routeConfig"]["routes"]] == [
        (GROUP, "/*")
    ]


def test_two_builds_give_the_same_bytes(project: Path, out: Path, tmp_path: Path) -> None:
    built = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert build(project, tmp_path / "again") == built
