"""The cookbook is what runs: its recipes, the requests that they make and the pages that come out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
import yaml
from cryptography.fernet import Fernet
from flask.testing import FlaskClient
from responses import matchers

from bff import clock, create_app
from bff.testing import matrix_of
from tests.project import write_built, write_project

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "cookbook"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.stem != "index")
_BLOCK = re.compile(r"^```(yaml recipe|yaml requests|http|(?:json|text) [^\n]*)\n(.*?)^```", re.S | re.M)
SIGNED = {"STRIPE_SECRET": "whsec_test", "FLASK_RUN_FROM_CLI": "true"}
"""What a page for who signs starts with; while developing it needs no Redis."""
_ROUGHLY = {
    "timeout": requests.ReadTimeout("secret.example is slow"),
    "refused": requests.ConnectionError("secret.example refused"),
}


@dataclass
class Visit:
    """One request of a visitor, what it makes the backends see, and what comes of it."""

    asked: list[dict[str, Any]]
    http: str
    wanted: list[str]
    page: Any


def recipe_of(path: Path) -> str:
    [recipe] = [text for kind, text in _BLOCK.findall(path.read_text("utf-8")) if kind == "yaml recipe"]
    return str(recipe)


def page_of(kind: str, text: str) -> Any:
    """What a page is: JSON, or the lines of a text."""
    return json.loads(text) if kind.startswith("json") else text.splitlines()


def visits_of(path: Path) -> Iterator[Visit]:
    blocks = [block for block in _BLOCK.findall(path.read_text("utf-8")) if block[0] != "yaml recipe"]
    kinds = [kind.split()[0].replace("text", "json") for kind, _ in blocks]
    assert kinds == ["yaml", "http", "json"] * (len(blocks) // 3)
    for at in range(0, len(blocks), 3):
        asked, http, answer = blocks[at : at + 3]
        yield Visit(yaml.safe_load(asked[1]), http[1], answer[0].split()[1:], page_of(*answer))


VISITS = [
    pytest.param(path, number, id=f"{path.stem}-{number}")
    for path in PAGES
    for number in range(1, len(list(visits_of(path))) + 1)
]


def project(root: Path, *paths: Path) -> Path:
    """A project with the recipes of these pages and every client that they name."""
    recipes = {path.stem: recipe_of(path) for path in paths}
    named = {name for text in recipes.values() for name in re.findall(r"client: (\w+)", text)}
    return write_project(root, recipes, clients=dict.fromkeys(sorted(named), ""))


def mock(backends: responses.RequestsMock, asked: dict[str, Any]) -> None:
    """One request that must be made, exactly so, and its reply."""
    client, target = next(iter(asked.items()))
    method, path = target.split(" ", 1)
    found: list[Any] = []
    if "sends" in asked:
        found.append(matchers.json_params_matcher(asked["sends"]))
    if "form" in asked:
        found.append(_sends_form(asked["form"]))
    if "headers" in asked:
        found.append(matchers.header_matcher(asked["headers"]))
    reply: dict[str, Any] = {"status": asked.get("status", 200), "headers": asked.get("reply-headers")}
    reply |= {"json": asked["reply"]} if "reply" in asked else {"body": b""}
    if "text" in asked:
        reply["body"] = asked["text"].encode()
    if "fails" in asked:
        reply = {"body": _ROUGHLY[asked["fails"]]}
    backends.add(method, f"http://{client}.test{path}", match=found, **reply)


def _sends_form(wanted: str) -> Callable[[requests.PreparedRequest], tuple[bool, str]]:
    def sends(request: requests.PreparedRequest) -> tuple[bool, str]:
        found = request.body.decode() if isinstance(request.body, bytes) else request.body
        return found == wanted, f"expected {wanted}, found {found}"

    return sends


@pytest.mark.parametrize("form", ["recipes", "built"])
@pytest.mark.parametrize(("path", "number"), VISITS)
def test_a_recipe_of_the_cookbook_makes_these_requests_and_this_page(
    path: Path, number: int, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"BFF_SESSION_KEYS": Fernet.generate_key().decode(), **SIGNED}
    root = project(tmp_path / "recipes", path)
    if form == "built":
        root = write_built(root, tmp_path / "built")
    site = create_app(root, environ=environ).test_client()
    visits = list(visits_of(path))
    if signed := re.search(r": t=(\d+),v1=", visits[number - 1].http):
        monkeypatch.setattr(clock, "wall", lambda: float(signed[1]))
    before = visits[: number - 1] if "again" in visits[number - 1].wanted else []
    for visit in [*before, visits[number - 1]]:
        check(site, visit)


def check(site: FlaskClient, visit: Visit) -> None:
    """Make a visit, and compare what the backends see and what comes of it."""
    head, _, body = visit.http.partition("\n\n")
    [first, *headers] = head.strip().splitlines()
    method, target = first.split(" ", 1)
    status, *more = visit.wanted
    whole = int(status) < 400  # a page that ends early need not ask for the rest
    with responses.RequestsMock(assert_all_requests_are_fired=whole) as backends:
        for asked in visit.asked:
            mock(backends, asked)
        found = site.open(
            target,
            method=method,
            headers=[tuple(line.split(": ", 1)) for line in headers],
            data=body.strip().encode() or None,
            content_type="application/json" if body.strip() else None,
        )
        tries = {(call.request.method, call.request.url) for call in backends.calls}
        asked_for = {next(iter(asked.items())) for asked in visit.asked}  # the same twice, where it waits
        assert len(tries) == len(asked_for) or not whole
    page = found.json if found.is_json else found.text.split("\r\n")[:-1]
    if found.status_code >= 400:
        page.pop("instance")
    assert (found.status_code, page) == (int(status), visit.page)
    for word, header in (("partial=", "X-Page-Partial"), ("stale=", "X-Page-Stale")):
        named = [text.removeprefix(word) for text in more if text.startswith(word)]
        assert found.headers.get(header, "").replace(" ", "") == "".join(named)
    assert ("Set-Cookie" in found.headers) == ("cookie" in more)
    assert "secret" not in found.text


def test_the_index_names_every_page() -> None:
    text = (FOLDER / "index.md").read_text("utf-8")
    assert re.findall(r"\]\(([\w-]+)\.md\) \|$", text, re.M) == [
        path.stem for path in sorted(PAGES, key=lambda path: text.index(f"({path.stem}.md)"))
    ]


def test_every_page_says_the_wish_first() -> None:
    for path in PAGES:
        title, _, wish, *_ = path.read_text("utf-8").splitlines()
        assert title.startswith("# ") and wish.startswith("**The wish:** "), path.stem


@pytest.mark.parametrize("path", [*PAGES, FOLDER / "index.md"], ids=lambda path: path.stem)
def test_links_of_the_cookbook_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", path.read_text("utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


@pytest.mark.full
def test_the_cookbook_answers_as_it_says_when_backends_fail(tmp_path: Path) -> None:
    matrix = matrix_of(project(tmp_path, *PAGES))
    assert [str(unreached) for unreached in matrix.unreached] == []
    assert {str(case): verdict.problems for case, verdict in matrix.run().items() if verdict.problems} == {}
