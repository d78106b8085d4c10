"""What is told of a page in cases that the ten recipes do not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.explaining.caches import cache_rows
from bff.explaining.endings import ending_rows
from bff.explaining.failures import cut_rows, guard_rows, optional_rows, write_rows
from bff.explaining.most_requests import in_short, most_requests, request_rows
from bff.explaining.nodes import drawing_of
from bff.explaining.order import order_rows
from bff.explaining.reply_use import reply_rows
from bff.explaining.report import report
from bff.explaining.routes import routes
from bff.explaining.subject import Subject, subject_of
from bff.explaining.timing import critical_path, late_steps, time_rows, timed, timing_rows
from tests.project import write_project


def subject(root: Path, steps: str, shape: str, *, more: str = "", **others: str) -> Subject:
    """A page of steps whose clients take a second and try twice."""
    text = f"route: GET /api/page\nauth: none\n{more}\nsteps:\n{steps}\nshape: {shape}\n"
    write_project(root, {"page": text, **others}, timeout="1s")
    return subject_of(root, "page")


CHAIN = """
  a: {client: todos, get: /a, timeout: 100ms, take: reply.body}
  b: {client: todos, get: "/b/{a.id}", timeout: 200ms, fallback: null}
  c: {require: "b is None or b.id == 1", fail: {status: 404}}
"""


def test_time_that_is_just_enough_does_not_run_out(tmp_path: Path) -> None:
    found = subject(tmp_path, CHAIN, "a", more="deadline: 300ms")
    assert [(one.name, one.begins, one.ends) for one in critical_path(found)] == [
        ("a", 0.0, 0.1),
        ("b", 0.1, 0.3),
    ]
    assert late_steps(found) == ()
    assert dict(time_rows(found)) == {
        "critical path": "a 100ms → b 200ms = 300ms",
        "deadline": "300ms: enough for all of it",
    }


@pytest.mark.parametrize(
    ("deadline", "left"),
    [("250ms", "only 150ms of its 200ms"), ("200ms", "only 100ms of its 200ms")],
)
def test_what_is_left_for_a_late_step_is_told(tmp_path: Path, deadline: str, left: str) -> None:
    found = subject(tmp_path, CHAIN, "a", more=f"deadline: {deadline}")
    assert (
        dict(time_rows(found))["runs out in"] == f"b, which may have {left} left after a; then it falls back"
    )


def test_a_client_that_waits_longer_than_the_page_is_cut_off(tmp_path: Path) -> None:
    found = subject(tmp_path, "  a: {client: todos, get: /a}", "a", more="deadline: 800ms")
    assert dict(time_rows(found))["runs out in"] == (
        "a, which may take 1s; then the page is 504 backend-timeout"
    )


def test_of_ways_that_take_equally_long_the_first_is_critical(tmp_path: Path) -> None:
    steps = "  a: {client: todos, get: /a}\n  b: {client: people, get: /b}"
    assert [one.name for one in critical_path(subject(tmp_path, steps, "'[a, b]'"))] == ["a"]


def test_an_each_of_no_items_asks_nobody(tmp_path: Path) -> None:
    found = subject(tmp_path, '  a: {client: todos, each: "x in []", get: "/a/{x}"}', "a")
    assert (in_short(found), most_requests(found).most) == ("0 at most", 0)
    assert [one.ends for one in critical_path(found)] == []


def test_a_step_s_own_retries_count(tmp_path: Path) -> None:
    steps = "  a: {client: todos, get: /a, retries: 4}"
    assert most_requests(subject(tmp_path, steps, "a")).most == 5


def test_a_slice_bounds_the_list_of_a_backend(tmp_path: Path) -> None:
    steps = """
  a: {client: todos, get: /a}
  b: {client: todos, each: "x in a.items[:3]", get: "/b/{x}"}
"""
    assert in_short(subject(tmp_path, steps, "b")) == "8 at most"


PART = """
auth: none
input:
  headers:
    X-Shop: {type: string}
steps:
  goods:
    client: todos
    get: /goods
    headers:
      X-Shop: headers['X-Shop']
    cache: 1m
shape: goods
"""


def test_what_makes_a_step_of_a_part_private_is_told_with_the_place_in_the_page(tmp_path: Path) -> None:
    steps = """
  shop:
    recipe: part
    with:
      headers:
        X-Shop: headers['X-Tenant']
