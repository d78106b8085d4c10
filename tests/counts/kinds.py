"""The kinds of pages whose calls are counted, what each is compared with, and how many calls it may come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks import fixtures
from tests.counts.backend import HANGS, cut, reply
from tests.project import LOGIN

ROOT = Path(__file__).resolve().parents[2]
HOME = (ROOT / "benchmarks/bff_page/orchestrations/home.yaml").read_text("utf-8")
USER = fixtures.USER

ROWS = {"total": 2, "rows": [{"id": "a", "title": "One"}, {"id": "b", "title": "Two"}]}


@dataclass(frozen=True, slots=True)
class Kind:
    """One page: its recipe, how it is asked, and the answer that shows that it did what it is about."""

    recipe: str
    query: str = ""
    status: int = 200
    answer: Any = None
    path: str = ""
    """Where it is, if not at its name."""
    signed_in: bool = False
    metrics: bool = False
    sleeps: float = 0.0
    """How many seconds go by each time that it waits, where it is to wait for a back-off or a time-out."""


def _public(steps: str, shape: str, more: str = "") -> str:
    """A recipe for everybody; its NAME is filled in when the project is written."""
    return f"route: GET /api/NAME\nauth: none\n{more}{steps}shape: {shape}\n"


def _read(path: str = "/rows/1", more: str = "", name: str = "rows", client: str = "todos") -> str:
    return f"  {name}:\n    client: {client}\n    get: {path}\n{more}"


_INPUT = "input: {query: {id: {type: string, maxLength: 20}}}\n"
_SHAPE = "{total: rows.total}"
_ONE = {"total": 2}


def _batch(ids: int) -> Kind:
    steps = _read(f"/ids/{ids}", name="rows")
    steps += (
        "  owners:\n    client: people\n    batch: ids in (row.owner for row in rows)\n"
        "    get: /owners\n    query: {id: ids}\n"
    )
    return Kind(_public(f"steps:\n{steps}", "{total: len(owners)}"), answer={"total": 2})


_SICK_CLIENTS = {
    "well": "breaker=None",
    "500": "breaker=None",
    "503": "breaker=None",
    "refused": "breaker=None",
    "reset": "breaker=None",
    "hangs": "breaker=None",
    "spared": "breaker=Breaker(failures=2)",
}


def _sick(kind: str) -> Kind:
    """The benchmark's home whose notice, which has a fallback, is not retried."""
    own = f"client: sick_{kind}\n    timeout: 50ms\n    retries: 0\n    fallback: null\n"
    recipe = HOME.replace("/api/home\n", "/api/NAME\n").replace("client: notices\n", own)
    recipe = recipe.replace("get: /notices/latest\n", f"get: /notices/{kind}\n")
    answer = fixtures.home_page() | ({} if kind == "well" else {"notice": None})
    sleeps = 0.03 if kind == "hangs" else 0.0
    return Kind(recipe, query="status=all&limit=100", answer=answer, signed_in=True, sleeps=sleeps)


_NO_REQUESTS = _public("", "{kind: f'none'}")
_ONE_READ = _public(f"steps:\n{_read()}", _SHAPE)
_GUARD = "  known:\n    require: query.id != 'x'\n    fail: {status: 404, title: f'Nobody'}\n"

