"""What recipes, clients and functions are loaded as."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from bff.expressions.tree import Constant, Each, Expression, Mapping
from bff.recipe.check import check_folder
from bff.recipe.keys import KEYS
from bff.recipe.loader import load_project, load_recipe
from bff.recipe.model import (
    BodyFormat,
    Guard,
    PageCache,
    Parameter,
    Recipe,
    Request,
    Session,
    Signed,
    StepCache,
    SubRecipe,
    Table,
    Value,
)

ROOT = Path(__file__).parents[2]

FULL = """
route: PUT /page/{id}/{part}
summary: Everything at once
auth: optional
deadline: 1500ms
input:
  path: {part: {type: integer}}
  query: {q: {type: string, default: ''}}
  headers: {X-Key: {type: string, required: true}}
  body: true
steps:
  read:
    client: people
    post: /search/{path.id}?fixed=1
    safe: true
    when: query.q
    query: {q: query.q}
    form: {a: 1}
    take: reply.body
    key_by: 1
    fallback: null
    on_status: {404: null, 410: path.id}
    ok: reply.status < 300
    timeout: 300ms
    retries: 2
    hedge: 50ms
    cache: {ttl: 1m, stale_if_error: 1h, shared: true}
    defer: true
  many: {client: people, get: "/people/{x}", each: x in body if x, concurrency: 3}
  rows:
    client: people
    post: /rows
    safe: true
    text: query.q
    format: {csv: {delimiter: ";", quote: null, header: [a, b]}}
  plain: {client: people, get: /plain, format: text}
  made:
    client: todos
    post: /todos
    body: {each: x in body, item: x.id}
    idempotency_key: true
    undo: {delete: "/todos/{made.id}"}
  value: {value: [1, query.q]}
  guard: {require: made.ok, fail: {status: 403, title: "'No'"}}
  inner: {recipe: shell, with: {query: {a: 1}}}
