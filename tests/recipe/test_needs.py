"""What a page needs of its replies: what it reads through or goes over, and what a step says."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.recipe.check import check_folder
from bff.recipe.composition import compose
from bff.recipe.needs import Need, needs_of
from tests.project import write_project


def needed(root: Path, shape: str, more: str = "", steps: str = "") -> list[str]:
    """What is needed of the step `row`, one text for each need."""
    write_project(
        root,
        {
            "page": f"""
route: GET /page
steps:
  row:
    client: todos
    get: /row
    {more}
{steps}
shape: {shape}
"""
        },
    )
    project, findings = check_folder(root)
    assert findings == []
    return [told(need) for need in needs_of(compose(project.recipes["page"], project).recipe)["row"]]


def told(need: Need) -> str:
    path = "".join(f".{key}" if isinstance(key, str) else "[*]" for key in need.path)
    return f"{path.lstrip('.') or '()'} {need.form}{'' if need.nullable else '!'}"


@pytest.mark.parametrize(
    ("shape", "needs"),
    [
        ("row", []),
        ("row.title", ["() object"]),
        ("row.owner.name", ["() object", "owner object"]),
        ("row['owner'].name", ["() object", "owner object"]),
        ('"[x for x in row]"', ["() list"]),
        ('"[x.id for x in row.items]"', ["() object", "items list", "items[*] object"]),
        ("count(row.items)", ["() object", "items list"]),
        ('"[x for x in sort(row.items, f\\"n\\")[:3]]"', ["() object", "items list"]),
        ("row.items[0].title", ["() object", "items any", "items[*] object"]),
        (
            "{each: x in row.items, item: {of: x.owner.name}}",
            ["() object", "items list", "items[*] object", "items[*].owner object"],
        ),
        # by way of lets, which say it where they are read
        (
            "{each: x in row.items, let: {o: x.owner}, item: o.name}",
            ["() object", "items list", "items[*] object", "items[*].owner object"],
        ),
        (
            "{each: x in row.items, let: {o: x.owner, n: o.name}, item: n.short}",
            [
                "() object",
                "items list",
                "items[*] object",
                "items[*].owner object",
                "items[*].owner.name object",
            ],
        ),
        (
            "{each: x in row.items, let: {n: x.owner.name}, item: n if x.id else None}",
            ["() object", "items list", "items[*] object"],
        ),
        (
            "{each: x in row.items, let: {all: x.tags}, item: {each: tag in all, item: tag.id}}",
            ["() object", "items list", "items[*] object", "items[*].tags list", "items[*].tags[*] object"],
        ),
        (
            "{each: [x in row.items, y in x.lines], item: y.id}",
            ["() object", "items list", "items[*] object", "items[*].lines list", "items[*].lines[*] object"],
        ),
        (
            "{each: [x in row.items if x.kind == 'a', y in x.lines], item: y.id}",
            ["() object", "items list", "items[*] object"],
        ),
        # asked about
        ("default(row.owner.name, 'x')", ["() object"]),
        ("row.owner.name or 'x'", ["() object"]),
        ('"[x for x in row.items or []]"', ["() object"]),
        ("[row.owner.name, row.owner is None]", ["() object"]),
        ("[row.owner.name, row.owner != None]", ["() object"]),
        ("[row.owner.name, not row.owner]", ["() object"]),
        ("""[row.owner.name, "'owner' in row"]""", ["() object"]),
        ("[row.owner.name, row.owner.name == 'x']", ["() object", "owner object"]),
        # may not be evaluated
        ("row.owner.name if row.is_owned else None", ["() object"]),
        ("row.is_owned and row.owner.name", ["() object"]),
        # a discriminator, and a condition that is none
        (
            '''"[x.of.id for x in row.items if x.kind == 'a']"''',
            ["() object", "items list", "items[*] object"],
        ),
        (
            '''"[x.of.id for x in row.items if x.kind in ['a', 'b']]"''',
            ["() object", "items list", "items[*] object"],
        ),
        (
            '"[x.of.id for x in row.items if x.n > 3]"',
            ["() object", "items list", "items[*] object", "items[*].of object"],
        ),
        ('"[x.of.id for x in row.items if x.of]"', ["() object", "items list", "items[*] object"]),
        # chosen or computed
        ("(row.a or row.b).name", ["() object"]),
        ("merge(row.a, row.b).name.first", ["() object"]),
    ],
)
def test_a_page_needs_what_it_reads_through_or_goes_over(
    tmp_path: Path, shape: str, needs: list[str]
) -> None:
    assert needed(tmp_path, shape) == needs


@pytest.mark.parametrize(
    ("more", "steps", "shape", "needs"),
    [
        ("", "  v: {value: {of: row.owner}}", "v.of.name", ["() object", "owner object"]),
        ("", "  v: {value: row.owner, when: path}", "v.name", []),
        ("", "  v: {value: row.owner if row.id else None}", "v.name", ["() object"]),
        ("", "  g: {require: row.owner, fail: {status: 404}}", "row.owner.name", ["() object"]),
        ("take: reply.body.data", "", "row.owner.name", ["() object", "owner object"]),
        ("take: {of: reply.body.owner}", "", "row.of.name", ["of object"]),
        (
            "take: {each: x in reply.body.rows, let: {o: x.owner}, item: {of: o}}",
            "",
            '"[one.of.name for one in row]"',
            ["[*].of object"],
        ),
        ("take: group(reply.body.items, 'id')", "", "row.a[0].name", []),
        ("key_by: id", "", "row.a.owner.name", ["[*] object", "[*].owner object"]),
        ("each: x in [1, 2]", "", '"[one.owner.name for one in row]"', ["() object", "owner object"]),
        ("on_status: {404: reply.body.owner.name}", "", "row", []),
        ("fallback: {of: path}", "", "row.owner.name", ["() object", "owner object"]),
        ("needs: []", "", "row.owner.name", []),
        ("needs: [id]", "", "row.owner.name", ["() object!", "id any!", "owner object"]),
        (
            'needs: ["a?.b", "c[*].d?"]',
            "",
            "row",
            ["() object!", "a object", "c list!", "a.b any!", "c[*] object!", "c[*].d any"],
        ),
        ("needs: reads", "", "[row.a, row.b or 1]", ["() object", "a any!", "b any"]),
        ("needs: [id]\n    take: \"merge(reply.body, {'x': 1})\"", "", "row", ["() object!", "id any!"]),
    ],
)
def test_needs_go_through_values_and_what_makes_a_value_of_replies(
    tmp_path: Path, more: str, steps: str, shape: str, needs: list[str]
) -> None:
    assert needed(tmp_path, shape, more, steps) == needs
