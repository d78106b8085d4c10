"""`python -m bff`: what it prints where, and its exit status."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

import bff
from bff.cli import main
from bff.cli.program import SECTIONS, program
from bff.deploy import TARGETS
from bff.recipe.keys import KEYS
from bff.recipe.schema import FILE, recipe_schema

ROOT = Path(__file__).parents[2]
GOOD = "route: GET /page\nauth: none\nshape: 1\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "orchestrations").mkdir()
    (tmp_path / "orchestrations" / "page.yaml").write_text(GOOD)
    return tmp_path


def test_check_of_a_good_project_is_one_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(project), "check"]) == 0
    assert capsys.readouterr() == ("1 recipe and 0 clients are fine\n", "")


def test_check_prints_every_problem_and_counts_them(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "orchestrations" / "a.yaml").write_text("route: GET /a\nauth: none\nshape: [x, y]\n")
    (project / "orchestrations" / "b.yaml").write_text("route: GET /b\nauth: none\nshap: 1\n")
    assert main(["--root", str(project), "check"]) == 1
    out, err = capsys.readouterr()
    assert [line.split(": ")[0] for line in out.splitlines() if line.startswith("orchestrations/")] == [
        "orchestrations/a.yaml:3:9",
        "orchestrations/a.yaml:3:12",
        "orchestrations/b.yaml:3:1",
    ]
    assert err == "3 problems in 2 files\n"


def test_check_of_one_page_leaves_the_others_alone(project: Path) -> None:
    (project / "orchestrations" / "bad.yaml").write_text("route: 1")
    assert main(["--root", str(project), "check", "page"]) == 0
    assert main(["--root", str(project), "check", "bad"]) == 1


def test_keys_that_are_not_run_yet_pass_the_check(project: Path) -> None:
    (project / "orchestrations" / "page.yaml").write_text("route: GET /page\nshape: user.id\n")
    assert main(["--root", str(project), "check"]) == 0


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["biuld"], "No such command 'biuld'. Did you mean 'build'?"),
        (["check", "--quickly"], "No such option '--quickly'."),
        (["build", "--arhc", "arm64"], "No such option '--arhc'. Did you mean '--arch'?"),
        (
            ["check", "--format", "xml"],
            "Invalid value for '--format': 'xml' is not one of 'text', 'json', 'github'.",
        ),
        (["--rot", "x", "check"], "No such option '--rot'. Did you mean '--root'?"),
        (["test"], "Missing option '--faults'."),
        (["test", "page"], "Missing option '--faults'."),
        (["serve", "--workers", "0"], "Invalid value for '--workers': 0 is not in the range x>=1."),
        (["serve", "--drain", "5"], "Invalid value for '--drain': expected a duration like 500ms, 5s or 1m"),
    ],
)
def test_wrong_usage_exits_2(arguments: list[str], wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"Error: {wrong}"


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("Usage: bff [OPTIONS] COMMAND [ARGS]...\n")


def test_the_help_lists_every_command_below_a_title(capsys: pytest.CaptureFixture[str]) -> None:
    assert sorted(name for names in SECTIONS.values() for name in names) == sorted(program.commands)
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for title, names in SECTIONS.items():
        at = lines.index(f"{title}:")
        assert [line.split()[0] for line in lines[at + 1 : at + 1 + len(names)]] == list(names)


@pytest.mark.parametrize("name", sorted(program.commands))
def test_every_command_has_a_sentence_and_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Usage: bff {name} ")
    sentence = program.commands[name].get_short_help_str(200)
    assert sentence[0].isupper() and sentence.endswith(".")
    assert f"\nExample:\n  bff {name}" in out


def test_the_help_of_build_names_every_target() -> None:
    told = program.commands["build"].help
    assert told is not None
    assert set(TARGETS) <= set(re.findall(r"[a-z-]+", told))


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"bff, version {bff.__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["--root", "{}", "check"], ["check", "--root", "{}"], ["check", "page", "--root={}"]]
)
def test_the_root_is_named_anywhere(
    arguments: list[str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([argument.format(project) for argument in arguments]) == 0
    assert capsys.readouterr().out == "1 recipe and 0 clients are fine\n"


def test_check_tells_programs_in_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(project), "check", "--format", "json"]) == 0
    assert capsys.readouterr() == ("[]\n", "")
    (project / "orchestrations" / "b.yaml").write_text("route: GET /b\nauth: none\nshap: 1\n")
    assert main(["--root", str(project), "check", "--format", "json"]) == 1
    out, err = capsys.readouterr()
    allowed = ", ".join(key.name for key in KEYS["recipe"])
    assert json.loads(out) == [
        {
            "file": "orchestrations/b.yaml",
            "line": 3,
            "column": 1,
            "length": 4,
            "message": "unknown key 'shap' in a recipe",
            "hint": f"did you mean 'shape'?  allowed are: {allowed}",
            "severity": "error",
        }
    ]
    assert err == "1 problem in 1 file\n"


def test_check_annotates_lines_for_github(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "orchestrations" / "b.yaml").write_text(
        "route: GET /b\nauth: none\nshape: len(100% x)\nsh%: 1\n"
    )
    assert main(["--root", str(project), "check", "--format", "github"]) == 1
    keys = ", ".join(key.name for key in KEYS["recipe"])
    assert capsys.readouterr().out.splitlines() == [
        "::error file=orchestrations/b.yaml,line=3,col=17,endColumn=18::unknown name 'x'"
        "%0Ahere are: path, query, headers, body, user",
        "::error file=orchestrations/b.yaml,line=4,col=1,endColumn=4::unknown key 'sh%25' in a recipe"
        f"%0Aallowed are: {keys}",
    ]


@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_terminal_shows_places_and_carets_in_colour(
    no_color: str, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr("click._compat.isatty", lambda stream: True)
    (project / "orchestrations" / "b.yaml").write_text("route: GET /b\nauth: none\nshape: x\n")
    assert main(["--root", str(project), "check"]) == 1
    out = capsys.readouterr().out
    assert ("\x1b[1morchestrations/b.yaml:3:8\x1b[0m: " in out) is (not no_color)
    assert ("\x1b[" in out) is (not no_color)


def test_a_folder_that_is_no_project_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--root", str(tmp_path), "check"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert (
        err
        == f"bff: no folder orchestrations/ in {tmp_path.resolve()}: go into a project, or begin one: bff new NAME\n"
    )


READING = """
route: GET /read
auth: none
deadline: 300ms
steps:
  row:
    client: rows
    get: /row
    fallback: null
