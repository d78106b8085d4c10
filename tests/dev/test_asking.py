"""`bff call`: a page asked in this process, its backends played."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import responses
from cryptography.fernet import Fernet

from bff.cli import main
from bff.scaffold import files_of, write_new
from tests.project import write_project

BACKEND = "http://127.0.0.1:5001"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """A call ends with its process; here others follow it."""
    before = logging.getLogger("bff").handlers[:]
    yield
    logging.getLogger("bff").handlers[:] = before


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write_new(tmp_path / "shop", files_of("shop", "list", None))
    return tmp_path / "shop"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_new(tmp_path / "home", files_of("home", "sign-in", None))
    return tmp_path / "home"


def call(root: Path, *arguments: str) -> int:
    return main(["--root", str(root), "call", *arguments])


@responses.activate
def test_the_answer_goes_out_and_its_status_beside_it(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    responses.get(f"{BACKEND}/items", json=[{"id": "1", "name": "Cup", "price": 1, "seller": "ada"}])
    responses.get(f"{BACKEND}/sellers", status=500)
    assert call(shop, "items", "-q", "limit=2") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["items"] == [{"id": "1", "name": "Cup", "price": 1, "seller": None}]
    assert out.startswith('{\n  "items": [\n')
    assert err.startswith("200 in ") and err.endswith(" ms  partial: sellers\n") and err.count("\n") == 1
    assert responses.calls[0].request.params == {"limit": "2"}


@responses.activate
def test_a_trace_has_a_bar_for_each_step(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    responses.get(f"{BACKEND}/items/1", json={"id": "1"})
    responses.get(f"{BACKEND}/reviews", status=503)
    assert call(shop, "item", "-q", "id=1", "--trace") == 0
    lines = capsys.readouterr().err.splitlines()[1:]
    assert [line.split()[0] for line in lines] == ["page", "item", "reviews"]
    assert lines[1].endswith(" ms  ok")
    assert " ms  fallback (status 503)" in lines[2]


@responses.activate
def test_a_name_that_no_page_reads_is_told(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    responses.get(f"{BACKEND}/items", json=[])
    responses.get(f"{BACKEND}/sellers", json=[])
    assert call(shop, "items", "-q", "limt=2", "-q", "colour=red") == 0
    assert capsys.readouterr().err.splitlines()[1:] == [
        "-q limt: orchestrations/items.yaml declares no 'limt'; did you mean limit?",
        "-q colour: orchestrations/items.yaml declares no 'colour'",
    ]


@responses.activate
def test_where_a_backend_is_that_cannot_be_reached_is_told(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(shop, "items") == 1
    assert capsys.readouterr().err.splitlines()[1:] == [
        "items: clients/backend.py asks http://127.0.0.1:5001; is it running there?"
    ]


def test_who_asks_can_be_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(home, "home") == 1
    assert capsys.readouterr().err.splitlines()[1:] == ["--as FILE says who asks"]


def test_a_page_without_the_body_that_it_takes_says_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(home, "login") == 1
    assert json.loads(capsys.readouterr().out)["detail"] == "The body is empty; this page takes a JSON body."


@responses.activate
def test_a_problem_is_shown_and_told_by_the_exit_status(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    responses.get(f"{BACKEND}/items/a%20b", status=404)
    responses.get(f"{BACKEND}/reviews", json=[])
    assert call(shop, "item", "-q", "id=a b") == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["type"] == "urn:bff:problem:not-found"
    assert err.startswith("404 in ")


@responses.activate
def test_somebody_who_has_signed_in_is_a_file(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    responses.get(f"{BACKEND}/me", json={"name": "Ada"})
    responses.get(f"{BACKEND}/notes", json=[{"text": "Buy tea"}])
    ada = tmp_path / "ada.json"
    ada.write_text('{"user": {"id": "ada"}, "tokens": {"backend": "a token"}}')
    assert call(home, "home", "--as", str(ada)) == 0
    assert json.loads(capsys.readouterr().out)["notes"] == ["Buy tea"]
    # Of a page that has ended before, a request may come only now.
    asked = [call.request for call in responses.calls if call.request.path_url in ("/me", "/notes?owner=ada")]
    assert [request.headers["Authorization"] for request in asked] == ["Bearer a token"] * 2
    assert call(home, "home") == 1
    assert json.loads(capsys.readouterr().out)["status"] == 401


@responses.activate
@pytest.mark.parametrize("is_file", [True, False])
def test_a_body_is_a_text_or_a_file(
    is_file: bool, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    responses.post(f"{BACKEND}/sign-in", json={"token": "a token", "person": {"id": "ada", "name": "Ada"}})
    body = '{"email": "ada@example.com", "password": "right horse"}'
    (tmp_path / "body.json").write_text(body)
    assert call(home, "login", "-d", f"@{tmp_path / 'body.json'}" if is_file else body) == 0
    assert json.loads(capsys.readouterr().out) == {"user": {"id": "ada", "name": "Ada"}}


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["item"], "/api/items/{id} needs id: -q id=…"),
        (["item", "-q", "idd=1"], "/api/items/{id} needs id: -q id=… ('idd' was given)"),
        (["item", "-q", "id"], "-q takes NAME=VALUE, and 'id' has no ="),
        (["itms"], "no recipe orchestrations/itms.yaml; did you mean items?  there are: item, items"),
        (["items", "--as", "nobody.json"], "nobody.json cannot be read: No such file or directory"),
        (["items", "-d", "@none.json"], "none.json cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    arguments: list[str], wrong: str, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(shop, *arguments) == 2
    assert capsys.readouterr() == ("", f"bff: {wrong}\n")


@pytest.mark.parametrize("text", ["", "[]", '{"id": 1}', '{"user": {}, "token": {}}', "{"])
def test_who_asks_has_a_user(
    text: str, shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "who.json").write_text(text)
    assert call(shop, "items", "--as", str(tmp_path / "who.json")) == 2
    assert capsys.readouterr().err == (
        'bff: --as takes a file like {"user": {"id": "1"}, "tokens": {"people": "a token"}}\n'
    )


@pytest.mark.parametrize("tokens", ["[]", '{"people": 1}'])
def test_a_token_is_a_text(
    tokens: str, shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "who.json").write_text(f'{{"user": null, "tokens": {tokens}}}')
    assert call(shop, "items", "--as", str(tmp_path / "who.json")) == 2
    assert capsys.readouterr().err == (
        'bff: --as: "tokens" is a mapping of texts, one for each client that forwards a token\n'
    )


def test_a_mistake_in_the_recipe_is_shown_as_check_shows_it(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = shop / "orchestrations" / "items.yaml"
    recipe.write_text(recipe.read_text().replace("each: item in items", "each: item in itmes"))
    assert call(shop, "items") == 1
    assert capsys.readouterr().out.startswith("orchestrations/items.yaml:34:19: unknown name 'itmes'\n")


HOOK = """
    route: POST /api/hook
    auth: none
    signed: {scheme: stripe, secret: [HOOK_SECRET, OLD_SECRET]}
    idempotency_key: raw
    shape: raw
    """


def test_a_page_for_who_signs_is_asked_with_its_first_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(tmp_path, {"hook": HOOK})
    monkeypatch.setenv("HOOK_SECRET", "one")
    monkeypatch.setenv("OLD_SECRET", "two")
    assert call(tmp_path, "hook", "-d", '{"id": 1}') == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == '{"id": 1}'
    assert err.splitlines()[1:] == ["signed with HOOK_SECRET, as stripe signs"]


def test_each_call_is_news_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = HOOK.replace("stripe", "standard").replace("raw", "headers['webhook-id']").rstrip()
    write_project(tmp_path, {"hook": f"{hook}\n    input: {{headers: {{webhook-id: {{type: string}}}}}}\n"})
    for name in ("HOOK_SECRET", "OLD_SECRET"):
        monkeypatch.setenv(name, "whsec_c2VjcmV0")
    assert [call(tmp_path, "hook", "-d", "{}") for _ in range(2)] == [0, 0]
    first, second = capsys.readouterr().out.split()
    assert first != second


def test_a_secret_that_is_not_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(tmp_path, {"hook": HOOK})
    monkeypatch.setenv("HOOK_SECRET", "one")
    monkeypatch.delenv("OLD_SECRET", raising=False)
    assert call(tmp_path, "hook", "-d", "{}") == 2
    assert capsys.readouterr() == (
        "",
        "bff: the environment variable OLD_SECRET is not set, and orchestrations/hook.yaml needs it: "
        "a secret of signed\n",
    )


SEALING = """
    route: GET /page
    auth: optional
    input: {query: {cursor: {type: string}}}
    shape: {found: unseal(query.cursor), next: seal(user.id)}
    """


def test_a_call_opens_what_the_call_before_sealed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BFF_SESSION_KEYS", Fernet.generate_key().decode())
    root = write_project(tmp_path / "project", {"page": SEALING})
    (tmp_path / "ann.json").write_text('{"user": {"id": "ann"}}')
    ann = ("--as", str(tmp_path / "ann.json"))
    assert call(root, "page", *ann) == 0
    cursor = json.loads(capsys.readouterr().out)["next"]
    assert call(root, "page", "-q", f"cursor={cursor}", *ann) == 0
    assert json.loads(capsys.readouterr().out)["found"] == "ann"
    assert call(root, "page", "-q", f"cursor={cursor}") == 0
    assert json.loads(capsys.readouterr().out)["found"] is None


def test_a_call_without_keys_seals_with_one_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BFF_SESSION_KEYS", raising=False)
    assert call(write_project(tmp_path, {"page": SEALING.replace("user.id", "1")}), "page") == 0
    assert json.loads(capsys.readouterr().out)["next"]