KINDS: Mapping[str, Kind] = {
    "no_requests": Kind(_NO_REQUESTS, answer={"kind": "none"}),
    "session_and_input": Kind(
        "route: GET /api/NAME\ninput:\n  query:\n    status: {type: string, enum: [all, open], default: all}\n"
        "    limit: {type: integer, minimum: 1, maximum: 100, default: 100}\n"
        "shape: {user: user.id, status: query.status, limit: query.limit}\n",
        query="status=all&limit=100",
        answer={"user": USER, "status": "all", "limit": 100},
        signed_in=True,
    ),
    "one_read": Kind(_ONE_READ, answer=_ONE),
    "two_reads": Kind(
        _public(
            "steps:\n" + _read() + _read("/rows/2", name="second"),
            "{total: rows.total, second: second.total}",
        ),
        answer={"total": 2, "second": 2},
    ),
    "three_reads": Kind(
        _public(
            "steps:\n" + _read() + _read("/rows/2", name="second") + _read("/rows/3", name="third"),
            "{total: rows.total, second: second.total, third: third.total}",
        ),
        answer={"total": 2, "second": 2, "third": 2},
    ),
    "home": Kind(
        HOME,
        query="status=all&limit=100",
        answer=fixtures.home_page(),
        path="/api/home",
        signed_in=True,
    ),
    "one_read_with_input": Kind(
        _public(f"steps:\n{_read()}", _SHAPE, more=_INPUT), query="id=1", answer=_ONE
    ),
    "path_hole": Kind(
        _public("steps:\n" + _read("/rows/{query.id}"), _SHAPE, more=_INPUT), query="id=1", answer=_ONE
    ),
    "take": Kind(
        _public("steps:\n" + _read(more="    take: reply.body.rows\n"), "{total: len(rows)}"), answer=_ONE
    ),
    "guard": Kind(_public(f"steps:\n{_GUARD}{_read()}", _SHAPE, more=_INPUT), query="id=1", answer=_ONE),
    "used_fallback": Kind(
        _public("steps:\n" + _read("/missing", more="    fallback: {total: 0}\n", client="missing"), _SHAPE),
        answer={"total": 0},
    ),
    "used_fallback_of_500": Kind(
        _public("steps:\n" + _read("/broken", more="    fallback: {total: 0}\n", client="broken"), _SHAPE),
        answer={"total": 0},
    ),
    "cache_hit": Kind(_public("steps:\n" + _read(more="    cache: 60s\n"), _SHAPE), answer=_ONE),
    "batch_10": _batch(10),
    "batch_20": _batch(20),
    "more_headers": Kind(_public("steps:\n" + _read("/more-headers"), _SHAPE), answer=_ONE),
    "cache_control": Kind(_public("steps:\n" + _read("/cache-control"), _SHAPE), answer=_ONE),
    "hand_over": Kind(
        _public("steps:\n" + _read("/now-and-then", more="    retries: 1\n", client="flaky"), _SHAPE),
        answer=_ONE,
        sleeps=0.1,
    ),
    **{f"sick_{kind}": _sick(kind) for kind in _SICK_CLIENTS},
    "refused_401": Kind(_ONE_READ.replace("auth: none\n", ""), status=401),
    "backend_404": Kind(_public("steps:\n" + _read("/missing", client="missing"), _SHAPE), status=404),
    "metrics_no_requests": Kind(_NO_REQUESTS, answer={"kind": "none"}, metrics=True),
    "metrics_one_read": Kind(_ONE_READ, answer=_ONE, metrics=True),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: a sum of kinds, and the most that it may come to one day."""

    title: str
    terms: Mapping[str, int]
    python: int | None = None
    c: int | None = None
    among: int = 1
    times: str = ""
    """The kind of which the sum is told as so many times."""

    def of(self, totals: Mapping[str, int]) -> Fraction:
        """The sum, of the totals of one sort of calls by kind."""
        whole = totals[self.times] if self.times else self.among
        return Fraction(sum(totals[kind] * times for kind, times in self.terms.items()), whole)


def _beyond(kind: str, base: str) -> dict[str, int]:
    return {kind: 1, base: -1}


TABLE: Sequence[Line] = (
    Line("page without requests", {"no_requests": 1}, 34, 46),
    Line("page with session and input", {"session_and_input": 1}, 42, 65),
    Line("page of one read", {"one_read": 1}, 60, 105),
    Line("the second read", _beyond("two_reads", "one_read"), 22, 45),
    Line("the third read", _beyond("three_reads", "two_reads"), 22, 45),
    Line("the benchmark's home", {"home": 1}, 150, 430),
    Line("a path hole, beyond one read", _beyond("path_hole", "one_read_with_input"), 8),
    Line("take, beyond one read", _beyond("take", "one_read"), 8),
    Line("a guard, beyond one read", _beyond("guard", "one_read_with_input"), 5),
    Line("a used fallback, beyond one read", _beyond("used_fallback", "one_read"), 25),
    Line("a used fallback of a 500, beyond one read", _beyond("used_fallback_of_500", "one_read"), 25),
    Line("a cache hit, beyond no requests", _beyond("cache_hit", "no_requests"), 18),
    Line("each id of a batch", _beyond("batch_20", "batch_10"), 1, among=10),
    Line("a reply header that nobody reads", _beyond("more_headers", "one_read"), 0, among=10),
    Line(
        "a reply that says how long it may be kept, beyond one read", _beyond("cache_control", "one_read"), 4
    ),
    Line("metrics, a page", _beyond("metrics_no_requests", "no_requests"), 30),
    Line(
        "metrics, a request",
        {"metrics_one_read": 1, "metrics_no_requests": -1, "one_read": -1, "no_requests": 1},
        15,
    ),
    Line("a hand-over, beyond one read", _beyond("hand_over", "one_read"), 150),
    *(
        Line(f"home, the notice's backend {kind}, × well", {f"sick_{kind}": 1}, times="sick_well")
        for kind in _SICK_CLIENTS
        if kind != "well"
    ),
    Line("page refused with 401", {"refused_401": 1}),
    Line("page of a backend's 404", {"backend_404": 1}),
)

# The clients of pages whose backend fails are their own, so that no other page finds anything in their state.
_OPENS_LATE = "Breaker(failures=200, rate=1.0, least=200)"
CLIENTS = {
    **dict.fromkeys(("people", "todos", "notices"), 'timeout="3s", concurrency=1024'),
    "missing": "",
    "broken": f"breaker={_OPENS_LATE}",
    "flaky": "",
    **{f"sick_{kind}": arguments for kind, arguments in _SICK_CLIENTS.items()},
}


def recipes() -> dict[str, str]:
    """All pages as one project, with the one that signs in."""
    made = {name: kind.recipe.replace("NAME", name) for name, kind in KINDS.items()}
    return {**made, "login": LOGIN}


def path_of(name: str) -> str:
    return KINDS[name].path or f"/api/{name}"


def _ids(count: int) -> list[object]:
    return [{"owner": f"owner-{number}"} for number in range(count)]


CUT = cut(reply(fixtures.notice()))
REPLIES: Mapping[str, Sequence[bytes]] = {
    **{f"/rows/{number}": [reply(ROWS)] for number in (1, 2, 3)},
    **{f"/ids/{count}": [reply(_ids(count))] for count in (10, 20)},
    "/owners": [reply([{"id": "owner-1"}, {"id": "owner-2"}])],
    "/more-headers": [reply(ROWS, more=[f"X-More-{number}: {number}" for number in range(10)])],
    "/cache-control": [reply(ROWS, more=["Cache-Control: private, max-age=10"])],
    "/broken": [reply({"error": "broken"}, 500)],
    "/missing": [reply({"error": "missing"}, 404)],
    "/now-and-then": [reply({"error": "busy"}, 503), reply(ROWS)],
    f"/people/{USER}": [reply(fixtures.me())],
    "/todos": [reply(fixtures.todos())],
    "/people": [reply(fixtures.people())],
    "/notices/latest": [reply(fixtures.notice())],
    "/notices/well": [reply(fixtures.notice())],
    "/notices/500": [reply({"error": "broken"}, 500)],
    "/notices/503": [reply({"error": "busy"}, 503)],
    "/notices/spared": [reply({"error": "busy"}, 503)],
    "/notices/reset": [CUT],
    "/notices/hangs": [HANGS],
}
