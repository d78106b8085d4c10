"""Pages that are CSV: what stands in their cells, and that all else of a page is as for JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import responses
from flask.testing import FlaskClient

from bff import create_app
from bff.cli import main
from bff.deploy.imports import engine_files
from bff.explaining.report import report
from bff.explaining.subject import subject_of
from bff.explaining.types import pages_of, types_text
from bff.recipe.check import check_folder
from bff.testing import matrix_of
from bff.web.tables import cell_of
from tests.project import visitor, write_built, write_project
from tests.properties import given, st

Make = Callable[..., FlaskClient]
FORMAT = "{csv: {columns: [id, name], file: 'people-{query.day}.csv'}}"
PAGE = """
route: GET /api/people.csv
auth: none
input: {query: {day: {type: string, default: '1'}}}
steps:
  people: {client: people, get: /people, MORE}
format: FORMAT
shape: SHAPE
"""


def page(shape: str = "people", format_: str = FORMAT, more: str = "take: reply.body", rest: str = "") -> str:
    return PAGE.replace("SHAPE", shape).replace("FORMAT", format_).replace("MORE", more) + rest


@pytest.fixture(params=["recipes", "built"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    def site(text: str, **more: str) -> FlaskClient:
        root = write_project(tmp_path / "recipes", {"page": text})
        if request.param == "built":
            root = write_built(root, tmp_path / "built")
        return create_app(root, environ=more).test_client()

    return site


def ask(site: FlaskClient, reply: Any, query: str = "", status: int = 200, **more: Any) -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as backends:
        backends.add("GET", "http://people.test/people", json=reply, status=status)
        return site.get(f"/api/people.csv{query}", **more)


def test_rows_are_quoted_as_rfc_4180_says(make: Make) -> None:
    rows = [
        {"id": 1, "name": 'a "b"', "more": [1]},
        {"id": 2.5, "name": "x,y"},
        {"id": True, "name": "a\r\nb\nc"},
        {"id": None, "name": " "},
        {},
        {"id": 10**30, "name": "é 订单"},
    ]
    found = ask(make(page()), rows)
    assert found.data.decode() == (
        'id,name\r\n1,"a ""b"""\r\n2.5,"x,y"\r\ntrue,"a\r\nb\nc"\r\n, \r\n,\r\n'
        "1000000000000000000000000000000,é 订单\r\n"
    )
    assert found.headers["Content-Type"] == "text/csv; charset=utf-8"


def test_titles_stand_over_the_fields_of_a_row(make: Make) -> None:
    found = ask(
        make(page(format_="{csv: {columns: {Full name: name, 'No., old': id, again: id}}}")),
        [{"id": 1, "name": "A"}],
    )
    assert found.data == b'Full name,"No., old",again\r\nA,1,1\r\n'
    assert "Content-Disposition" not in found.headers


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_text_that_a_spreadsheet_would_run_has_a_quote_in_front_and_a_number_has_none(
    make: Make, text: str
) -> None:
    found = ask(make(page()), [{"id": -1, "name": text}, {"id": -2.5, "name": f"x{text}"}])
    rows = list(csv.reader(io.StringIO(found.data.decode(), newline="")))
    assert rows == [["id", "name"], ["-1", f"'{text}"], ["-2.5", f"x{text}"]]


def test_a_title_is_no_formula_either(make: Make) -> None:
    found = ask(make(page(format_="{csv: {columns: {'@id': id}}}")), [])
    assert found.data == b"'@id\r\n"


@given(
    st.lists(
        st.tuples(*[st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"))] * 2)
    )
)
def test_whatever_stands_in_cells_is_read_again_and_no_text_is_a_formula(rows: list[tuple[Any, ...]]) -> None:
    cells = [[cell_of(value) for value in row] for row in rows]
    for row, made in zip(rows, cells, strict=True):
        for value, cell in zip(row, made, strict=True):
            assert cell is None or not isinstance(value, str) or cell[:1] not in set("=+-@\t\r")
            assert cell in (None, value) or not isinstance(value, str) or cell == f"'{value}"
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerows(cells)
    again = list(csv.reader(io.StringIO(file.getvalue(), newline=""), strict=True))
    assert again == [[cell or "" for cell in row] for row in cells]


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ("\n  each: one in people\n  item: {id: one.id, name: upper(one.name), more: one.x}", "1,ANN"),
        ("\n  each: one in people\n  item: one", "1,Ann"),
        ("\n  each: one in people\n  item: merge(one, query, pick(one, 'name'))", "1,Ann"),
        ('\n  - {id: 3, name: "people[0].name"}\n  - people[0]', "3,Ann\r\n1,Ann"),
        ("\"[{'id': one.id + 1, 'name': 'x'} for one in people]\"", "2,x"),
        ("sort(people, 'id')", "1,Ann"),
        ("null if query.day == '2' else people", "1,Ann"),
    ],
)
def test_rows_are_whatever_gives_a_list_of_objects(make: Make, shape: str, told: str) -> None:
    found = ask(make(page(shape)), [{"id": 1, "name": "Ann"}])
    assert found.data.decode() == f"id,name\r\n{told}\r\n"