shape: null
format: {csv: {columns: {No.: id, name: name}, file: "a-{query.q}.csv", partial: true}}
status: 201
headers: {X-A: query.q}
cache: {max_age: 0s, shared_max_age: 1h}
session: null
rate_limit: 10/min
signed: {scheme: hmac, secret: [NEW, OLD], header: X-Own, prefix: v1=, encoding: base64}
idempotency_key: body.title
invalidates: [home.todos, home]
deploy: {memory: 256}
pass: false
"""


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    root = tmp_path_factory.mktemp("full")
    (root / "page.yaml").write_text(FULL.lstrip("\n"), encoding="utf-8")
    recipe, findings = load_recipe(root / "page.yaml", root)
    assert list(map(str, findings)) == []
    assert recipe is not None
    return recipe


def test_the_keys_of_a_page_are_read(full: Recipe) -> None:
    assert (full.name, full.file, full.method, full.path) == ("page", "page.yaml", "PUT", "/page/{id}/{part}")
    assert (full.summary, full.auth, full.deadline) == ("Everything at once", "optional", 1.5)
    assert (full.shape, full.status) == (Constant(None), Constant(201))
    assert full.cache == PageCache(0.0, shared_max_age=3600.0)
    assert full.session == Session(ends=True)
    assert full.rate_limit is not None
    assert (full.rate_limit.count, full.rate_limit.period) == (10, 60.0)
    assert full.signed == Signed("hmac", ("NEW", "OLD"), "X-Own", "v1=", "base64")
    assert full.idempotency_key is not None and full.idempotency_key.text == "body.title"
    assert full.invalidates == ("home.todos", "home")
    assert full.deploy is not None
    assert full.deploy.memory == 256
    assert full.broken == frozenset()


def test_the_columns_of_a_table_and_its_file_are_read(full: Recipe) -> None:
    assert full.format == Table((("No.", "id"), ("name", "name")), file=True, partial=True)
    assert full.headers is not None
    [(_, own), (name, file)] = full.headers.items
    assert name == "Content-Disposition"
    assert isinstance(own, Expression) and isinstance(file, Expression)
    assert file.text == "a-{query.q}.csv"


def test_every_parameter_of_the_route_is_an_input(full: Recipe) -> None:
    text = Parameter("id", {"type": "string"}, required=True)
    assert full.input.path == (text, Parameter("part", {"type": "integer"}, required=True))
    assert full.input.headers == (Parameter("X-Key", {"type": "string"}, required=True),)
    assert full.input.query == (Parameter("q", {"type": "string", "default": ""}),)
    assert full.input.body == {}
    assert full.input.body_required


def test_the_keys_of_a_request_are_read(full: Recipe) -> None:
    read = full.step("read")
    assert isinstance(read, Request)
    assert (read.client, read.method, read.safe, read.writes, read.required) == (
        "people",
        "POST",
        True,
        False,
        False,
    )
    assert (read.timeout, read.retries, read.hedge, read.defer) == (0.3, 2, 0.05, True)
    assert read.cache == StepCache(60.0, stale_if_error=3600.0, shared=True)
    assert (read.fallback, read.key_by, read.path.query) == (Constant(None), "1", "fixed=1")
    assert [(status, isinstance(tree, Expression)) for status, tree in read.on_status] == [
        (404, False),
        (410, True),
    ]


def test_a_request_has_its_defaults(full: Recipe) -> None:
    many = full.step("many")
    assert isinstance(many, Request)
    assert (many.safe, many.writes, many.required, many.concurrency, many.batch_size) == (
        True,
        False,
        True,
        3,
        50,
    )
    assert (many.fallback, many.timeout, many.retries, many.cache, many.on_status) == (
        None,
        None,
        None,
        None,
        (),
    )
    assert many.each is not None
    assert many.each.variable == "x"


def test_a_request_has_the_format_of_its_replies_and_a_text(full: Recipe) -> None:
    read, rows, plain = full.step("read"), full.step("rows"), full.step("plain")
    assert isinstance(read, Request) and isinstance(rows, Request) and isinstance(plain, Request)
    assert (read.format, read.text) == (None, None)
    assert rows.format == BodyFormat("csv", delimiter=";", quote=None, header=("a", "b"))
    assert isinstance(rows.text, Expression)
    assert plain.format == BodyFormat("text")


def test_a_write_has_its_undo_and_its_key(full: Recipe) -> None:
    made = full.step("made")
    assert isinstance(made, Request)
    assert made.writes
    assert made.idempotency_key is True
    assert made.undo is not None
    assert (made.undo.name, made.undo.client, made.undo.method) == ("made", "todos", "DELETE")
    assert isinstance(made.body, Each)


def test_the_other_kinds_of_steps_are_read(full: Recipe) -> None:
    value, guard, inner = full.step("value"), full.step("guard"), full.step("inner")
    assert isinstance(value, Value)
    assert isinstance(guard, Guard)
    assert guard.fail.status == 403
    assert isinstance(inner, SubRecipe)
    assert isinstance(inner.arguments, Mapping)


def test_a_part_knows_where_its_keys_stand(full: Recipe) -> None:
    read = full.step("read")
    assert str(read.marks.name.place) == "page.yaml:11:3"
    assert str(read.marks.key("cache.shared").place) == "page.yaml:26:42"
    assert read.marks.value("timeout").length == len("300ms")
    assert str(full.marks.value("invalidates[1]").place) == "page.yaml:54:27"


def test_every_declared_key_has_been_read_by_these_tests(full: Recipe) -> None:
    top = {key.name for key in KEYS["recipe"]}
    assert top == {key for key in full.marks.keys if "." not in key}


PAGE = "route: GET /page\nauth: none\nshape: {shape}\n"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


CLIENT = "from bff import Client\nfrom clients._base import URL\nclient = Client(base_url=URL)\n"


def test_each_load_reads_the_modules_of_its_own_project_anew(tmp_path: Path) -> None:
    """Two projects with equal names, and one project changed in place, in one process."""
    for name in ("one", "two"):
        root = write(
            tmp_path / name,
            {
                "orchestrations/page.yaml": PAGE.format(shape="which()"),
                "orchestrations/functions.py": f"def which():\n    return '{name}'\n",
                "clients/_base.py": f"URL = 'http://{name}.test'\n",
                "clients/todos.py": CLIENT,
            },
        )
        project, findings = load_project(root)
        assert findings == []
        assert project.functions["page"]["which"]() == name
        project.clients["todos"].resolve({})
        assert project.clients["todos"].url("/") == f"http://{name}.test/"
    # The same size within the same second: bytecode would be taken for fresh.
    write(root, {"orchestrations/functions.py": "def which():\n    return 'six'\n"})
    assert load_project(root)[0].functions["page"]["which"]() == "six"
    write(
        root,
        {
            "orchestrations/functions.py": "def which():\n    return 'ten'\n",
            "clients/_base.py": "URL = 'http://ten.test'\n",
        },
    )
    project, _ = load_project(root)
    project.clients["todos"].resolve({})
    assert project.functions["page"]["which"]() == "ten"
    assert project.clients["todos"].url("/") == "http://ten.test/"


def test_a_load_leaves_the_modules_of_the_process_as_they_were(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "orchestrations/page.yaml": PAGE.format(shape="1"),
            "clients/_base.py": "URL = 'http://a.test'\n",
            "clients/todos.py": CLIENT,
        },
    )
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "clients"}
    load_project(root)
    assert {name: module for name, module in sys.modules.items() if name.split(".")[0] == "clients"} == before


def test_a_page_has_the_functions_of_all_and_over_them_its_own(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "orchestrations/page.yaml": PAGE.format(shape="1"),
            "orchestrations/other.yaml": PAGE.format(shape="1").replace("/page", "/other"),
            "orchestrations/functions.py": (
                "from json import dumps\nLIMIT = 3\ndef shared(): return 1\ndef both(): return 1\ndef _own(): ...\n"
            ),
            "orchestrations/page.py": "def both(): return 2\n",
        },
    )
    project, _ = load_project(root)
    assert set(project.functions["page"]) == set(project.functions["other"]) == {"shared", "both"}
    assert project.functions["page"]["both"]() == 2
    assert project.functions["other"]["both"]() == 1


def test_modules_that_begin_with_an_underscore_are_no_clients(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "orchestrations/page.yaml": PAGE.format(shape="1"),
            "clients/_base.py": "URL = 'http://a.test'\n",
            "clients/todos.py": CLIENT,
        },
    )
    project, findings = load_project(root)
    assert findings == []
    assert list(project.clients) == ["todos"]
    assert project.clients["todos"].name == "todos"


def test_clients_need_no_environment_to_be_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE_URL", raising=False)
    root = write(
        tmp_path,
        {
            "orchestrations/page.yaml": PAGE.format(shape="1"),
            "clients/todos.py": "from bff import Client, env\nclient = Client(base_url=env('NOWHERE_URL'))\n",
        },
    )
    assert load_project(root)[1] == []


CHARACTERS = "ab{}[]()'\"`:;#&*!|>%@?.,-+=\\ \n\tx0待"


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_done_to_a_recipe_ends_in_findings(seed: int, tmp_path: Path) -> None:
    """Cuts, doubles and changes characters of good recipes: check never raises, and always knows a place."""
    chance = random.Random(seed)
    good = [path.read_text("utf-8") for path in sorted((ROOT / "orchestrations").glob("*.yaml"))] + [FULL]
    root = write(
        tmp_path, {"clients/todos.py": "from bff import Client\nclient = Client(base_url='http://a.test')\n"}
    )
    for _ in range(15):
        text = chance.choice(good)
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(text))
            cut = chance.choice([0, 0, 1, 1, 5, 30])
            text = (
                text[:place]
                + "".join(chance.choices(CHARACTERS, k=chance.randint(0, 3)))
                + text[place + cut :]
            )
        write(root, {"orchestrations/page.yaml": text})
        for finding in check_folder(root)[1]:
            assert finding.place.line >= 1
            assert finding.place.column >= 1
            assert str(finding).startswith(f"{finding.place}: ")
