"""What the development server adds to the answers of an app."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from tests.dev.conftest import GOOD, Project
from tests.dev.test_sound import BAD, UNKNOWN

PAGE = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
INDEX = (
    "<!doctype html><html><head><title>App</title></head><body>" + "<p>Hello.</p>" * 100 + "</body></html>"
)
SCRIPT = '<script src="/-/dev/overlay.js"></script>'


def test_a_fetch_of_a_broken_page_gets_its_mistakes_as_a_problem(project: Project) -> None:
    answer = project.start(good=GOOD, bad=BAD).get("/api/bad?q=1")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.json == {
        "type": "urn:bff:problem:recipes-broken",
        "title": "The recipes need a look",
        "status": 503,
        "detail": UNKNOWN,
    }
    assert answer.headers["Server-Timing"] == 'bff-mistake;desc="bad"'
    assert answer.headers["Cache-Control"] == "no-store"


def test_all_its_mistakes_are_told_and_none_of_another(project: Project) -> None:
    bad = BAD.replace("nothing", "[nothing, nobody]")
    answer = project.start(bad=bad, worse=BAD.replace("bad", "worse")).get("/api/bad")
    assert answer.json is not None
    assert re.findall(r"(?m)^orch\S+: .*", answer.json["detail"]) == [
        "orchestrations/bad.yaml:4:9: unknown name 'nothing'",
        "orchestrations/bad.yaml:4:18: unknown name 'nobody'",
    ]


def test_a_browser_that_opens_a_broken_page_gets_a_document(project: Project) -> None:
    answer = project.start(bad=BAD.replace("nothing", "nothing <b>")).get("/api/bad", headers=PAGE)
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert "<h1>bad cannot run</h1>" in answer.text
    assert "nothing &lt;b&gt;" in answer.text and "<b>" not in answer.text


@pytest.mark.parametrize("path", ["/api/bad/1", "/api/bad/one%20two"])
def test_a_path_with_holes_is_known(project: Project, path: str) -> None:
    client = project.start(bad=BAD.replace("/api/bad", "/api/bad/{id}"))
    assert client.get(path).status_code == 503
    assert client.get("/api/bad").status_code == 404
    assert client.post(path).status_code == 404


def test_a_page_that_runs_goes_before_holes_of_one_that_does_not(project: Project) -> None:
    good = GOOD.replace("/api/good", "/api/bad/new")
    client = project.start(good=good, bad=BAD.replace("/api/bad", "/api/bad/{id}"))
    assert client.get("/api/bad/new").json == 1


def test_a_broken_page_goes_before_holes_of_one_that_runs(project: Project) -> None:
    client = project.start(good=GOOD.replace("/api/good", "/api/{id}"), bad=BAD)
    assert client.get("/api/other").json == 1
    assert client.get("/api/bad").status_code == 503


def test_where_nobody_knows_a_route_every_path_without_a_page_tells(project: Project) -> None:
    client = project.start(good=GOOD, bad="route: [\n")
    answer = client.get("/api/anything")
    assert answer.json is not None
    assert answer.status_code == 503
    assert answer.json["detail"].startswith("orchestrations/bad.yaml:2:1: ")
    assert client.get("/api/good").json == 1


def test_the_route_of_before_is_remembered(project: Project) -> None:
    client = project.start(good=GOOD)
    project.write("orchestrations/good.yaml", "route: [\n")
    assert client.get("/api/good").status_code == 503
    assert client.get("/api/other").status_code == 404


def test_a_mended_page_answers_again_and_is_told(project: Project) -> None:
    client = project.start(good=GOOD, bad=BAD)
    project.write("orchestrations/bad.yaml", BAD.replace("nothing", "2"))
    assert client.get("/api/bad").json == 2
    assert client.get("/-/dev/mistakes").json == {}
    assert [(told.down, told.mended) for told in project.told] == [(("bad",), False), ((), True)]


def test_a_mistake_is_told_once_however_often_it_is_loaded(project: Project) -> None:
    client = project.start(good=GOOD, bad=BAD)
    for shape in ("2", "3"):
        project.write("orchestrations/good.yaml", GOOD.replace("shape: 1", f"shape: {shape}"))
        assert client.get("/api/good").json == int(shape)
    assert project.said == [UNKNOWN]


def test_a_client_and_what_it_imports_are_followed(project: Project) -> None:
    project.write("addresses.py", "TODOS = 'http://todos.test'\n")
    project.write(
        "clients/new.py",
        "from addresses import TODOS\nfrom bff import Client\n\nclient = Client(base_url=TODOS)\n",
    )
    client = project.start(good=GOOD)
    project.write("addresses.py", "TODOS = 'https://todos.test'\n")
    assert client.get("/api/good").json == 1
    assert project.app is not None
    assert project.app.site.clients["new"]._written["base_url"] == "https://todos.test"


# --- documents -------------------------------------------------------------------------------------------------------


def test_a_document_of_public_has_the_overlays_script(project: Project) -> None:
    project.write("public/index.html", INDEX)
    client = project.start(good=GOOD)
    for path in ("/", "/deep/link", "/index.html"):
        answer = client.get(path, headers={**PAGE, "Accept-Encoding": "gzip", "If-None-Match": "*"})
        assert answer.text == INDEX.replace("<head>", f"<head>{SCRIPT}")
        assert answer.headers["Content-Length"] == str(len(answer.data))
        assert answer.headers["Cache-Control"] == "no-store"
        assert "ETag" not in answer.headers


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("<p>Hi", f"{SCRIPT}<p>Hi"),
        ("<!DOCTYPE html><header>Hi</header>", f"<!DOCTYPE html>{SCRIPT}<header>Hi</header>"),
        ("<!doctype html>\n<HEAD lang=en><p>", f"<!doctype html>\n<HEAD lang=en>{SCRIPT}<p>"),
    ],
)
def test_the_script_stands_before_all_others(project: Project, written: str, sent: str) -> None:
    project.write("public/index.html", written)
    assert project.start(good=GOOD).get("/", headers=PAGE).text == sent


@pytest.mark.parametrize(
    ("script", "is_blocked"),
    [
        ("<script>go()</script>", True),
        ('<SCRIPT type="module">go()</SCRIPT>', True),
        ('<script src="app.js"></script>', False),
        ('<script type="application/json">{}</script>', False),
    ],
)
def test_a_script_that_the_policy_blocks_is_told(project: Project, script: str, is_blocked: bool) -> None:
    project.write("public/index.html", f"<head>{script}</head>")
    project.start(good=GOOD).get("/", headers=PAGE)
    told = "/: a script in the HTML does not run: put it into a file, <script src=…>, or set BFF_CSP"
    assert (told in project.lines) is is_blocked


def test_a_policy_of_the_authors_own_is_not_judged(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BFF_CSP", "script-src 'unsafe-inline'")
    project.write("public/index.html", "<head><script>go()</script></head>")
    project.start(good=GOOD).get("/", headers=PAGE)
    assert not any("does not run" in line for line in project.lines)


def test_a_document_that_a_program_fetches_packed_is_as_it_is(project: Project) -> None:
    project.write("public/index.html", INDEX)
    answer = project.start(good=GOOD).get("/index.html", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.data).decode() == INDEX


def test_other_files_and_pages_are_as_they_are(project: Project) -> None:
    project.write("public/index.html", INDEX)
    project.write("public/app.js", "'</head>'")
    client = project.start(good=GOOD)
    assert client.get("/app.js").text == "'</head>'"
    assert client.get("/app.js").headers["ETag"]
    assert client.get("/api/good").data == b"1"


def test_what_the_server_has_for_itself_is_served_under_the_policy(project: Project) -> None:
    client = project.start(good=GOOD)
    for name, kind in {
        "overlay.js": "text/javascript",
        "start.js": "text/javascript",
        "dev.css": "text/css",
    }.items():
        answer = client.get(f"/-/dev/{name}")
        assert (answer.status_code, answer.mimetype) == (200, kind)
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert client.get("/-/dev/watching.py").status_code == 404
    assert project.lines == []


# --- the start page --------------------------------------------------------------------------------------------------


def test_without_an_index_the_start_page_lists_every_page(project: Project) -> None:
    good = """
        route: POST /api/good/{id}
        auth: none
        summary: Makes <one>.
        input:
          query:
            n: {type: integer, minimum: 3, required: true}
            q: {type: string, default: any}
          body:
            type: object
            properties:
              title: {type: string}
        shape: 1
        """
    answer = project.start(good=good, bad=BAD).get("/", headers=PAGE)
    assert answer.status_code == 200
    assert "Makes &lt;one&gt;." in answer.text
    assert '<form data-method="POST" data-path="/api/good/{id}"' in answer.text
    assert '<input name="path.id" value="id-1" placeholder="" required>' in answer.text
    assert '<input name="query.n" value="3" placeholder="" required>' in answer.text
    assert '<input name="query.q" value="" placeholder="any">' in answer.text
    assert "unknown name &#x27;nothing&#x27;" in answer.text
    assert "<script>" not in answer.text and "style=" not in answer.text


def test_with_an_index_that_is_shown_at_once(project: Project) -> None:
    client = project.start(good=GOOD)
    assert "What next" in client.get("/", headers=PAGE).text
    project.write("public/index.html", "Hi")
    assert client.get("/", headers=PAGE).text == f"{SCRIPT}Hi"


# --- lines -----------------------------------------------------------------------------------------------------------


def test_what_is_no_page_has_a_line_without_what_was_asked_of_it(project: Project) -> None:
    project.write("public/index.html", "Hi")
    client = project.start(good=GOOD, bad=BAD)
    for path in ("/?token=secret", "/api/bad?token=secret", "/api/a%0Ab"):
        client.get(path)
    client.post("/readyz")
    assert [re.sub(r"\d+ ms$", "… ms", line[9:]) for line in project.lines] == [
        "200 GET / … ms",
        "503 bad … ms",
        "404 GET /api/a%0Ab … ms",
        "405 POST /readyz … ms",
    ]


def test_the_parts_of_a_document_have_a_line_where_they_do_not_come(project: Project) -> None:
    project.write("public/app.js", "1")
    client = project.start(good=GOOD)
    etag = client.get("/app.js").headers["ETag"]
    assert client.get("/app.js", headers={"If-None-Match": etag}).status_code == 304
    assert client.get("/absent.js").status_code == 404
    assert [line[9:].rpartition(" ")[0].rpartition(" ")[0] for line in project.lines] == [
        "404 GET /absent.js"
    ]


def test_the_mistakes_are_there_for_the_overlay(project: Project) -> None:
    answer = project.start(good=GOOD, bad=BAD).get("/-/dev/mistakes")
    assert json.loads(answer.data) == {"bad": [UNKNOWN]}
