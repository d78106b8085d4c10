"""Built pages as AWS Lambda runs them: under AWS's own runtime client and emulator, what the app itself answers."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from clients.local import pocketbase
from tests.conftest import missing
from tests.deploy import aws_emulator
from tests.deploy.aws_built import HANDLER, Built, build, build_archives
from tests.deploy.aws_emulator import Emulated, emulated, python, sealed
from tests.deploy.aws_events import FORMS, HOST, MAPPED_TO, Asked, answer_of, http_api
from tests.deploy.aws_visits import VISITS, Person, comparable
from tests.fakes import FakeBackend, answer, half, hang
from tests.project import write_project
from tests.quick_backend import quick
from tests.servers import ROOT, SESSION_KEY, Layer, layer

SAMPLE = ("home", "login", "picture")
PROBLEM = "urn:bff:problem:"
MIB = 2**20
FILES = """
    route: GET /files/{name}
    auth: none
    pass: true
    steps:
      file:
        client: people
        get: /files/{path.name}
"""
LONG = """
    route: GET /long
    auth: none
    steps:
      items: {client: people, get: /items, timeout: 1s}
    shape: items
"""


@pytest.fixture(scope="session", autouse=True)
def parts() -> None:
    reason = aws_emulator.missing_parts()
    if reason:
        missing(reason)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one function with a few pages."""
    return build(tmp_path_factory.mktemp("sample"), SAMPLE, "--group", "sample") / "sample"


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_archives(tmp_path_factory.mktemp("whole"), "--all")