"""
    more = "input: {headers: {X-Tenant: {type: string}}}"
    found = subject(tmp_path, steps, "shop", more=more, part=PART)
    assert dict(cache_rows(found)) == {
        "shop.goods": "for 1m; per visitor: shop.goods reads shop.headers.X-Shop; "
        "shop.headers.X-Shop reads headers['X-Tenant'] (value, line 10)"
    }
    assert dict(guard_rows(found)) == {
        "shop.headers.X-Shop": "400 invalid-input unless it is as shop takes it"
    }


def test_fields_with_names_that_are_no_words_are_written_as_keys(tmp_path: Path) -> None:
    text = """
    route: GET /api/page
    auth: none
    steps:
      a: {client: todos, get: /a, fallback: null}
    shape:
      x-y: a.one
      list:
        each: one in a.list
        item: {'a.b': one.id}
      z: [1, a.two]
    """
    write_project(tmp_path, {"page": text})
    found = subject_of(tmp_path, "page")
    assert dict(optional_rows(found)) == {"a": "null; takes with it ['x-y'], list, z[1]"}


def test_a_fallback_that_reads_the_reply_that_failed_is_told_so(tmp_path: Path) -> None:
    text = """
    route: GET /api/page
    auth: none
    steps:
      a: {client: todos, get: /a, fallback: reply.body.why}
      b: {client: todos, get: /b, fallback: error.kind}
    shape: {a: a, b: b}
    """
    write_project(tmp_path, {"page": text})
    assert dict(optional_rows(subject_of(tmp_path, "page"))) == {
        "a": "reply.body.why (of the reply that failed, null if none came); takes with it a",
        "b": "error.kind; takes with it b",
    }


SIGNED = """
route: POST /api/page
auth: none
rate_limit: 10/min
signed: {signed}
idempotency_key: body.id
input: {{body: {{type: object, properties: {{id: {{type: string}}}}}}}}
shape: 1
"""


@pytest.mark.parametrize(
    ("signed", "who"),
    [
        (
            "{scheme: stripe, secret: [NEW, OLD]}",
            "Stripe, by NEW or OLD; the signature of the body is checked before all else, not older than 5m;",
        ),
        (
            "{scheme: github, secret: S}",
            "GitHub, by S; the signature of the body is checked before all else;",
        ),
        (
            "{scheme: hmac, secret: S, header: X-Own}",
            "who signs in X-Own, by S; the signature of the body is checked before all else;",
        ),
    ],
)
def test_who_signs_may_ask_and_a_repeat_gets_the_first_answer(signed: str, who: str, tmp_path: Path) -> None:
    write_project(tmp_path, {"page": SIGNED.format(signed=signed)})
    told = " ".join(report(subject_of(tmp_path, "page")).split())
    assert f"who may ask {who} each 10 times in 1m critical path" in told.replace(
        " repeats a repeat of body.id gets the first answer for 24h, unless that was an error of ours"
        " (BFF_STATE_URL)",
        "",
    )
    assert "repeats a repeat of body.id gets the first answer for 24h" in told


def test_the_table_of_routes_says_who_signs(tmp_path: Path) -> None:
    write_project(tmp_path, {"page": SIGNED.format(signed="{scheme: slack, secret: S}")})
    assert routes(tmp_path).splitlines()[1] == "POST    /api/page  page  Slack, by S"


def test_a_page_that_asks_nobody_has_few_sections(tmp_path: Path) -> None:
    write_project(tmp_path, {"page": "route: GET /api/page\nauth: none\nshape: 1\n"})
    text = report(subject_of(tmp_path, "page"))
    assert [part.splitlines()[0] for part in text.split("\n\n")] == [
        "GET /api/page, orchestrations/page.yaml",
        "What is kept",
    ]


def test_a_step_below_a_write_says_that_it_waits_for_that(tmp_path: Path) -> None:
    text = """
    route: POST /api/page
    auth: none
    steps:
      read: {client: todos, get: /r}
      write: {client: todos, post: /w}
      after: {client: todos, get: /a, fallback: null}
      last: {client: people, post: /l, body: {x: "default(after.id, 1)"}}
    shape: "[read, after]"
    """
    write_project(tmp_path, {"page": text})
    assert list(order_rows(subject_of(tmp_path, "page"))) == [
        ("at once", "read"),
        ("write", "waits for read: a write waits for what is required above it"),
        ("after", "waits for write, the write above it"),
        ("last", "waits for after, which it reads; waits for write, the write above it"),
    ]


def test_what_is_read_through_loops_and_lets_is_told(tmp_path: Path) -> None:
    steps = """
  a: {client: todos, get: /a}
  b: {client: todos, get: /b, key_by: of.id}
  c:
    client: todos
    get: /c
    take: {each: [x in reply.body.xs, y in x.ys if y.on], let: {z: y.z}, item: {z: z, w: z.w}}
