"""Pages with `signed`: the signature is checked before all else, on the body as it came."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bff import create_app
from bff.errors import OperatorError
from bff.testing import sign
from bff.web.alone import open_door
from tests.clock import Clock
from tests.fakes import FakeBackend, answer
from tests.project import app_of, visitor, write_built, write_project
from tests.web.signed.senders import EXAMPLES, Example, page

SECRET = "shh-secret-of-ours"
BODY = {"id": "evt_1", "amount": 3}
RAW = json.dumps(BODY).encode()
TAKING = """
    input:
      body:
        type: object
        required: [id]
        properties:
          id: {type: string}
    shape: {id: body.id, raw: raw}
    """
GITHUB = page("scheme: github", "\n".join(line[4:] for line in TAKING.splitlines()))


def sent(client: FlaskClient, body: bytes = RAW, headers: Any = None, **more: Any) -> Any:
    given = sign("github", SECRET, body) if headers is None else headers
    return client.post("/hook", data=body, headers=given, content_type="application/json", **more)


@pytest.fixture
def hook(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> FlaskClient:
    caplog.set_level("INFO", "bff.page")
    return visitor(tmp_path, GITHUB, environ={"SECRET": SECRET})


@pytest.mark.parametrize("form", ["recipes", "built"])
@pytest.mark.parametrize("watched", [False, True], ids=["door", "flask"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_what_the_sender_publishes_is_taken(
    name: str, watched: bool, form: str, tmp_path: Path, clock: Clock
) -> None:
    example: Example = EXAMPLES[name]
    clock.wall = example.at
    root = write_project(tmp_path / "recipes", {"hook": page(example.signed)})
    if form == "built":
        root = write_built(root, tmp_path / "built")
    app = create_app(root, environ={"SECRET": example.secret})
    if watched:
        app.before_request(lambda: None)
    client = app.test_client()
    options = {"headers": dict(example.headers), "content_type": example.kind}
    found = client.post("/hook", data=example.body, **options)
    assert (found.status_code, found.json) == (200, example.body.decode())
    refused = client.post("/hook", data=example.body + b"!", **options)
    assert refused.status_code == 401


def test_one_that_is_not_signed_is_401_and_told_nothing(
    hook: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    found = sent(hook, headers={"X-Hub-Signature-256": "sha256=" + "ab" * 32})
    assert found.status_code == 401
    assert {**found.json, "instance": None} == {
        "type": "urn:bff:problem:unsigned",
        "title": "This is not signed",
        "status": 401,
        "detail": "This page is for who signs what they send.",
        "instance": None,
    }
    line = json.loads([one.message for one in caplog.records if one.name == "bff.page"][-1])
    assert line["cause"] == "none of the secrets makes its signature"
    told = found.text + caplog.text
    assert not any(word in told for word in (SECRET, "abab", "evt_1", "sha256", "X-Hub"))


@pytest.mark.parametrize(
    ("headers", "cause"),
    [
        ({}, "the headers of a signature are missing or of another form"),
        ({"X-Hub-Signature-256": "sha1=00"}, "the headers of a signature are missing or of another form"),
        (dict(sign("github", "another", RAW)), "none of the secrets makes its signature"),
    ],
)
def test_the_log_says_why(
    headers: Any, cause: str, hook: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert sent(hook, headers=headers).status_code == 401
    line = json.loads([one.message for one in caplog.records if one.name == "bff.page"][-1])
    assert (line["status"], line["cause"]) == (401, cause)


def test_it_is_checked_before_the_body_is_read_as_json(hook: FlaskClient) -> None:
    assert sent(hook, b"{").json["type"] == "urn:bff:problem:malformed-body"
    assert sent(hook, b"{", headers={}).status_code == 401
    assert sent(hook, b'{"id": 3}').status_code == 400
    assert sent(hook, b'{"id": 3}', headers={}).status_code == 401


def test_it_is_checked_on_the_bytes_that_came(hook: FlaskClient) -> None:
    spaced = b'{ "id":\t"evt_1" ,"amount":3}'
    assert sent(hook, spaced).json == {"id": "evt_1", "raw": spaced.decode()}
    assert sent(hook, spaced, headers=sign("github", SECRET, RAW)).status_code == 401


def test_it_is_checked_before_its_rate_is_counted(tmp_path: Path) -> None:
    recipe = page("scheme: github", "rate_limit: 1/h\nshape: 1")
    client = visitor(tmp_path, recipe, environ={"SECRET": SECRET})
    assert [sent(client, headers={}).status_code for _ in range(3)] == [401] * 3
    assert [sent(client).status_code for _ in range(2)] == [200, 429]
    assert sent(client, headers={}).status_code == 401


def test_a_body_over_the_bound_is_refused_before_it_is_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = visitor(tmp_path, GITHUB, environ={"SECRET": SECRET, "BFF_MAX_REQUEST_BODY": "100"})
    hashed: list[bytes] = []
    monkeypatch.setattr("bff.web.signatures.mac", lambda key, before, body: hashed.append(body) or b"0" * 32)
    large = b" " * 200
    assert sent(client, large).status_code == 413
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    with client.post(
        "/hook",
        input_stream=io.BytesIO(large),
        headers=sign("github", SECRET, large),
        content_type="application/json",
        environ_overrides=chunked,
    ) as found:
        assert found.status_code == 413
    assert hashed == []


def test_a_body_that_ends_too_early_is_not_checked(hook: FlaskClient) -> None:
    found = hook.post(
        "/hook",
        input_stream=io.BytesIO(RAW),
        headers=sign("github", SECRET, RAW),
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": str(len(RAW) + 5)},
    )
    assert found.status_code == 400


def test_a_body_that_comes_too_late_is_408(tmp_path: Path, clock: Clock) -> None:
    class Late(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            clock.go_on(4)
            return super().read(size)

    client = visitor(tmp_path, page("scheme: github"), environ={"SECRET": SECRET})
    found = client.post(
        "/hook",
        input_stream=Late(RAW),
        headers={**sign("github", SECRET, RAW), "Content-Length": str(len(RAW))},
    )
    assert (found.status_code, found.json["type"]) == (408, "urn:bff:problem:upload-too-slow")


def test_servers_that_read_bodies_wait_for_one_that_only_its_signature_reads(tmp_path: Path) -> None:
    app = app_of(tmp_path, {"hook": page("scheme: github")}, environ={"SECRET": SECRET})
    seconds = app.extensions["bff"].body_seconds
    assert seconds({"REQUEST_METHOD": "POST", "PATH_INFO": "/hook", "CONTENT_LENGTH": "5"}) == 3.0


def test_either_of_two_secrets_is_taken_while_one_takes_the_others_place(tmp_path: Path) -> None:
    recipe = page("scheme: github", "shape: 1", "[NEW, OLD]")
    client = visitor(tmp_path, recipe, environ={"NEW": "new", "OLD": SECRET})
    assert sent(client).status_code == 200
    assert sent(client, headers=sign("github", "new", RAW)).status_code == 200
    assert sent(client, headers=sign("github", "old", RAW)).status_code == 401


def test_a_secret_is_its_text_with_every_character(tmp_path: Path) -> None:
    secret = " é shh "
    client = visitor(tmp_path, page("scheme: github", "shape: 1"), environ={"SECRET": secret})
    assert sent(client, headers=sign("github", secret, RAW)).status_code == 200


@pytest.mark.parametrize("value", [None, ""])
def test_a_secret_that_is_not_there_is_one_line_at_the_start(value: str | None, tmp_path: Path) -> None:
    recipe = page("scheme: github", "shape: 1", "[NEW, OLD]")
    environ = {"NEW": "new", **({} if value is None else {"OLD": value})}
    with pytest.raises(OperatorError) as raised:
        app_of(tmp_path, {"page": recipe}, environ=environ)
    assert str(raised.value) == (
        "the environment variable OLD is not set, and orchestrations/page.yaml needs it: a secret of signed"
    )


def test_what_all_pages_lack_is_said_at_once_and_each_once(tmp_path: Path) -> None:
    recipe = page("scheme: github", "idempotency_key: raw\nshape: 1")
    recipes = {"one": recipe, "two": recipe.replace("/hook", "/two").replace("SECRET", "SECOND")}
    with pytest.raises(OperatorError) as raised:
        app_of(tmp_path, recipes, environ={})
    assert str(raised.value).splitlines() == [
        "the environment variable SECRET is not set, and orchestrations/one.yaml needs it: a secret of signed",
        "BFF_STATE_URL is not set, and orchestrations/one.yaml needs it: idempotency_key keeps answers there",
        "the environment variable SECOND is not set, and orchestrations/two.yaml needs it: a secret of signed",
    ]


def test_a_secret_of_another_form_is_one_line_without_a_part_of_it(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as raised:
        app_of(tmp_path, {"page": page("scheme: standard")}, environ={"SECRET": "whsec_no base64"})
    assert str(raised.value) == (
        "the environment variable SECRET is no secret of signed in orchestrations/page.yaml: it must be "
        "whsec_ and base64, as Standard Webhooks writes it"
    )


def test_what_is_no_text_can_be_signed_and_is_400_where_a_page_reads_it_as_one(tmp_path: Path) -> None:
    environ = {"SECRET": SECRET}
    body = b"\xff\x00"
    plain = visitor(tmp_path / "a", page("scheme: github", "shape: 1"), environ=environ)
    assert sent(plain, body).status_code == 200
    reading = visitor(tmp_path / "b", page("scheme: github"), environ=environ)
    found = sent(reading, body)
    assert (found.status_code, found.json["detail"]) == (400, "The body is not text in UTF-8.")


def test_raw_goes_where_any_input_goes(tmp_path: Path) -> None:
    recipe = """
        route: POST /hook
        auth: none
        signed: {scheme: github, secret: SECRET}
        steps:
          made: {client: todos, post: "/rows/{raw}", body: {text: raw}}
        shape: made
        """
    with FakeBackend() as backend:
        backend.on("POST /rows/a%20b", answer(json=1))
        client = visitor(tmp_path, recipe, environ={"SECRET": SECRET, "TODOS_URL": backend.url})
        assert sent(client, b"a b").json == 1
        [request] = backend.requests
        assert json.loads(request.body) == {"text": "a b"}
        unsafe = sent(client, b"..")
        assert (unsafe.status_code, unsafe.json["type"]) == (400, "urn:bff:problem:unsent")


def test_a_built_folder_without_flask_checks_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_built(write_project(tmp_path / "recipes", {"hook": page("scheme: github")}), tmp_path / "b")
    monkeypatch.setenv("SECRET", SECRET)
    door = open_door(root)
    for headers, status in ((sign("github", SECRET, RAW), "200 OK"), ({}, "401 UNAUTHORIZED")):
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/hook",
            "QUERY_STRING": "",
            "HTTP_HOST": "app.example",
            "SERVER_NAME": "app.example",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(RAW),
            "CONTENT_LENGTH": str(len(RAW)),
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        }
        started: list[str] = []
        list(door(environ, lambda status, headers, _=None, told=started: told.append(status)))  # type: ignore[arg-type, misc]
        assert started == [status]


LOADED = """
import sys
sys.path[:0] = [{root!r}]
from bff.web.alone import open_door
open_door({project!r})
print([name for name in ("bff.web.signed", "bff.web.signatures", "hmac") if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("recipe", "loaded"),
    [
        ("route: POST /hook\nauth: none\nshape: 1\n", []),
        (page("scheme: github"), ["bff.web.signed", "bff.web.signatures", "hmac"]),
    ],
)
def test_only_a_project_whose_senders_sign_loads_what_checks_that(
    recipe: str, loaded: list[str], tmp_path: Path
) -> None:
    root = write_built(write_project(tmp_path / "recipes", {"hook": recipe}), tmp_path / "built")
    code = LOADED.format(root=str(Path(__file__).resolve().parents[3]), project=str(root))
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import site; site.main()\n{code}"],
        env={"SECRET": SECRET, "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == str(loaded)
