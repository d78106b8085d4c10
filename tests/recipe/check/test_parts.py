"""Recipes that a recipe holds: cycles, what they are given, and what only shows once they are together."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.recipe.check import check_folder
from tests.recipe.check.conftest import Check


def printed(check: Check, **recipes: str) -> list[str]:
    found = check({f"orchestrations/{name}.yaml": text for name, text in recipes.items()})
    return [text.replace("orchestrations/", "") for text in found]


def holding(part: str, more: str = "", page: str = "auth: none", shape: str = "part") -> str:
    return f"route: POST /page\n{page}\nsteps:\n  part: {{recipe: {part}{more}}}\nshape: {shape}\n"


PART = "auth: none\nsteps:\n  read: {client: todos, get: /a}\nshape: {x: read.x}\n"
TAKES = """
    auth: none
    input:
      path:
        id: {type: integer}
      query:
        lang: {type: string, enum: [en, zh], required: true}
        page: {type: integer, default: 1}
      body: {type: object, properties: {a: {type: integer}}}
    shape: [path.id, query.lang, query.page, body.a]
    """


def test_a_part_without_a_route_is_fine(check: Check) -> None:
    assert printed(check, part=PART, page=holding("part")) == []


def test_a_recipe_without_a_route_that_no_other_holds_is_told(check: Check) -> None:
    assert printed(check, part=PART) == [
        "part.yaml:1:1: a recipe has no 'route'\nauth: none\n"
        "^^^^ for example: GET /api/name; only a part of other recipes has none, and no recipe holds this one"
    ]


@pytest.mark.parametrize(
    "key", ["deadline: 1s", "status: 201", "headers: {A: 1}", "cache: 1s", "rate_limit: 1/s", "pass: false"]
)
def test_a_part_has_nothing_that_is_for_pages(key: str, check: Check) -> None:
    name = key.partition(":")[0]
    (told,) = printed(check, part=f"{PART}{key}\n", page=holding("part"))
    assert told.startswith(f"part.yaml:5:1: '{name}' in a recipe without a route\n")


def test_a_recipe_that_holds_itself_is_told(check: Check) -> None:
    (told,) = printed(check, page=holding("page"))
    assert told == (
        "page.yaml:4:18: a cycle: page.yaml → page.yaml\n"
        "  part: {recipe: page}\n                 ^^^^ a recipe cannot hold itself"
    )


def test_recipes_that_hold_each_other_are_told_with_the_places(check: Check) -> None:
    a, b, c = (f"route: GET /{name}\nauth: none\nsteps:\n  x: {{recipe: {held}}}\nshape: x\n"
               for name, held in (("a", "b"), ("b", "c"), ("c", "a")))  # fmt: skip
    told = printed(check, a=a, b=b, c=c)
    assert [text.split("\n")[0] for text in told] == [
        "a.yaml:4:15: a cycle: a.yaml → b.yaml → c.yaml → a.yaml",
        "b.yaml:4:15: a cycle: b.yaml → c.yaml → a.yaml → b.yaml",
        "c.yaml:4:15: a cycle: c.yaml → a.yaml → b.yaml → c.yaml",
    ]
    assert told[0].endswith("^ b.yaml:4:15 holds c; c.yaml:4:15 holds a")


def test_a_mistake_in_a_part_is_told_once_in_its_own_file(check: Check) -> None:
    broken = PART.replace("read.x", "raed.x")
    told = printed(check, part=broken, page=holding("part"), other=holding("part").replace("/page", "/other"))
    assert [text.split("\n")[0] for text in told] == ["part.yaml:4:12: unknown name 'raed'"]


def test_a_part_must_be_given_what_it_needs(check: Check) -> None:
    told = printed(check, part=TAKES, page=holding("part"))
    assert [text.split("\n")[0] for text in told] == [
        "page.yaml:4:18: recipe 'part' needs 'id'",
        "page.yaml:4:18: recipe 'part' needs 'lang'",
        "page.yaml:4:18: recipe 'part' needs a body",
    ]


def test_a_part_that_is_given_what_it_needs_is_fine(check: Check) -> None:
    given = ", with: {path: {id: 7}, query: {lang: \"'en'\"}, body: {a: 1}}"
    assert printed(check, part=TAKES, page=holding("part", given)) == []


def test_constants_that_a_part_does_not_take_are_told(check: Check) -> None:
    given = ", with: {path: {id: \"'x'\"}, query: {lang: \"'fr'\", page: 1.5}, body: 5}"
    told = printed(check, part=TAKES, page=holding("part", given))
    assert sorted(text.split("\n")[0].split(": ")[1] for text in told) == [
        "recipe 'part' does not take this body",
        "recipe 'part' does not take this id",
        "recipe 'part' does not take this lang",
        "recipe 'part' does not take this page",
    ]


def test_what_a_part_does_not_take_is_told(check: Check) -> None:
    given = (
        ", with: {path: {id: 7, idd: 7}, query: {lang: \"'en'\"}, headers: [1], form: {a: 1}, body: {a: 1}}"
    )
    told = printed(check, part=TAKES, page=holding("part", given))
    assert sorted(text.split("\n")[0].partition(": ")[2] for text in told) == [
        "'headers' is a mapping of names to expressions",
        "a recipe takes no 'form'",
        "recipe 'part' takes no 'idd'",
    ]
    (told,) = printed(check, part=PART, page=holding("part", ", with: {body: 1}"))
    assert told.endswith("recipe 'part' takes no body\n  part: {recipe: part, with: {body: 1}}\n"
                         "                              ^^^^ leave it out")  # fmt: skip


@pytest.mark.parametrize(
    ("part", "page", "told"),
    [
        (
            PART.replace("auth: none\n", ""),
            "auth: none",
            "recipe 'part' is for auth: required, this page is auth: none",
        ),
        (
            PART.replace("none", "optional"),
            "auth: none",
            "recipe 'part' is for auth: optional, this page is auth: none",
        ),
        (PART.replace("none", "required"), "auth: optional",
            "recipe 'part' is for auth: required, this page is auth: optional"),
        ("route: POST /out\nauth: none\nsession: null\nshape: 1\n", "auth: none", "recipe 'part' signs in or out"),
        (PART.replace("{x: read.x}", "[read, errors]"), "auth: none",
            "the shape of recipe 'part' reads errors, which are the page's"),
        (
            "route: GET /p\nauth: none\npass: true\nsteps: {r: {client: todos, get: /a}}\n",
            "auth: none",
            "recipe 'part' hands a body through",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_part_of_a_page_is_told(part: str, page: str, told: str, check: Check) -> None:
    (found,) = printed(check, part=part, page=holding("part", page=page))
    assert found.split("\n")[0] == f"page.yaml:4:18: {told}"


@pytest.mark.parametrize("auth", ["none", "optional", "required"])
def test_a_page_may_ask_for_more_than_its_part(auth: str, check: Check) -> None:
    assert printed(check, part=PART, page=holding("part", page=f"auth: {auth}")) == []


def test_a_part_that_only_guards_need_not_be_read(check: Check) -> None:
    guards = "auth: none\nsteps:\n  a: {client: todos, get: /a}\n  ok: {require: a.x, fail: {status: 409}}\n"
    assert printed(check, part=guards, page=holding("part", shape="1")) == []
    (told,) = printed(check, part=PART, page=holding("part", shape="1"))
    assert told.startswith("page.yaml:4:3: nothing reads the value of 'part'\n")


def test_the_steps_of_a_part_cannot_be_named_from_outside(check: Check) -> None:
    (told,) = printed(check, part=PART, page=holding("part", shape="[part, read]"))
    assert told.startswith("page.yaml:5:15: unknown name 'read'\n")


# --- together ----------------------------------------------------------------------------------------------------


def test_a_write_in_a_part_of_a_page_that_only_reads_is_told_at_the_part(check: Check) -> None:
    writes = "auth: none\nsteps:\n  made: {client: todos, post: /a}\nshape: made\n"
    assert printed(check, part=writes, page=holding("part").replace("POST", "GET")) == [
        "page.yaml:4:18: with recipe 'part' in it: a write under GET\n  part: {recipe: part}\n"
        "                 ^^^^ at part.yaml:3:25: if it only reads, say safe: true; else the route is a POST"
    ]


def test_a_write_in_a_part_that_closes_a_cycle_is_told(check: Check) -> None:
    writes = "auth: none\nsteps:\n  made: {client: todos, post: /a}\nshape: made\n"
    page = (
        "route: POST /p\nauth: none\nsteps:\n"
        "  a: {client: todos, get: '/{part.id}'}\n  part: {recipe: part}\nshape: a\n"
    )
    (told,) = printed(check, part=writes, page=page)
    assert told.split("\n")[0] == "page.yaml:4:30: a cycle: a → part → part.made → a"
    assert told.endswith("part.made is a write: it waits for a, written above it; move a below")


def test_a_write_that_needs_what_a_part_may_not_have_is_told(check: Check) -> None:
    falls = PART.replace("get: /a}", "get: /a, fallback: null}")
    page = (
        "route: POST /p\nauth: none\nsteps:\n  part: {recipe: part}\n"
        "  made: {client: todos, post: '/{part.x}'}\nshape: made\n"
    )
    (told,) = printed(check, part=falls, page=page)
    assert told.split("\n")[0] == (
        "page.yaml:5:34: a write that needs 'part.read' (through part), which may fall back to null"
    )


def test_a_redirect_that_the_visitor_steers_through_a_part_is_told(check: Check) -> None:
    part = "auth: none\ninput: {query: {to: {type: string}}}\nshape: {to: query.to}\n"
    page = (
        "route: GET /p\nauth: none\ninput: {query: {next: {type: string}}}\nsteps:\n"
        "  part: {recipe: part, with: {query: {to: query.next}}}\nstatus: 302\nheaders: {Location: part.to}\n"
    )
    (told,) = printed(check, part=part, page=page)
    assert told.split("\n")[0] == "page.yaml:7:21: 'part.to' can choose where Location leads"


def test_a_list_of_any_length_is_told_where_it_is_given_to_a_part(check: Check) -> None:
    part = (
        "auth: none\ninput: {query: {ids: {type: array, items: {type: string}}}}\nsteps:\n"
        "  rows: {client: todos, each: id in query.ids, get: '/{id}'}\nshape: rows\n"
    )
    page = (
        "route: GET /p\nauth: none\ninput: {query: {ids: {type: array, items: {type: string}}}}\nsteps:\n"
        "  a: {recipe: part, with: {query: {ids: query.ids}}}\nshape: a\n"
    )
    assert printed(check, part=part, page=page.replace("ids: query.ids", "ids: ['1', query.ids]")) == []
    (told,) = printed(check, part=part, page=page)
    assert told.startswith(
        "page.yaml:5:15: with recipe 'part' in it: one request for each of query.ids, of any length\n"
    )


def test_parts_that_together_could_make_more_requests_than_may_run_are_told(check: Check) -> None:
    part = (
        "auth: none\ninput: {query: {ids: {type: array, maxItems: 90, items: {type: string}}}}\nsteps:\n"
        "  rows: {client: todos, each: id in query.ids, get: '/{id}'}\nshape: rows\n"
    )
    page = (
        "route: GET /p\nauth: none\ninput: {query: {ids: {type: array, maxItems: 90, items: {type: string}}}}\nsteps:\n"
        + "".join(f"  {name}: {{recipe: part, with: {{query: {{ids: query.ids}}}}}}\n" for name in "abc")
        + "shape: [a, b, c]\n"
    )
    assert printed(check, part=part, page=page.replace("  c: {recipe: part", "  c: {value: 1} #")) == []
    assert printed(check, part=part, page=page) == [
        "page.yaml:5:15: with recipe 'part' in it: this page could make 270 requests\n"
        "  a: {recipe: part, with: {query: {ids: query.ids}}}\n"
        "              ^^^^ at part.yaml:4:25: at most 250 may run (BFF_MAX_REQUESTS), and 'a.rows' could make 90: "
        "lower maxItems"
    ]


def test_a_shared_cache_that_is_given_something_private_is_told_at_the_part(check: Check) -> None:
    part = (
        "auth: none\ninput: {query: {id: {type: string}}}\nsteps:\n"
        "  a: {client: todos, get: '/{query.id}', cache: {ttl: 1s, shared: true}}\nshape: a\n"
    )
    page = holding("part", ", with: {query: {id: user.id}}", page="auth: required")
    assert printed(check, part=part, page=holding("part", ", with: {query: {id: \"'x'\"}}")) == []
    assert printed(check, part=part, page=page) == [
        "page.yaml:4:18: with recipe 'part' in it: a shared cache of something private\n"
        "  part: {recipe: part, with: {query: {id: user.id}}}\n                 ^^^^ at part.yaml:4:59: "
        "part.a reads part.query.id; part.query.id reads user.id"
    ]


def test_a_token_that_a_part_would_send_elsewhere_is_told(check: Check) -> None:
    part = (
        "auth: none\nsteps:\n  login: {client: people, post: /login}\n"
        "  leak: {client: todos, get: '/{login.token}'}\nshape: {token: login.token, x: leak.x}\n"
    )
    page = (
        "route: POST /p\nauth: none\nsteps:\n  part: {recipe: part}\n"
        "session: {tokens: {people: part.token}}\nshape: part.x\n"
    )
    (told,) = printed(check, part=part, page=page)
    assert told.startswith(
        "page.yaml:4:18: with recipe 'part' in it: 'part.login.token' is a token of the session\n"
    )


def test_a_filter_takes_nothing_of_a_part_unquoted(check: Check) -> None:
    page = (
        "route: GET /p\nauth: none\nsteps:\n  part: {recipe: part}\n"
        "  b: {client: todos, get: /b, query: {filter: part.x}}\nshape: b\n"
    )
    (told,) = printed(check, part=PART, page=page)
    assert told.startswith("page.yaml:5:47: 'part.x' flows unquoted into the filter of todos\n")


def test_what_a_page_holds_is_loaded_with_it(root: Path) -> None:
    files = {
        "page": holding("part"),
        "part": holding("inner").replace("/page", "/part"),
        "inner": PART,
        "bad": "x",
    }
    for name, text in files.items():
        (root / "orchestrations" / f"{name}.yaml").write_text(text, encoding="utf-8")
    project, findings = check_folder(root, ["page"])
    assert findings == []
    assert (list(project.recipes), project.pages) == (["inner", "page", "part"], ("page",))


def test_what_needs_a_deferred_step_of_a_part_is_told(check: Check) -> None:
    part = PART.replace("get: /a}", "get: /a, fallback: null, defer: true}")
    guarded = "route: GET /page\nauth: none\nsteps:\n  part: {recipe: part}\n"
    guarded += "  there: {require: part.x == 1, fail: {status: 404}}\nshape: part\n"
    assert printed(check, part=part, page=guarded) == [
        "page.yaml:5:20: a guard needs 'part.read' (through part), which comes after the rest of the page\n"
        "  there: {require: part.x == 1, fail: {status: 404}}\n"
        "                   ^^^^ take defer from part.read"
    ]


def test_a_part_with_a_deferred_step_in_a_page_that_writes_is_told(check: Check) -> None:
    part = PART.replace("get: /a}", "get: /a, fallback: null, defer: true}")
    writing = "route: POST /page\nauth: none\nsteps:\n  part: {recipe: part}\n"
    writing += "  made: {client: todos, post: /b}\nshape: [part, made]\n"
    (told,) = printed(check, part=part, page=writing)
    assert "with recipe 'part' in it: 'defer' in a recipe that writes" in told


def test_a_part_that_checks_signatures_is_told_once(check: Check) -> None:
    signed = "signed: {scheme: github, secret: S}"
    part = f"auth: none\n{signed}\nsteps:\n  read: {{client: todos, get: /a}}\nshape: read.x\n"
    (found,) = printed(check, part=part, page=holding("part", page=f"auth: none\n{signed}"))
    assert found.startswith("part.yaml:2:1: 'signed' in a recipe without a route")