shape:
  row: row.name
"""


@pytest.fixture
def reading(project: Path) -> Path:
    (project / "orchestrations" / "read.yaml").write_text(READING)
    (project / "clients").mkdir()
    text = "from bff import Client, env\nclient = Client(base_url=env('ROWS_URL'))\n"
    (project / "clients" / "rows.py").write_text(text)
    return project


def test_the_fault_matrix_is_a_table_of_what_visitors_get(
    reading: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--root", str(reading), "test", "--faults"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[:4] == [
        "page  step  well    refused hangs   500     503     404     401     429     empty   HTML    half    cut     "
        "form    null    nulls   {}      []      text    10MB    drip    stale   retyped",
        "page        200",
        "read        200",
        "      row           200+    200+    200+    200+    200+    200+    200+    200+    200+    200+    200+    "
        "200+    200     200     200     200+    200+    200+    200+    200     200",
    ]
    assert err.endswith(" s: all as the recipes say\n")


def test_what_is_not_as_the_recipe_says_is_explained_below(
    reading: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bff.executor.run.PageRun._lacking", lambda self: ((), ()))
    assert main(["--root", str(reading), "test", "--faults", "read"]) == 1
    out, err = capsys.readouterr()
    assert "200!" in out
    assert "\nread: row answers with status 500\n  expected X-Page-Partial: row, found None\n" in out
    assert err.endswith(" s: 16 not as the recipes say\n")


def test_a_page_that_there_is_not_cannot_be_tested(reading: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(reading), "test", "--faults", "reed"]) == 2
    assert "did you mean read?" in capsys.readouterr().err


def test_there_is_nothing_to_serve_without_wsgi_py(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(project), "serve"]) == 2
    assert capsys.readouterr().err == f"bff: there is no wsgi.py in {project}\n"


def test_a_server_that_is_not_installed_is_told_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "bff.cli.serve", raising=False)
    monkeypatch.setitem(sys.modules, "granian", None)
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == (
        "bff: serve needs the package granian: pip install 'bff-recipes[serve]'\n"
    )


@pytest.mark.parametrize("port", ["x", "8.5", "-1", "65536", "tcp://S3cret:80", "٣"])
def test_the_port_of_the_environment_is_a_number(
    port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", port)
    assert main(["serve"]) == 2
    wrong = "Error: Invalid value for '--port': expected a port, from 0 to 65535"
    assert capsys.readouterr().err.splitlines()[-1] == wrong
    assert main(["schema"]) == 0


def test_the_module_runs_as_a_command_without_any_environment(project: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "bff", "--root", str(project), "check"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "1 recipe and 0 clients are fine\n")


def test_the_committed_schema_is_the_one_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    committed = (ROOT / "bff" / FILE).read_text("utf-8")
    assert capsys.readouterr().out == committed, f"run: python -m bff schema > bff/{FILE}"


SCHEMA = recipe_schema()


def test_the_schema_is_a_json_schema_that_describes_every_key() -> None:
    jsonschema_rs.meta.validate(SCHEMA)
    described = {name for table in SCHEMA["$defs"].values() for name in table.get("properties", {})}
    described |= set(SCHEMA["properties"])
    assert {key.name for name, keys in KEYS.items() for key in keys if name != "each"} <= described


@pytest.mark.parametrize("path", sorted((ROOT / "orchestrations").glob("*.yaml")), ids=lambda path: path.stem)
def test_recipes_name_the_schema_and_fit_it(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=../bff/recipe.schema.json\n")
    recipe = json.loads(json.dumps(yaml.safe_load(text)))
    assert [error.message for error in jsonschema_rs.iter_errors(SCHEMA, recipe)] == []


def fits(**keys: object) -> bool:
    return jsonschema_rs.is_valid(SCHEMA, {"route": "GET /page", **keys})


def test_the_schema_knows_how_senders_sign() -> None:
    assert fits(signed={"scheme": "stripe", "secret": "SECRET"}, idempotency_key="body.id")
    assert fits(signed={"scheme": "hmac", "secret": ["A", "B"], "header": "X-Own", "encoding": "base64"})
    for wrong in ({"scheme": "stripe"}, {"secret": "A"}, {"scheme": "strip", "secret": "A"}):
        assert not fits(signed=wrong)
    for secret in ("whsec_abc", [], ["a"], 3):
        assert not fits(signed={"scheme": "github", "secret": secret})


@pytest.mark.parametrize(
    "step",
    [
        {"client": "a", "get": "/a"},
        {"client": "a", "post": "/a", "cache": "60s", "timeout": "300ms", "fallback": None},
        {
            "client": "a",
            "get": "/a/{path.id}",
            "cache": {"ttl": "1m", "shared": True},
            "on_status": {"404": None},
        },
        {"client": "a", "get": "/a", "format": "ndjson"},
        {"client": "a", "get": "/a", "format": {"csv": {"delimiter": ";", "quote": None, "header": ["a"]}}},
        {"client": "a", "post": "/a", "text": "query.q", "format": {"csv": {"header": True}}},
        {"value": {"each": "x in y if x", "item": ["x", 1, None]}},
        {"value": {"each": ["x in y if x", "z in x", "u in z"], "let": {"v": "u.a"}, "item": "v"}},
        {"client": "a", "get": "/a", "query": "{'a': x.y}"},
        {"client": "a", "post": "/a", "form": "x", "undo": {"post": "/b", "form": "y", "query": "z"}},
        {"require": "a.b", "fail": {"status": 403, "title": "'No'"}},
        {"require": True, "fail": {"status": "a.status"}},
        {"recipe": "shell", "with": {"query": {"a": 1}}},
    ],
)
def test_the_schema_takes_every_kind_of_step(step: dict[str, object]) -> None:
    assert fits(steps={"x": step})


@pytest.mark.parametrize(
    "csv",
    [
        {"columns": ["id", "name"]},
        {"columns": {"No.": "id"}, "file": "a-{query.day}.csv", "partial": True},
    ],
)
def test_the_schema_takes_a_page_that_is_a_table(csv: dict[str, object]) -> None:
    assert fits(format={"csv": csv})


@pytest.mark.parametrize(
    "keys",
    [
        {"rout": 1},
        {"route": "/page"},
        {"auth": "maybe"},
        {"deadline": 2},
        {"cache": {"shared": "1s"}},
        {"status": 99},
        {"steps": {"x": {"client": "a"}}},
        {"steps": {"x": {"client": "a", "get": "/a", "post": "/a"}}},
        {"steps": {"x": {"client": "a", "get": "a"}}},
        {"steps": {"x": {"client": "a", "get": "/a", "timeot": "1s"}}},
        {"steps": {"x": {"client": "a", "get": "/a", "batch_size": 0}}},
        {"steps": {"x": {"client": "a", "get": "/a", "format": "xml"}}},
        {"steps": {"x": {"client": "a", "get": "/a", "format": {"text": {}}}}},
        {"steps": {"x": {"client": "a", "get": "/a", "format": {"csv": {"delimiter": "||"}}}}},
        {"steps": {"x": {"client": "a", "get": "/a", "format": {"csv": {"header": False}}}}},
        {"steps": {"x": {"client": "a", "get": "/a", "format": {"csv": {"header": []}}}}},
        {"steps": {"x": {"value": 1, "fallback": 1}}},
        {"steps": {"x-y": {"value": 1}}},
        {"steps": {"x": {"require": "a"}}},
        {"steps": {"x": {}}},
        {"format": "csv"},
        {"format": {"csv": {"columns": []}}},
        {"format": {"csv": {"file": "a.csv"}}},
        {"format": {"csv": {"columns": ["a", "a"]}}},
        {"shape": {"each": "x in y"}},
        {"shape": {"each": "y", "item": 1}},
        {"shape": {"each": [], "item": 1}},
        {"shape": {"each": ["a in b"] * 4, "item": 1}},
        {"shape": {"each": "a in b", "item": 1, "let": "c"}},
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(keys: dict[str, object]) -> None:
    assert not fits(**keys)
