"""Plans of reads that are asked again: compiled as loaded, and decoded to what is read of each reply."""

from __future__ import annotations

from pathlib import Path

from bff import create_app
from bff.expressions.inspect import ANY
from bff.plan.model import PlannedPages, PlannedUntil
from bff.plan.partial_decoding import NarrowDecoder
from bff.plan.planning import plan_folder
from tests.fakes import FakeBackend, answer
from tests.project import write_built, write_project

PAGE = """
    route: GET /page
    auth: none
    steps:
      rows:
        client: todos
        get: /rows
        query: {after: cursor}
        take: reply.body.found.rows
        pages: {as: cursor, first: "quote('a')", next: reply.body.links.next, most: 3, then: stop, within: 2s}
      linked:
        client: todos
        get: /linked
        take: reply.body.rows
        pages: {next: "[link.href for link in reply.body.links if link.rel == 'next'][0]"}
      job:
        client: people
        get: /job
        take: reply.body.result
        until: {done: reply.body.state == 'ready', every: 20ms, within: 2s}
    shape:
      names: "[row.name for row in rows]"
      linked: "[row.id for row in linked]"
      job: job.text
    """.replace("reply.body.state == 'ready'", "\"reply.body.state == 'ready'\"")
CLIENTS = {"todos": 'quote=lambda text: f"<{text}>"'}


def test_a_plan_says_how_it_is_asked_again(tmp_path: Path) -> None:
    plan = plan_folder(write_project(tmp_path, {"page": PAGE}, clients=CLIENTS)).plans["page"]
    rows, linked, job = (step.repeats for step in plan.requests)
    assert isinstance(rows, PlannedPages) and isinstance(linked, PlannedPages)
    assert (rows.name, rows.most, rows.stops, rows.within) == ("cursor", 3, True, 2.0)
    assert (linked.name, linked.first, linked.most, linked.stops, linked.within) == (
        None,
        None,
        20,
        False,
        None,
    )
    assert isinstance(job, PlannedUntil)
    assert (job.every, job.within) == (0.02, 2.0)


def test_of_each_page_that_is_read_which_says_what_follows(tmp_path: Path) -> None:
    plan = plan_folder(write_project(tmp_path, {"page": PAGE}, clients=CLIENTS)).plans["page"]
    paths = {
        step.name: set(step.decode.paths) for step in plan.requests if isinstance(step.decode, NarrowDecoder)
    }
    assert paths == {
        "rows": {("found", "rows", ANY, "name"), ("links", "next")},
        "linked": {("rows", ANY, "id"), ("links", ANY, "href"), ("links", ANY, "rel")},
        "job": {("result", "text")},
    }
    assert [need.path for step in plan.requests for need in step.decode.needs] != []  # type: ignore[attr-defined]


def test_compiled_pages_ask_again_as_loaded_ones_do(tmp_path: Path) -> None:
    root = write_project(tmp_path / "project", {"page": PAGE}, clients=CLIENTS)
    built = write_built(root, tmp_path / "built")
    for folder in (root, built):
        with FakeBackend() as backend:
            first = {"found": {"rows": [{"name": "a"}]}, "links": {"next": "b"}}
            backend.on("GET /rows", answer(json=first), answer(json={"found": {"rows": [{"name": "b"}]}}))
            links = [{"rel": "self", "href": "?x"}, {"rel": "next", "href": "?page=2"}]
            backend.on(
                "GET /linked", answer(json={"rows": [{"id": 1}], "links": links}), answer(json={"rows": [{}]})
            )
            backend.on(
                "GET /job",
                answer(202),
                answer(json={"state": "ready", "result": {"text": "t"}}),
            )
            environ = {"TODOS_URL": backend.url, "PEOPLE_URL": backend.url}
            found = create_app(folder, environ=environ).test_client().get("/page")
            assert found.json == {"names": ["a", "b"], "linked": [1, None], "job": "t"}
            asked = sorted(request.target for request in backend.requests)
        assert asked == ["/job", "/job", "/linked", "/linked?page=2", "/rows?after=%3Ca%3E", "/rows?after=b"]
