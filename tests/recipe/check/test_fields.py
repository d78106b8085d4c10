"""Fields that no backend promises: where the recipe reads them, and where the schema says so."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from bff.cli import main
from bff.recipe.check import check_folder
from bff.recipe.check.fields import fields_of
from tests.recipe.types.shop import write_shop

SHOP = "clients/shop.openapi.yaml"
TODO = "id, title, status, owner, helper, due, hours, tags"


def project(tmp_path: Path, recipe: str) -> Path:
    root = write_shop(tmp_path / "shop", "03_list")
    text = f"route: GET /api/page\nauth: none\n{textwrap.dedent(recipe).lstrip()}"
    (root / "orchestrations" / "page.yaml").write_text(text, encoding="utf-8")
    return root


def said(root: Path) -> list[str]:
    return [str(finding) for finding in check_folder(root)[1]]


TODOS = """
    steps:
      todos:
        client: shop
        get: /todos
        take: reply.body.items
    """


def todos(shape: str) -> str:
    return f"{textwrap.dedent(TODOS).lstrip()}shape: {shape}\n"


@pytest.mark.parametrize(
    ("shape", "wrong"),
    [
        ('"[todo.titel for todo in todos]"', "todo has no field 'titel'"),
        ("todos[0].titel", "todos[0] has no field 'titel'"),
        ("todos[0]['titel']", "todos[0] has no field 'titel'"),
        ("sort(todos, '-titel')", "todos has no field 'titel'"),
        ("unique(todos, 'titel')", "todos has no field 'titel'"),
        ("index(todos, 'titel')", "todos has no field 'titel'"),
        ("group(todos, 'titel')", "todos has no field 'titel'"),
        ("index(todos, 'id')['x'].titel", "index(todos, 'id')['x'] has no field 'titel'"),
        ("group(todos, 'owner')['x'][0].titel", "group(todos, 'owner')['x'][0] has no field 'titel'"),
        ("sort(todos, '-id', 'titel.x')", "todos has no field 'titel'"),
        ("pick(todos[0], 'titel', 'id')", "todos[0] has no field 'titel'"),
        ("merge(todos[0], todos[1]).titel", "merge(todos[0], todos[1]) has no field 'titel'"),
        ("default(todos[0], {}).titel", "default(todos[0], {}) has no field 'titel'"),
        ("(todos[0] or {}).titel", "todos[0] or {} has no field 'titel'"),
        ("{each: todo in todos if todo.titel, item: todo.id}", "todo has no field 'titel'"),
        ("todos[0].titel.first", "todos[0] has no field 'titel'"),
        ('"[todo.titel.first for todo in todos]"', "todo has no field 'titel'"),
        ('"[word for todo in todos for word in todo.titel]"', "todo has no field 'titel'"),
        ("{each: [todo in todos, word in todo.titel], item: word}", "todo has no field 'titel'"),
        ("{each: todo in todos, let: {word: todo.titel}, item: word.first}", "todo has no field 'titel'"),
        ("{each: todo in todos, let: {one: todo}, item: one.titel.first}", "one has no field 'titel'"),
    ],
)
def test_a_field_that_is_not_promised_is_a_mistake(shape: str, wrong: str, tmp_path: Path) -> None:
    [finding] = check_folder(project(tmp_path, todos(shape)))[1]
    assert finding.message == wrong
    assert finding.hint.startswith(f"did you mean 'title'?  {SHOP}:79 lists: {TODO}")
    at = finding.place.column - 1
    assert finding.source[at : at + finding.length] == "titel"


def test_a_finding_has_place_caret_and_cure(tmp_path: Path) -> None:
    assert said(project(tmp_path, todos("todos[0].titel"))) == [
        "orchestrations/page.yaml:8:17: todos[0] has no field 'titel'\n"
        "shape: todos[0].titel\n"
        f"                ^^^^^ did you mean 'title'?  {SHOP}:79 lists: {TODO}"
    ]


def test_what_is_read_often_is_said_once(tmp_path: Path) -> None:
    shape = "\n  a: todos[0].titel\n  b: '[todo.titel for todo in todos]'\n  c: todos[1].titel"
    [finding] = check_folder(project(tmp_path, todos(shape)))[1]
    assert finding.hint.endswith(f"{TODO}; also in lines 10, 11")


@pytest.mark.parametrize(
    ("before", "after", "findings"),
    [
        ("title", "heading", ["8:18: todo has no field 'title'"]),
        (
            "tags: {type: array, items: {type: string}}",
            "tags: {type: string}",
            ["9:50: todo.tags is a string here, not a list"],
        ),
        (
            "owner: {type: string}",
            "owner: {type: object, properties: {id: {type: string}}}",
            [],
        ),
        (
            'type: array, items: {$ref: "#/components/schemas/Todo"}',
            "type: string",
            ["8:36: todos.items is a string here, not a list"],
        ),
    ],
)
def test_a_schema_that_changes_is_seen_where_it_is_read(
    before: str, after: str, findings: list[str], tmp_path: Path
) -> None:
    recipe = """
        steps:
          todos:
            client: shop
            get: /todos
        shape:
          titles: "[todo.title for todo in todos.items]"
          tags: "[tag for todo in todos.items for tag in todo.tags]"
        """
    root = project(tmp_path, recipe)
    schema = root / SHOP
    assert said(root) == []
    text = schema.read_text("utf-8")
    assert before in text
    schema.write_text(text.replace(before, after), encoding="utf-8")
    assert [one.split("\n")[0].removeprefix("orchestrations/page.yaml:") for one in said(root)] == findings


def test_needs_of_all_that_is_read_make_nothing_be_there(tmp_path: Path) -> None:
    recipe = """
        steps:
          todos:
            client: shop
            get: /todos
            needs: reads
        shape: "[todo.titel for todo in todos.items]"
        """
    assert said(project(tmp_path, recipe))[0].startswith(
        "orchestrations/page.yaml:8:15: todo has no field 'titel'\n"
    )


def test_a_field_that_is_needed_by_its_name_is_there(tmp_path: Path) -> None:
    recipe = """
        steps:
          todos:
            client: shop
            get: /todos
            needs: ["items[*].project.name"]
        shape: "[todo.project.name for todo in todos.items]"
        """
    assert said(project(tmp_path, recipe)) == []


def test_what_is_waited_for_is_expected(tmp_path: Path) -> None:
    recipe = """
        steps:
          todo:
            client: shop
            get: /todos/1
            until: {done: reply.body.statsu == 'done', every: 100ms, within: 1s}
        shape: todo.title
        """
    project_, findings = check_folder(project(tmp_path, recipe))
    assert not findings
    [warning] = fields_of(project_).warnings
    assert warning.message == "reply.body has no field 'statsu'"


def test_what_a_mapping_is_made_by_is_a_field_too(tmp_path: Path) -> None:
    recipe = """
        steps:
          people:
            client: shop
            get: /people
            take: reply.body.items
            key_by: ident
        shape: people['a'].name
        """
    [finding] = check_folder(project(tmp_path, recipe))[1]
    assert str(finding.place) == "orchestrations/page.yaml:8:13"
    assert finding.message == "what 'people' gets has no field 'ident'"


@pytest.mark.parametrize(
    ("read", "marked", "message"),
    [
        ("sort(people, '-address.town')", "town", "address of people has no field 'town'"),
        ("unique(people, 'address.town')", "town", "address of people has no field 'town'"),
        ("index(people, 'address.town')", "town", "address of people has no field 'town'"),
        ("group(people, 'addres.city')", "addres", "people has no field 'addres'"),
        ("group(people, 'name.first')", "name", "name of people is a string here, not an object"),
        ("unique(people, '-name')", "-name", "people has no field '-name'"),
    ],
)
def test_each_key_of_the_path_of_a_field_is_looked_at(
    read: str, marked: str, message: str, tmp_path: Path
) -> None:
    recipe = todos(read).replace("todos", "people")
    [finding] = check_folder(project(tmp_path, recipe))[1]
    assert finding.message == message
    at = finding.place.column - 1
    assert finding.source[at : at + finding.length] == marked


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("address.town", "address of what 'people' gets has no field 'town'"),
        ("name.first", "name of what 'people' gets is a string here, not an object"),
    ],
)
def test_each_key_of_the_path_that_a_mapping_is_made_by_is_looked_at(
    key: str, message: str, tmp_path: Path
) -> None:
    recipe = (
        todos("people['a'].name").replace("todos", "people").replace("items", f"items\n    key_by: {key}")
    )
    [finding] = check_folder(project(tmp_path, recipe))[1]
    assert (str(finding.place), finding.message) == ("orchestrations/page.yaml:8:13", message)


@pytest.mark.parametrize(
    ("call", "message", "cure"),
    [
        ("replace(len(todos), '.', ',')", "replace() of an integer is always null", "write str(len(todos))"),
        ("matches(len(todos), r'1')", "matches() of an integer is always null", "write str(len(todos))"),
        ("find(sum(todos), r'1')", "find() of a number is always null", "write str(sum(todos))"),
        ("startswith(todos[0].title, 5)", "startswith() of an integer is always null", "write str(5)"),
        ("round(todos[0].title)", "round() of a string is always null", "it takes a number"),
        ("len(5)", "len() of an integer is always null", "it takes a list or an object or a string"),
        (
            "url_encode(todos)",
            "url_encode() of a list is always null",
            "it takes a boolean or a number or a string",
        ),
        ("split(todos, ',')", "split() of a list is always null", "it takes a string"),
    ],
)
def test_what_a_function_is_given_is_of_use(call: str, message: str, cure: str, tmp_path: Path) -> None:
    [finding] = check_folder(project(tmp_path, todos(f'"[todos[0].id, {call}]"')))[1]
    assert (finding.message, finding.hint) == (message, cure)


@pytest.mark.parametrize(
    "call",
    [
        "lower(todos[0].helper)",
        "round(default(todos[0].hours, 0), 1)",
        "[lower(x) for x in ['a', 1]]",
        "upper(todos[0].title if todos else 5)",
        "str(null)",
        "lower(null)",
        "sum(todos)",
        "min(1, todos[0].hours)",
        "group(todos, 'owner')",
        "len(todos[0].title)",
    ],
)
def test_what_a_function_is_given_may_be_of_use(call: str, tmp_path: Path) -> None:
    assert check_folder(project(tmp_path, todos(f'"[todos[0].id, {call}]"')))[1] == []


@pytest.mark.parametrize(
    ("pair", "message", "cure"),
    [
        (
            "len(todos) + todos[0].title",
            "'+' of an integer and a string is always null",
            "write f'…{x}…' for a text",
        ),
        (
            "todos[0].title * len(todos)",
            "'*' of a string and an integer is always null",
            "a number is made of",
        ),
        ("todos[0].title < 5", "'<' of a string and an integer is always null", "a number is made of"),
        ("1 < todos[0].title <= 'x'", "'<' of an integer and a string is always null", "a number is made of"),
        ("todos + {}", "'+' of a list and an object is always null", ""),
        ("(len(todos) > 1) + 1", "'+' of a boolean and an integer is always null", ""),
    ],
)
def test_what_an_operator_is_given_goes_together(pair: str, message: str, cure: str, tmp_path: Path) -> None:
    [finding] = check_folder(project(tmp_path, todos(f'"[todos[0].id, {pair}]"')))[1]
    assert finding.message == message
    assert finding.hint.startswith(cure) and bool(cure) is bool(finding.hint)


@pytest.mark.parametrize(
    "pair",
    [
        "todos[0].hours * 2",
        "todos[0].id + todos[0].title",
        "todos + [1]",
        "null + 1",
        "todos[0].due < todos[0].title",
        "(todos[0].title if todos else 5) + 1",
        "todos[0].title + 1 if todos is None else 2",
    ],
)
def test_what_an_operator_is_given_may_go_together(pair: str, tmp_path: Path) -> None:
    assert check_folder(project(tmp_path, todos(f'"[todos[0].id, {pair}]"')))[1] == []


@pytest.mark.parametrize(
    ("required", "message", "cure"),
    [
        ("todos", "this is a list, and never exactly true", "write len(todos) > 0"),
        (
            "pick(todos[0], 'title')",
            "this is an object, and never exactly true",
            "write pick(todos[0], 'title') is not None",
        ),
        ("len(todos)", "this is an integer, and never exactly true", "write len(todos) > 0"),
        ("todos[0].title or 'x'", "this is a string, and never exactly true", "compare it with something"),
        ("local(now()).hour.x", "local(now()).hour is an integer here, not an object", ""),
        ("now().date == 'x'", "now() is a string here, not an object", ""),
    ],
)
def test_what_is_required_can_be_true(required: str, message: str, cure: str, tmp_path: Path) -> None:
    guard = f'  some: {{require: "{required}", fail: {{status: 404}}}}\n'
    recipe = todos("todos[0].title").replace("shape:", f"{guard}shape:")
    [finding] = check_folder(project(tmp_path, recipe))[1]
    assert (finding.message, finding.hint) == (message, cure)


@pytest.mark.parametrize(
    "required",
    [
        "todos and true",
        "todos[0].status == 'x' or todos[0].title",
        "any(x.done for x in more)",
        "more",
        "more.ok",
    ],
)
def test_what_is_required_may_be_true(required: str, tmp_path: Path) -> None:
    steps = (
        f'  more: {{client: unheard, get: /more}}\n  some: {{require: "{required}", fail: {{status: 404}}}}\n'
    )
    recipe = todos('"[todos[0].title, more]"').replace("shape:", f"{steps}shape:")
    assert check_folder(project(tmp_path, recipe))[1] == []


@pytest.mark.parametrize(
    ("key", "given", "messages"),
    [
        ("query", "todos", ["todos is a list here, not an object"]),
        ("form", "todos[0].tags", ["todos[0].tags is a list here, not an object"]),
        ("query", "todos[0].titel", ["todos[0] has no field 'titel'"]),
        ("query", "todos[0]", []),
        ("query", "pick(todos[0], 'title') if todos else None", []),
    ],
)
def test_what_is_sent_as_names_and_values_is_an_object(
    key: str, given: str, messages: list[str], tmp_path: Path
) -> None:
    verb = "get" if key == "query" else "post"
    step = f'  more: {{client: unheard, {verb}: /more, safe: true, {key}: "{given}"}}\n'
    step = step.replace("safe: true, ", "") if verb == "get" else step
    recipe = todos("more").replace("shape:", f"{step}shape:")
    found = check_folder(project(tmp_path, recipe))[1]
    assert [one.message for one in found] == messages


@pytest.mark.parametrize(
    "shape",
    [
        "todos[0].title",
        "\"{'open': 1}[todos[0].status]\"",
        "\"[todo.due[:10] if todo.due else 'x' for todo in todos]\"",
        "default(todos[0], {}).title",
        "default(todos, [])[0].title",
        "keys(todos[0])",
        "len(todos[0].tags)",
    ],
)
def test_what_is_promised_says_nothing(shape: str, tmp_path: Path) -> None:
    assert said(project(tmp_path, todos(shape))) == []


UNIONS = """
    steps:
      events:
        client: shop
        get: /events
    shape:
      - "[event.text for event in events]"
      - "[event.amount for event in events if event.kind == 'payment']"
    """


def test_one_option_that_has_a_field_is_enough(tmp_path: Path) -> None:
    assert said(project(tmp_path, UNIONS)) == []


def test_an_option_that_is_ruled_out_has_no_say(tmp_path: Path) -> None:
    """No reply is held to the constants of a schema: what they rule out is good for a warning."""
    checked, findings = check_folder(project(tmp_path, UNIONS.replace("event.amount", "event.text")))
    assert findings == []
    [warning] = fields_of(checked).warnings
    assert (str(warning.place), warning.message) == (
        "orchestrations/page.yaml:9:13",
        "event has no field 'text'",
    )


LEARNED = """
    steps:
      notes:
        client: learned
        get: /notes
    shape: "[note.texd for note in notes.items]"
    """


def test_what_was_only_seen_is_good_for_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = project(tmp_path, LEARNED)
    checked, findings = check_folder(root)
    assert findings == []
    [warning] = fields_of(checked).warnings
    assert warning.message == "note has no field 'texd'"
    assert main(["--root", str(root), "check"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("orchestrations/page.yaml:7:15: warning: note has no field 'texd'\n")
    assert out.endswith("1 recipe and 3 clients are fine\n")
    assert main(["--root", str(root), "check", "--format", "json"]) == 0
    assert [one["severity"] for one in json.loads(capsys.readouterr().out)] == ["warning"]
    assert main(["--root", str(root), "check", "--format", "github"]) == 0
    assert capsys.readouterr().out.startswith("::warning file=orchestrations/page.yaml,line=7,col=15,")


def test_a_step_may_judge_a_reply_by_what_is_in_no_success(tmp_path: Path) -> None:
    recipe = """
        steps:
          todos:
            client: shop
            get: /todos
            ok: reply.status == 200 or reply.body.data.code == 'none'
        shape: count(todos.items)
        """
    assert said(project(tmp_path, recipe)) == []


PART = """
    auth: none
    input:
      query: {%s}
    shape: query.page
    """
WHOLE = """
    input:
      query: {id: {}}
    steps:
      part: {recipe: part, with: {query: query}}
    shape: part
    """


def with_part(tmp_path: Path, parameters: str) -> Path:
    root = project(tmp_path, WHOLE)
    part = textwrap.dedent(PART % parameters).lstrip()
    (root / "orchestrations" / "part.yaml").write_text(part, encoding="utf-8")
    return root


@pytest.mark.parametrize("parameters", ["page: {}", "page: {type: integer, default: 1}"])
def test_what_a_part_is_given_whole_may_lack_what_it_need_not_have(parameters: str, tmp_path: Path) -> None:
    assert said(with_part(tmp_path, parameters)) == []


def test_what_a_part_is_given_whole_has_what_it_must_have(tmp_path: Path) -> None:
    [finding] = check_folder(with_part(tmp_path, "page: {required: true}"))[1]
    assert (str(finding.place), finding.message) == (
        "orchestrations/page.yaml:6:38",
        "query has no field 'page'",
    )
    assert (finding.length, finding.hint) == (len("query"), "it has: id")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("properties: {id: {}}", []),
        ("type: object, properties: {id: {}}", ["body is an object here, not a list"]),
    ],
)
def test_a_body_is_no_object_for_having_properties(body: str, wrong: list[str], tmp_path: Path) -> None:
    recipe = f"input: {{body: {{{body}, maxItems: 9}}}}\nshape: '[one for one in body]'\n"
    root = project(tmp_path, recipe)
    page = root / "orchestrations" / "page.yaml"
    page.write_text(page.read_text("utf-8").replace("GET", "POST"), encoding="utf-8")
    assert [finding.message for finding in check_folder(root)[1]] == wrong
