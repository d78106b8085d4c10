"""Instants as they go through a recipe: what is said of their order, and above all what is not."""

from __future__ import annotations

import pytest

from bff.expressions import zones
from tests.recipe.check.conftest import Check

PAGE = """
route: GET /page
auth: none
input:
  query: {{zone: {{type: string, default: UTC}}, since: {{type: string}}}}
steps:
  todos: {{client: todos, get: /todos}}
  taken:
    client: todos
    get: /todos
    take:
      each: todo in reply.body
      item: {{id: todo.id, due: instant(todo.due), raw: todo.due}}
  keyed:
    client: todos
    get: /todos
    take: "[{{'id': todo.id, 'due': instant(todo.due), 'raw': todo.due}} for todo in reply.body]"
    key_by: id
  each:
    each: todo in todos
    client: todos
    get: /todos/{{todo.id}}
    take: instant(reply.body.due)
    fallback: now()
  cutoff: {{value: "now(-3600)"}}
  dues: {{value: "[instant(todo.due) for todo in todos]"}}
  rows: {{value: "[merge(todo, {{'due': instant(todo.due)}}) for todo in todos]"}}
  bounds: {{value: {{begin: "start_of(now(), 'day')", till: now()}}}}
shape:
  all: [taken, keyed, each, cutoff, dues, rows, bounds, query.zone]
  asked: {}
"""


def findings(check: Check, expression: str) -> list[str]:
    said = check({"orchestrations/page.yaml": PAGE.format(f'"{expression}"')})
    return [one.split("\n")[0].partition(": ")[2] for one in said]


@pytest.mark.parametrize(
    "expression",
    [
        "instant(todos[0].due) < now()",
        "count(todo for todo in todos if instant(todo.due) < cutoff)",
        "[due for due in dues if due < now()]",
        "[row.id for row in rows if bounds.begin <= row.due < bounds.till]",
        "[row.id for row in sort(rows, 'due')[:5] if row.due < now()]",
        "[row.id for row in unique(rows, 'due') if row.due < now()]",
        "index(rows, 'id')['a'].due < now()",
        "[row.id for row in group(rows, 'id')['a'] if row.due < now()]",
        "[one.value.due for one in items(index(rows, 'id')) if one.value.due < now()]",
        "[row.due for row in values(index(rows, 'id')) if row.due < now()]",
        "{row.id: row.due for row in rows}['a'] < now()",
        "[todo.id for todo in taken if todo.due < now()]",
        "keyed['a'].due < now()",
        "each[0] < now()",
        "pick(rows[0], 'due').due < now() and omit(rows[0], 'id').due < now()",
        "min(dues) < now() and max(dues[0], now()) > cutoff",
        "min(now(), instant(todos[0].due))",
        "sort(dues + [now()])",
        "sort(rows, '-due')",
        "default(instant(todos[0].due), now()) <= now()",
        "(instant(todos[0].due) or '') < now()",
        "default(instant(todos[0].due), '9999') > now()",
        "(instant(todos[0].due) if todos[0].due else now()) < now()",
        "now() < '2026-12-01' and now() >= '2026-11-28T16:35:00.000Z'",
        "now() < date(todos[0].due) or now() > days(3)[0]",
        # Of one backend, in its own form
        "todos[0].due < todos[1].due",
        "sort(todos, '-due') + sort([todo.due for todo in todos])",
        "min(todo.due for todo in todos)",
        "[row.id for row in rows if row.created < row.changed]",
        "[todo.id for todo in taken if todo.raw < todos[0].due]",
        # Days with days
        "todos[0].due >= days(7, query.zone)[0]",
        "date(todos[0].due, query.zone) < date(now(), query.zone)",
        "local(now(), query.zone).time < '18:00' and local(now(), query.zone).hour < 18",
        "now()[:10] <= todos[0].due",
        "epoch(now()) - epoch(todos[0].due) > 3600",
        # Not an order
        "now() == todos[0].due or now() in [todos[0].due]",
        "now() != null",
        # Nobody knows in which form it is
        "now() < replace(todos[0].due, ' ', 'T')",
        "now() < f'{todos[0].day}T00:00:00.000Z'",
    ],
)
def test_nothing_is_said_of(expression: str, check: Check) -> None:
    assert findings(check, expression) == []


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("keyed['a'].raw < now()", "keyed['a'].raw"),
        ("[todo.id for todo in taken if todo.raw < now()]", "todo.raw"),
        ("[row.id for row in rows if row.created < bounds.till]", "row.created"),
        ("sort(rows, 'due')[0].created < now()", "sort(rows, 'due')[0].created"),
        ("index(todos, 'id')['a'].due < now()", "index(todos, 'id')['a'].due"),
        ("[[sub for sub in todo.subs if sub.due < cutoff] for todo in todos]", "sub.due"),
        ("(todos[0].due or now()) < cutoff", "todos[0].due or now()"),
        ("merge(rows[0], todos[0]).due < now()", "merge(rows[0], todos[0]).due"),
        ("todos[0].at[:19] < now()", "todos[0].at[:19]"),
        ("now() < [todo.due for todo in todos][0]", "[todo.due for todo in todos][0]"),
    ],
)
def test_an_instant_is_not_compared_with(expression: str, said: str, check: Check) -> None:
    assert findings(check, expression) == [
        f"an instant is compared with {said}, which may be written otherwise"
    ]