"""
    shape = """
  - {each: [order in a, line in order.lines], let: {of: "b[line.sku]", name: of.name}, item: [name, line.n]}
  - "[one.w for one in c]"
"""
    found = subject(tmp_path, steps, shape)
    assert dict(reply_rows(found)) == {
        "a": "[*].lines[*].{n, sku}",
        "b": "[*].{name, of.id}",
        "c": "xs[*].ys[*].{on, z.w}",
    }


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ("[id, 'items[*].title', 'items[*].at?']", "id, items[*].{at, title} must be there"),
        ("reads", "all that is read for certain must be there"),
        ("[]", "nothing must be there"),
    ],
)
def test_what_a_step_says_that_it_needs_is_told(tmp_path: Path, needs: str, said: str) -> None:
    text = f"route: GET /api/page\nsteps: {{a: {{client: todos, get: /a, needs: {needs}}}}}\nshape: a.id\n"
    write_project(tmp_path, {"page": text})
    assert dict(reply_rows(subject_of(tmp_path, "page"))) == {"a": f"id; {said}"}


def test_a_document_is_told_by_its_operation(tmp_path: Path) -> None:
    steps = """
  film: {client: todos, graphql: "query Film { film { title } }"}
  own: {client: todos, graphql: "{ film { title } }", ok: reply.status == 200}
  kept: {client: todos, graphql: "query ($me: ID!) { film(me: $me) { title } }", variables: {me: user.id}, cache: 1m}
  added:
    client: todos
    graphql: "mutation Add { add { id } }"
    undo: {graphql: "mutation Remove { remove { id } }"}
  last: {client: todos, post: /last}
"""
    write_project(
        tmp_path,
        {"page": f"route: POST /api/page\nsteps:\n{steps}\nshape: [film, own, kept, added, last]\n"},
    )
    found = subject_of(tmp_path, "page")
    assert dict(reply_rows(found)) == {
        "film": "the whole body: any errors of the query Film fail the step",
        "own": "the whole body: ok may look at any of it; and its status",
        "kept": "the whole body: any errors of the query fail the step",
        "added": "the whole body: any errors of the mutation Add fail the step",
        "last": "the whole body",
    }
    assert dict(write_rows(found))["added"] == "is taken back by the mutation Remove (todos)"
    told = dict(ending_rows(found))["502 backend-failed"]
    assert "errors in its reply (film, kept, added)" in told
    assert dict(cache_rows(found))["kept"].endswith("kept reads user.id (variables, line 6)")
    assert [node.lines[1] for node in drawing_of(found).nodes[:4]] == [
        "GraphQL query of todos, 10s",
        "GraphQL query of todos, 10s",
        "GraphQL query of todos, 10s",
        "GraphQL mutation of todos, 10s",
    ]


@pytest.mark.parametrize(
    ("rest", "shape", "said"),
    [
        ("format: csv", "'[one.id for one in a]'", "csv: [*].id"),
        ("format: {csv: {delimiter: ';'}}", "a", "csv (';' between cells): all of it"),
        (
            "format: {csv: {quote: null, header: [id, name]}}",
            "'[one.id for one in a]'",
            "csv (no quotes; no header row, but id, name): [*].id",
        ),
        ('format: {csv: {quote: "\'"}}', "a", "csv (' around cells): all of it"),
        ("format: text, on_status: {404: null}", "a", "text: all of it; 404 is an answer"),
        ("format: form", "a.token", "form: token"),
        ("format: ndjson, take: reply.status", "a", "nothing of its body; and its status"),
    ],
)
def test_the_format_of_a_reply_is_told(tmp_path: Path, rest: str, shape: str, said: str) -> None:
    found = subject(tmp_path, f"  a: {{client: todos, get: /a, {rest}}}", shape)
    assert dict(reply_rows(found)) == {"a": said}


def test_a_bulk_write_is_told_with_its_chunks_and_what_says_what_failed(tmp_path: Path) -> None:
    text = """
    route: POST /api/page
    auth: none
    input: {body: {type: array, maxItems: 250}}
    steps:
      rows:
        client: todos
        post: /bulk
        batch: some in body
        batch_size: 100
        body: some
        failed: reply.body.failed
      plain: {client: todos, post: /plain, batch: some in body, body: some}
    shape: 1
    """
    write_project(tmp_path, {"page": text}, timeout="1s")
    found = subject_of(tmp_path, "page")
    assert dict(write_rows(found)) == {
        "rows": "stands: it has no undo; chunks of 100 go one after the other, none after one that fails or has "
        "items that were not done",
        "plain": "stands: it has no undo; chunks of 50 go one after the other, none after one that fails",
    }
    [(_, most, how), *_] = request_rows(found)
    assert (most, how) == ("3", "one for each 100 of up to 250 items, one after the other")
    assert dict(reply_rows(found)) == {
        "rows": "the whole body: failed may look at any of it; failed tells the items that were not done: "
        "reply.body.failed",
        "plain": "nothing of its body, which need not be JSON",
    }
    assert "items that were not done (rows)" in dict(ending_rows(found))["502 backend-failed"]
    assert [(one.name, one.takes) for one in critical_path(found)] == [("rows", 3.0), ("plain", 5.0)]


AGAIN = """
  rows:
    client: todos
    get: /rows
    query: {after: cursor}
    take: reply.body.items
    pages: {as: cursor, next: reply.body.next, most: 5, then: stop}
  all:
    each: one in query.ids
    client: people
    get: /all/{one}
    retries: 0
    pages: {next: "reply.headers['link']", within: 2s}
  job:
    client: notices
    get: /job
    take: reply.body.result
    until: {done: "reply.body.state == 'ready'", every: 300ms, within: 2s}