@pytest.fixture(scope="session")
def bounded(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Two pages that hand on what a backend of ours sends."""
    folder = tmp_path_factory.mktemp("bounded")
    root = write_project(folder / "project", {"files": FILES, "long": LONG})
    (root / "requirements.txt").write_bytes((ROOT / "requirements.txt").read_bytes())
    return build_archives(folder, "files", "long", root=root)


@pytest.fixture(scope="session")
def store(backend_program: Path) -> Iterator[pocketbase.Backend]:
    """A PocketBase of these tests alone: pages that count everybody's todos stay the same meanwhile."""
    with quick() as running:
        running.add("notices", en="Hello", zh="你好", published="2026-01-01 00:00:00.000Z")
        yield running


@pytest.fixture(scope="session")
def resident(store: pocketbase.Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layer]:
    folder = tmp_path_factory.mktemp("app")
    with layer(store.url, folder, by_flask=True, BFF_TRUSTED_PROXIES="1") as running:
        yield running


@pytest.fixture(scope="session")
def function(
    sample: Path, store: pocketbase.Backend, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Emulated]:
    """That function, running for all tests."""
    with emulated(sample, HANDLER, variables(store.url), tmp_path_factory.mktemp("function")) as running:
        yield running


@pytest.fixture
def person(resident: Layer) -> Person:
    return Person(resident.port).sign_up()


def variables(url: str) -> dict[str, str]:
    urls = dict.fromkeys(("PEOPLE_URL", "TODOS_URL", "NOTICES_URL"), url)
    return {**urls, "BFF_SESSION_KEYS": SESSION_KEY, "API_GATEWAY_BASE_PATH": MAPPED_TO}


def same_in_every_form(page: str, function: Emulated, person: Person) -> None:
    for name, form in FORMS.items():
        here = VISITS[page](person)
        expected = comparable(person.send(here))
        there = here if here.method == "GET" else VISITS[page](person)
        assert comparable(function.ask(there, form)) == expected, name
        assert expected[0] < 300, expected


@pytest.mark.parametrize("page", SAMPLE)
def test_a_page_answers_what_the_app_answers_to_every_kind_of_event(
    page: str, function: Emulated, person: Person
) -> None:
    same_in_every_form(page, function, person)


@pytest.mark.full
@pytest.mark.parametrize("page", VISITS)
def test_every_page_answers_what_the_app_answers_from_a_function_of_its_own(
    page: str, whole: Built, person: Person, store: pocketbase.Backend, tmp_path: Path
) -> None:
    layers = whole.layers(page)
    with emulated(whole.function(page), HANDLER, variables(store.url), tmp_path, layers=layers) as function:
        same_in_every_form(page, function, person)


def test_every_page_of_the_app_is_visited() -> None:
    from bff.plan.planning import plan_folder

    assert set(VISITS) == set(plan_folder(ROOT).plans)


def test_a_function_holds_all_that_it_imports(sample: Path) -> None:
    ask = (
        "import os, sys; sys.path.insert(0, os.getcwd()); import aws_lambda, bff, flask\n"
        "print([module.__file__ for module in (aws_lambda, bff, flask)])"
    )
    command = [*sealed(sample), *python(), "-c", ask]
    done = subprocess.run(
        command, cwd=sample, env=variables("http://127.0.0.1:9"), capture_output=True, text=True
    )
    names = ("aws_lambda.py", "bff/__init__.pyc", "flask/__init__.pyc")
    assert done.stdout.splitlines()[-1] == str([str(sample / name) for name in names]), done.stderr


LAYERED = ("notices", "people")


@pytest.fixture(scope="session")
def layered(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Two pages as functions, which share their packages."""
    return build_archives(tmp_path_factory.mktemp("layered"), *LAYERED)


@pytest.mark.parametrize("page", LAYERED)
def test_a_page_with_its_packages_in_layers_answers_what_the_app_answers(
    page: str, layered: Built, person: Person, store: pocketbase.Backend, tmp_path: Path
) -> None:
    folder, layers = layered.function(page), layered.layers(page)
    assert {path.name for path in folder.iterdir()} & {"msgspec", "flask", "cryptography"} == set()
    with emulated(folder, HANDLER, variables(store.url), tmp_path, layers=layers) as function:
        same_in_every_form(page, function, person)
        # Nothing answers this but Flask, which comes out of a layer with the first request of such a kind.
        assert function.ask(person.request("GET", "/api/none")).status == 404


def test_without_its_layers_a_function_ends_its_start_with_one_line(layered: Built) -> None:
    ask = "import os, sys; sys.path.insert(0, os.getcwd()); import aws_lambda"
    done = subprocess.run(
        [*python(), "-c", ask], cwd=layered.function("notices"), env={}, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (
        1,
        "The app cannot start: No module named 'msgspec'; it needs the layers and the Python that it was built for\n",
    )


def test_layers_are_the_same_bytes_whichever_pages_use_them(layered: Built, tmp_path: Path) -> None:
    other = build_archives(tmp_path, "notices", "stats")
    shared = {path.name: path.read_bytes() for path in (layered.out / "lambda-layers").iterdir()}
    again = {path.name: path.read_bytes() for path in (other.out / "lambda-layers").iterdir()}
    assert shared == again
    assert sorted(name.partition("-")[0] for name in shared) == ["base", "session"]


def test_a_store_that_the_build_was_not_told_of_ends_the_start_with_one_line(sample: Path) -> None:
    ask = "import os, sys; sys.path.insert(0, os.getcwd()); import aws_lambda"
    environ = {**variables("http://127.0.0.1:9"), "BFF_STATE_URL": "redis://127.0.0.1:9/0"}
    done = subprocess.run([*python(), "-c", ask], cwd=sample, env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        1,
        "The app cannot start: BFF_STATE_URL is set, and there is no package redis here: pip install "
        "'bff-recipes[redis]', build the pages with "
        "--setting BFF_STATE_URL, or leave the variable out\n",
    )


def test_a_missing_key_ends_the_start_with_one_line(sample: Path) -> None:
    ask = "import os, sys; sys.path.insert(0, os.getcwd()); import aws_lambda"
    done = subprocess.run([*python(), "-c", ask], cwd=sample, env={}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        1,
        "The app cannot start: BFF_SESSION_KEYS is not set, and orchestrations/home.yaml needs it; make a key "
        'with: python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"\n',
    )


@pytest.mark.parametrize("form", FORMS)
def test_head_is_the_page_without_its_body(form: str, function: Emulated, person: Person) -> None:
    asked = person.request("HEAD", "/api/home")
    found = comparable(function.ask(asked, FORMS[form]))
    assert found == comparable(person.send(asked))
    assert (found[0], found[2]) == (200, b"")


@pytest.mark.parametrize("form", FORMS)
def test_a_query_that_is_given_twice_is_refused_as_by_the_app(
    form: str, function: Emulated, person: Person
) -> None:
    asked = person.request("GET", "/api/home", "status=open&status=done&q=a%2Bb&q=")
    assert comparable(function.ask(asked, FORMS[form])) == comparable(person.send(asked))


@pytest.mark.parametrize("form", FORMS)
def test_the_session_is_found_among_other_cookies(form: str, function: Emulated, person: Person) -> None:
    person.cookies = {"theme": "dark", **person.cookies, "last": '"a, b"'}
    answered = function.ask(person.request("GET", "/api/home"), FORMS[form])
    assert (answered.status, json.loads(answered.body)["me"]["name"]) == (200, "Ada")


@pytest.mark.parametrize("form", FORMS)
def test_a_body_above_the_bound_is_a_problem(form: str, function: Emulated, person: Person) -> None:
    asked = person.request("POST", "/api/login", json={"email": "a" * MIB, "password": ""})
    found = function.ask(asked, FORMS[form])
    assert (found.status, json.loads(found.body)["type"]) == (413, PROBLEM + "body-too-large")


@pytest.mark.full
def test_a_backend_that_hangs_is_a_problem_within_the_deadline(
    sample: Path, person: Person, tmp_path: Path
) -> None:
    with FakeBackend() as backend:
        backend.on("GET /api/collections/todo_list/records", hang)
        urls = variables(backend.url)
        with emulated(sample, HANDLER, urls, tmp_path, timeout=5) as function:
            person_of = f"GET /api/collections/people/records/{person.id}"
            backend.on("GET /api/collections/todo_counts/records", answer(json={"items": []}))
            backend.on(person_of, answer(json={"id": person.id, "name": "Ada"}))
            function.ask(Asked("GET", "/api/home"))  # it has started now
            begun = time.monotonic()
            found = function.ask(person.request("GET", "/api/home"))
            took = time.monotonic() - begun
    assert (found.status, json.loads(found.body)["type"]) == (504, PROBLEM + "backend-timeout")
    assert took < 4  # home has 3 s, its function 4


def test_a_backend_that_is_down_is_a_problem(sample: Path, person: Person, tmp_path: Path) -> None:
    with emulated(sample, HANDLER, variables("http://127.0.0.1:9"), tmp_path) as function:
        found = function.ask(person.request("GET", "/api/home"))
    assert (found.status, json.loads(found.body)["type"]) == (502, PROBLEM + "backend-failed")


# --- the visitor behind API Gateway --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_visitor_cannot_say_where_they_come_from_or_which_host_they_asked(
    form: str, function: Emulated, person: Person
) -> None:
    """An own Origin passes only where the host is the one that API Gateway was asked for."""
    asked = Person(person.port).request("POST", "/api/login", json=person.account())
    said = ("X-Forwarded-Host", "evil.example"), ("Origin", "https://evil.example")
    wrong = function.ask(replace(asked, headers=asked.headers + said), FORMS[form])
    own = ("X-Forwarded-Host", "evil.example"), ("Origin", f"https://{HOST}")
    right = function.ask(replace(asked, headers=asked.headers + own), FORMS[form])
    assert (wrong.status, right.status) == (403, 200)


def test_behind_cloudfront_the_host_is_the_one_that_cloudfront_was_asked_for(
    sample: Path, person: Person, store: pocketbase.Backend, tmp_path: Path
) -> None:
    environ = {**variables(store.url), "BFF_TRUSTED_PROXIES": "2", "ORIGIN_KEY": "key"}
    with emulated(sample, HANDLER, environ, tmp_path) as function:
        asked = Person(person.port).request("POST", "/api/login", json=person.account())
        key = ("X-Origin-Key", "key")
        site = ("X-Forwarded-Host", "d1.cloudfront.net"), ("X-Forwarded-For", "198.51.100.9")
        found = [
            function.ask(replace(asked, headers=(*asked.headers, key, *site, ("Origin", origin))))
            for origin in ("https://d1.cloudfront.net", f"https://{HOST}")
        ]
        past = function.ask(replace(asked, headers=(*asked.headers, *site)))
    assert [one.status for one in found] == [200, 403]
    assert (past.status, past.body) == (403, b"These pages are asked through CloudFront.")
    assert found[0].all("set-cookie")[0].startswith("__Host-bff=")


# --- 6 MB ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def sending() -> Iterator[FakeBackend]:
    with FakeBackend() as backend:
        yield backend


def fetched(page: str, asked: Asked, bounded: Built, backend: FakeBackend, work: Path) -> dict[str, object]:
    environ, layers = {"PEOPLE_URL": backend.url}, bounded.layers(page)
    with emulated(bounded.function(page), HANDLER, environ, work, layers=layers) as function:
        return function.invoke(http_api(asked))


@pytest.mark.full
def test_the_largest_file_fits_into_an_answer(bounded: Built, sending: FakeBackend, tmp_path: Path) -> None:
    content = bytes(range(256)) * (4 * MIB // 256)
    sending.on("GET /files/a", answer(body=content, headers={"Content-Type": "image/png"}))
    result = fetched("files", Asked("GET", "/files/a"), bounded, sending, tmp_path)
    assert (result["isBase64Encoded"], answer_of(result).body == content) == (True, True)
    assert len(json.dumps(result)) < 6 * MIB


@pytest.mark.full
def test_a_file_above_the_bound_is_a_problem(bounded: Built, sending: FakeBackend, tmp_path: Path) -> None:
    sending.on("GET /files/a", answer(body=bytes(4 * MIB + 1), headers={"Content-Type": "image/png"}))
    found = answer_of(fetched("files", Asked("GET", "/files/a"), bounded, sending, tmp_path))
    assert (found.status, json.loads(found.body)["failure"]) == (502, "too-large")


@pytest.mark.full
def test_a_file_that_breaks_off_is_a_problem(bounded: Built, sending: FakeBackend, tmp_path: Path) -> None:
    sending.on("GET /files/a", half)
    found = answer_of(fetched("files", Asked("GET", "/files/a"), bounded, sending, tmp_path))
    assert (found.status, json.loads(found.body)) == (
        502,
        {
            "type": PROBLEM + "backend-failed",
            "title": "A backend failed",
            "status": 502,
            "detail": "The body broke off.",
            "failure": "refused",
        },
    )


@pytest.mark.full
@pytest.mark.parametrize("letter", ["é", '"', "茶", "😀"])
def test_the_largest_answer_fits_whatever_is_in_it(
    letter: str, bounded: Built, sending: FakeBackend, tmp_path: Path
) -> None:
    size = len(json.dumps(letter, ensure_ascii=False).encode()) - 2
    sending.on("GET /items", answer(json=letter * ((2_040_000) // size)))
    result = fetched("long", Asked("GET", "/long"), bounded, sending, tmp_path)
    assert result["statusCode"] == 200
    assert len(json.dumps(result)) < 6_291_556


@pytest.mark.full
def test_an_answer_above_the_bound_is_a_problem(bounded: Built, sending: FakeBackend, tmp_path: Path) -> None:
    sending.on("GET /items", answer(json="a" * 2_048_000))
    found = answer_of(fetched("long", Asked("GET", "/long"), bounded, sending, tmp_path))
    assert (found.status, json.loads(found.body)["type"]) == (500, PROBLEM + "over-bound")


@pytest.mark.full
def test_an_upload_above_the_bound_is_a_problem(
    whole: Built, person: Person, store: pocketbase.Backend, tmp_path: Path
) -> None:
    file = {"file": ("picture.png", bytes(4 * MIB), "image/png")}
    asked = person.request("PUT", "/api/picture", files=file)
    page, layers = whole.function("replace_picture"), whole.layers("replace_picture")
    with emulated(page, HANDLER, variables(store.url), tmp_path, layers=layers) as function:
        found = function.ask(asked)
    assert (found.status, json.loads(found.body)["type"]) == (413, PROBLEM + "body-too-large")