def test_names_within_a_list_are_followed(check: Check) -> None:
    page = """
        route: GET /page
        auth: none
        steps:
          todos: {client: todos, get: /todos}
          rest:
            client: todos
            get: /todos
            cache: 1m
            query:
              since: "[now(-60), 'x']"
        shape:
          rest: rest
          late:
            each: [todo in todos, part in todo.parts]
            let:
              due: instant(part.due)
              raw: part.due
              limit: now(60)
            item: {late: due < limit, wrong: raw < limit}
        """
    assert [one.split("\n")[0] for one in check({"orchestrations/page.yaml": page})] == [
        "orchestrations/page.yaml:10:16: now(-60) is another instant each time: "
        "what is kept would never be found again",
        "orchestrations/page.yaml:19:38: an instant is compared with raw, which may be written otherwise",
    ]


PART = """
    auth: none
    input: {query: {since: {type: string}}}
    steps:
      todos: {client: todos, get: /todos, cache: 1m, query: {since: query.since}}
      rest: {client: todos, get: /todos}
    shape: [todos, "[todo.id for todo in rest if todo.created > query.since]"]
    """
WHOLE = """
    route: GET /page
    auth: none
    steps:
      part: {{recipe: part, with: {{query: {{since: "{since}"}}}}}}
    shape: part
    """


def test_what_a_part_is_given_is_seen_in_it(check: Check) -> None:
    files = {"orchestrations/part.yaml": PART, "orchestrations/page.yaml": WHOLE.format(since="now(-60)")}
    assert [one.split("\n")[::2] for one in check(files)] == [
        [
            "orchestrations/page.yaml:4:18: with recipe 'part' in it: 'query.since' is made of now(): what is kept "
            "would never be found again",
            "                 ^^^^ at orchestrations/part.yaml:4:65: make it of start_of(now(), 'minute'), which is "
            "the same for a minute",
        ],
        [
            "orchestrations/page.yaml:4:18: with recipe 'part' in it: an instant is compared with todo.created, "
            "which may be written otherwise",
            "                 ^^^^ at orchestrations/part.yaml:6:46: write instant(todo.created)",
        ],
    ]
    files["orchestrations/page.yaml"] = WHOLE.format(since="'x'")
    assert check(files) == []


SIGNING_IN = """
    route: POST /login
    auth: none
    steps:
      account: {client: people, post: /login, safe: true}
    session:
      user: {id: account.id, seen: now(), ends: account.ends}
      tokens: {people: account.token}
    shape: 1
    """


def test_what_a_session_holds_is_what_signing_in_puts_there(check: Check) -> None:
    page = """
        route: GET /page
        auth: required
        shape:
          seen: user.seen < now(-60)
          ends: user.ends < now()
        """
    said = check({"orchestrations/login.yaml": SIGNING_IN, "orchestrations/page.yaml": page})
    assert [one.split("\n")[0] for one in said] == [
        "orchestrations/page.yaml:5:9: an instant is compared with user.ends, which may be written otherwise"
    ]


def test_a_host_without_zones_says_nothing_of_them(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bff.recipe.check.instants.zone_names", set)
    assert zones.zone_of("UTC") is not None
    assert findings(check, "date(now(), 'Europe/Nowhere')") == []