"""
IDS = "input: {query: {ids: {type: array, maxItems: 10}}}"


def test_of_what_is_asked_again_it_is_told_how_often_how_long_and_when_that_fails(tmp_path: Path) -> None:
    found = subject(tmp_path, AGAIN, "'[rows, all, job]'", more=IDS)
    assert list(request_rows(found)) == [
        ("rows", "10", "one for each of up to 5 pages, 2 tries each"),
        ("all", "200", "one for each of up to 10 items, of up to 20 pages"),
        ("job", "14", "one, asked up to 7 times, every 300ms, 2 tries each"),
    ]
    assert [(one.name, one.takes) for one in timed(found).values()] == [
        ("rows", 3.0),
        ("all", 4.0),
        ("job", 2.0),
    ]
    assert list(timing_rows(found))[1:] == [
        ("rows", "3s (up to 5 pages; 2 tries)", "0s", "3s"),
        ("all", "4s (10 items, 8 at a time; up to 20 pages)", "0s", "4s"),
        ("job", "2s (until it is done; 2 tries)", "0s", "2s"),
    ]
    endings = dict(ending_rows(found))
    assert endings["500 over-bound"].endswith("more than 20 pages (all)")
    assert endings["504 backend-timeout"] == "no whole reply in time; not done within 2s (job)"
    assert "a page that was there before (rows, all)" in endings["502 backend-failed"]
    assert list(cut_rows(found)) == [("rows", "stops after 5 pages; the whole page hangs on it")]
    assert "rows  stops after 5 pages" in report(found)
    assert dict(reply_rows(found)) == {
        "rows": "items, next; reply.body.next is the page that follows",
        "all": "the whole body; and its headers.link; reply.headers['link'] is the page that follows",
        "job": "result; the last where reply.body.state == 'ready'",
    }
    nodes = {node.name: node.lines[2:] for node in drawing_of(found).nodes}
    assert nodes["rows"] == ("≤ 5 pages",)
    assert nodes["all"] == ("each of ≤ 10, ≤ 20 pages",)
    assert nodes["job"] == ("until done",)


def test_old_replies_of_a_list_are_renewed_page_by_page(tmp_path: Path) -> None:
    kept = "cache: {ttl: 1m, stale_while_revalidate: 1h}"
    steps = f"  rows: {{client: todos, get: /rows, {kept}, pages: {{next: len(reply.body), most: 7}}}}"
    assert most_requests(subject(tmp_path, steps, "rows")).behind == 7


def test_the_functions_that_end_a_page_by_raising_are_told(tmp_path: Path) -> None:
    steps = """
  a: {client: todos, get: /a, take: lines(reply.body)}
  b: {client: todos, get: "/b/{quoted(a.id)}", ok: fine(reply), query: {q: lower(a.id), l: lines(a)}}
  c: {client: todos, each: one in lines(a), get: "/c/{one}", take: fine(reply.body), fallback: null}
  d: {client: todos, get: /d, take: fine(reply.body), fallback: null}
"""
    functions = "".join(f"def {name}(value):\n    return value\n" for name in ("lines", "quoted", "fine"))
    (tmp_path / "orchestrations").mkdir()
    (tmp_path / "orchestrations" / "functions.py").write_text(functions, encoding="utf-8")
    endings = dict(ending_rows(subject(tmp_path, steps, '"[a.id, b, c, d]"')))
    assert endings["500 internal"] == "lines raises (a, c); quoted or lines or fine raises (b)"