def test_nothing_is_a_table_without_rows(make: Make) -> None:
    assert ask(make(page(more="on_status: {404: null}")), {}, status=404).data == b"id,name\r\n"
    assert ask(make(page()), []).data == b"id,name\r\n"


@pytest.mark.parametrize(
    ("day", "disposition"),
    [
        ("1", 'attachment; filename="people-1.csv"'),
        ("", 'attachment; filename="people-.csv"'),
        ("%C3%BC", "attachment; filename=\"people-.csv\"; filename*=UTF-8''people-%C3%BC.csv"),
        ("%E8%AE%A2", "attachment; filename=\"people-.csv\"; filename*=UTF-8''people-%E8%AE%A2.csv"),
        ("a%22%0D%0AX:%20y/..%5C", 'attachment; filename="csv"'),
    ],
)
def test_the_name_of_the_file_is_safe_whatever_a_visitor_sends(
    make: Make, day: str, disposition: str
) -> None:
    found = ask(make(page()), [], f"?day={day}")
    assert (found.status_code, found.headers["Content-Disposition"]) == (200, disposition)
    assert "X" not in found.headers


def test_a_constant_name_and_headers_stand_beside_each_other(make: Make) -> None:
    text = page(
        format_="{csv: {columns: [id], file: all people.csv}}",
        rest="headers: {X-A: query.day}\nstatus: 202\n",
    )
    found = ask(make(text), [{"id": 1}])
    assert found.status_code == 202
    assert found.headers["Content-Disposition"] == 'attachment; filename="all people.csv"'
    assert found.headers["X-A"] == "1"


# --- as a page -------------------------------------------------------------------------------------------------------


def test_who_has_the_table_is_told_so(make: Make) -> None:
    site = make(page(rest="cache: 60s\n"))
    first = ask(site, [{"id": 1}])
    assert (
        first.headers["Cache-Control"] == "private, max-age=60"
        or "max-age=60" in first.headers["Cache-Control"]
    )
    again = ask(site, [{"id": 1}], headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = ask(site, [{"id": 2}], headers={"If-None-Match": first.headers["ETag"]})
    assert (other.status_code, other.headers["ETag"] != first.headers["ETag"]) == (200, True)


def test_head_has_the_headers_of_the_table(make: Make) -> None:
    site = make(page())
    with responses.RequestsMock() as backends:
        backends.add("GET", "http://people.test/people", json=[{"id": 1}])
        found = site.head("/api/people.csv")
    assert (found.data, found.headers["Content-Length"]) == (b"", str(len(b"id,name\r\n1,\r\n")))
    assert found.headers["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize(
    "accept", ["application/json", "text/csv", "text/html", "application/x-ndjson", "*/*"]
)
def test_a_page_has_one_format_whatever_is_accepted(make: Make, accept: str) -> None:
    found = ask(make(page()), [{"id": 1}], headers={"Accept": accept})
    assert (found.status_code, found.data) == (200, b"id,name\r\n1,\r\n")
    assert "Accept" not in found.headers.get("Vary", "")


@pytest.mark.parametrize(
    ("reply", "status", "problem"),
    [
        ([], 503, (502, "backend-failed")),
        ({"error": 1}, 200, (502, "backend-failed")),
        ([{"id": [1]}], 200, (500, "internal")),
        ([{"id": {"a": 1}}], 200, (500, "internal")),
    ],
)
def test_problems_stay_problems(make: Make, reply: Any, status: int, problem: Any) -> None:
    found = ask(make(page(more="retries: 0")), reply, status=status)
    assert found.headers["Content-Type"] == "application/problem+json"
    assert (found.status_code, found.json["type"].removeprefix("urn:bff:problem:")) == problem
    assert "Content-Disposition" not in found.headers


@pytest.mark.parametrize("shape", ["\n  - people[0].id", "\n  each: one in people\n  item: upper(one.id)"])
def test_rows_that_are_none_are_a_mistake_of_the_recipe_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, shape: str
) -> None:
    found = ask(visitor(tmp_path, page(shape)), [{"id": "secret"}])
    assert (found.status_code, found.json["type"]) == (500, "urn:bff:problem:internal")
    assert "format: a row is no object" in caplog.text
    assert "secret" not in caplog.text + found.text


def test_a_nested_cell_is_told_by_its_column_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ask(visitor(tmp_path, page()), [{"id": ["secret"]}])
    assert "format: column 'id' holds a list or an object" in caplog.text
    assert "secret" not in caplog.text


def test_a_table_is_bounded_in_bytes_and_paid_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"id": "x" * 100, "name": "y"}] * 2000
    assert ask(visitor(tmp_path / "a", page(), environ={"BFF_MAX_ANSWER": "100000"}), rows).status_code == 500
    assert "answer" in caplog.text
    assert ask(visitor(tmp_path / "b", page(), environ={"BFF_MAX_WORK": "20000"}), rows).status_code == 500
    assert ask(visitor(tmp_path / "c", page()), rows).status_code == 200


def test_rows_may_be_missing_only_where_the_page_says_so(make: Make) -> None:
    partial = "{csv: {columns: [id, name], partial: true}}"
    found = ask(make(page(format_=partial, more="retries: 0, fallback: []")), [], status=500)
    assert (found.status_code, found.data) == (200, b"id,name\r\n")
    assert found.headers["X-Page-Partial"] == "people"
    assert (found.headers["Cache-Control"], "ETag" in found.headers) == ("no-store", False)


def test_a_fallback_of_a_part_feeds_the_rows_too(tmp_path: Path) -> None:
    recipes = {
        "page": "route: GET /api/p.csv\nauth: none\nsteps: {part: {recipe: part}}\n"
        "format: {csv: {columns: [id]}}\nshape: part\n",
        "part": "auth: none\nsteps: {rows: {client: people, get: /rows, fallback: []}}\nshape: rows\n",
    }
    _, findings = check_folder(write_project(tmp_path, recipes))
    [found] = map(str, findings)
    assert found.startswith(
        "orchestrations/page.yaml:3:24: with recipe 'part' in it: a fallback of 'part.rows' feeds the rows of a CSV"
    )


# --- what is known of it ---------------------------------------------------------------------------------------------


def test_only_the_columns_are_read_of_a_reply_and_needed_as_the_recipe_reads_through_them(
    tmp_path: Path,
) -> None:
    write_project(tmp_path, {"page": page()})
    found = subject_of(tmp_path, "page")
    assert "  people  [*].{id, name}" in report(found)
    assert "  answers with   CSV of id, name, to be saved as a file\n" in report(found)


def test_explain_says_where_rows_may_be_missing(tmp_path: Path) -> None:
    text = page(format_="{csv: {columns: {No.: id}, partial: true}}", more="fallback: []")
    write_project(tmp_path, {"page": text})
    told = "  answers with   CSV of No.; rows may be missing where a step falls back\n"
    assert told in report(subject_of(tmp_path, "page"))


def test_the_type_of_a_table_is_that_of_its_rows(tmp_path: Path) -> None:
    rows = "format: {csv: {header: [id, name, due]}}"
    write_project(tmp_path, {"page": page(format_="{csv: {columns: {No.: id, Name: name}}}", more=rows)})
    assert types_text(pages_of(tmp_path, [])) == (
        "page  GET /api/people.csv\nCSV with the columns No., Name; its rows:\n"
        "{id: string | null, name: string | null}[]\n"
    )


def test_call_prints_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_project(tmp_path, {"page": page()})
    with responses.RequestsMock() as backends:
        backends.add("GET", "http://people.test/people", json=[{"id": 1, "name": "Ann"}])
        assert main(["--root", str(tmp_path), "call", "page"]) == 0
    assert capsys.readouterr().out.replace("\r", "") == "id,name\n1,Ann\n\n"


def test_a_bundle_holds_what_makes_tables_and_a_page_without_one_does_not_load_it(tmp_path: Path) -> None:
    assert "bff/web/tables.py" in engine_files(serves=False)
    assert "bff/plan/formats.py" in engine_files(serves=False)


def test_the_matrix_of_a_table_is_green(tmp_path: Path) -> None:
    partial = "{csv: {columns: {No.: id, Name: name}, partial: true, file: 'a-{query.day}.csv'}}"
    write_project(
        tmp_path,
        {
            "page": page(),
            "partial": page(format_=partial, more="fallback: \"[{'id': 7}]\"").replace(
                "people.csv", "partial.csv"
            ),
        },
    )
    (tmp_path / "tests" / "pages").mkdir(parents=True)
    wanted = json.dumps({"replies": {"people": [{"id": 1, "name": "=x"}]}, "page": [{"id": 1, "name": "=x"}]})
    (tmp_path / "tests" / "pages" / "page.yaml").write_text(wanted)
    matrix = matrix_of(tmp_path)
    assert matrix.unreached == []
    verdicts = matrix.run()
    assert {str(case): verdict.problems for case, verdict in verdicts.items() if verdict.problems} == {}
    assert {verdict.status for verdict in verdicts.values()} >= {200, 502, 504}
